import type { SysrqKey } from '../model.js';

/**
 * The command that asks for a key inside the guest, for any login shell. The mask does not bind /proc/sysrq-trigger,
 * but root alone may write there (Linux Documentation/admin-guide/sysrq.rst). When the write returns, the handler has
 * stored its whole output.
 */
export const triggerCommand = (key: SysrqKey): string =>
  `sh -c "2>/dev/null echo ${key} >/proc/sysrq-trigger || sudo -n sh -c 'echo ${key} >/proc/sysrq-trigger'"`;
