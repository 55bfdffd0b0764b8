import type { SysrqKey } from '../model.js';

/** What the guest answers to a key: its handler is done, or /proc/sysrq-trigger could not be written. */
export const TRIGGERED = 'sysrq-trigger: done';
export const NOT_TRIGGERED = 'sysrq-trigger: failed';

const FILE = '/proc/sysrq-trigger';
const LOOP = `while read -r key; do echo $key >${FILE} && echo ${TRIGGERED} || echo ${NOT_TRIGGERED}; done`;

/**
 * Asks for the keys on its input, one a line, in any login shell, by nothing but builtins of one shell: in a guest that
 * can start no program any more it goes on. The mask does not bind /proc/sysrq-trigger, but root alone may write there
 * (Linux Documentation/admin-guide/sysrq.rst). When the write returns, the handler has stored its whole output.
 */
export const TRIGGER_COMMAND = `sh -c 'loop="${LOOP.replaceAll('$', '\\$')}"; if [ -w ${FILE} ]; then eval "$loop"; else exec sudo -n sh -c "$loop"; fi'`;

export const triggerLine = (key: SysrqKey): string => `${key}\n`;
