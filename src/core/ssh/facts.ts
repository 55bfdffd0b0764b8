import type { GuestFacts } from '../model.js';

/** Answers the facts; each file is one line, and a line of a chatty login shell is not taken for one. */
export const FACTS_COMMAND = 'cat /proc/sys/kernel/sysrq /proc/sys/kernel/printk';

/** Reads what FACTS_COMMAND printed (Linux Documentation/admin-guide/sysctl/kernel.rst). */
export function factsOf(printed: string): GuestFacts {
  const sysrq = /^(\d{1,4})\s*$/m.exec(printed)?.[1];
  const printk = /^(\d{1,2})\t\d+\t\d+\t\d+\s*$/m.exec(printed)?.[1];
  return {
    sysrqMask: sysrq === undefined ? null : Number(sysrq),
    loglevel: printk === undefined ? null : Number(printk),
  };
}

/** Nothing could be read. */
export const NO_FACTS: GuestFacts = { sysrqMask: null, loglevel: null };
