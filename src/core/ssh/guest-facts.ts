import type { GuestFacts } from '../model.js';

/** Symbols without which a chord or its dump comes to nothing (drivers/tty/sysrq.c, drivers/input). */
export const NEEDED = [
  ...['MAGIC_SYSRQ', 'INPUT', 'INPUT_KEYBOARD', 'KEYBOARD_ATKBD', 'SERIO', 'SERIO_I8042', 'STACKTRACE'],
] as const;
/** Symbols that say what else the guest can tell. */
const TELLING = ['MAGIC_SYSRQ_SERIAL', 'LOCKDEP', 'DETECT_HUNG_TASK', 'KALLSYMS'];

/**
 * Answers the facts, in any login shell; a line of a chatty one is not taken for one. cat fails where the kernel has no
 * SysRq, and has then still printed the other file.
 */
export const FACTS_COMMAND = [
  `sh -c 'cat /proc/sys/kernel/sysrq /proc/sys/kernel/printk`,
  `sed "s/^/hung_task=/" /proc/sys/kernel/hung_task_timeout_secs`,
  `grep -q "\\bsysrq_always_enabled\\b" /proc/cmdline && echo always_enabled=1`,
  `sed -n "s/^ID=/os=/p" /etc/os-release`,
  `grep -m 1 " _text$" /proc/kallsyms`,
  `{ zcat /proc/config.gz || cat /boot/config-$(uname -r); } | grep -E "^CONFIG_(IKCONFIG|MODULES|${[...NEEDED, ...TELLING].join('|')})="`,
  `true' 2>/dev/null`,
].join('; ');

/** Reads what FACTS_COMMAND printed (Linux Documentation/admin-guide/sysctl/kernel.rst). */
export function factsOf(printed: string): GuestFacts {
  const sysrq = /^(\d{1,4})\s*$/m.exec(printed)?.[1];
  const printk = /^(\d{1,2})\t\d+\t\d+\t\d+\s*$/m.exec(printed)?.[1];
  const hungTask = /^hung_task=(\d{1,9})\s*$/m.exec(printed)?.[1];
  const symbols = [...printed.matchAll(/^CONFIG_([A-Z0-9_]{1,40})=[ym]\s*$/gm)].flatMap(
    ([, name]) => name ?? [],
  );
  return {
    sysrqMask: sysrq === undefined ? null : Number(sysrq),
    loglevel: printk === undefined ? null : Number(printk),
    alwaysEnabled: /^always_enabled=1\s*$/m.test(printed),
    hungTaskSeconds: hungTask === undefined ? null : Number(hungTask),
    os: /^os="?([a-z0-9._-]{1,40})"?\s*$/m.exec(printed)?.[1] ?? null,
    // All zeros where kptr_restrict hides it.
    textAddress: /^(?!0+ )([0-9a-f]{8,16}) [tT] _text\s*$/m.exec(printed)?.[1] ?? null,
    symbols: symbols.length === 0 ? null : symbols,
  };
}

/** Nothing could be read. */
export const NO_FACTS: GuestFacts = factsOf('');

/** The loglevel that arming sets: task lines are KERN_INFO, and print from 7 upwards. */
const ARMED_LEVEL = 7;
const ARM = `echo 1 >/proc/sys/kernel/sysrq && echo ${ARMED_LEVEL} >/proc/sys/kernel/printk`;
/** Lets a guest print its dumps until its next boot, in any login shell; root may do it, or sudo without a password. */
export const ARM_COMMAND = `sh -c "{ ${ARM}; } 2>/dev/null || sudo -n sh -c '${ARM}'"`;
