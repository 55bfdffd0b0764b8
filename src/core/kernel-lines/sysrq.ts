/** What the kernel answers to Alt+SysRq: drivers/tty/sysrq.c. */
import type { DumpSysrqKey } from '../model.js';
import type { KernelLine } from './line.js';

/** Since 5.0; for some years before that, 4.14 included; on older kernels; on the oldest. */
export const TAGS = ['sysrq: ', 'sysrq: SysRq : ', 'SysRq : ', 'SysRq: '] as const;

const tagged = (words: string): string[] => TAGS.map((tag) => tag + words);

const header = (key: DumpSysrqKey, words: string): KernelLine => ({
  heads: tagged(words),
  answer: { type: 'header', key },
  examples: [`sysrq: ${words}`],
});

export const SYSRQ: readonly KernelLine[] = [
  header('w', 'Show Blocked State'),
  header('t', 'Show State'),
  header('l', 'Show backtrace of all active CPUs'),
  // Linux 2.6
  header('l', 'Show CPUs'),
  header('m', 'Show Memory'),
  header('p', 'Show Regs'),
  header('d', 'Show Locks Held'),
  header('q', 'Show clockevent devices'),
  {
    heads: tagged('HELP : '),
    answer: { type: 'help' },
    examples: ['sysrq: HELP : loglevel(0-9) reboot(b) crash(c) terminate-all-tasks(e)'],
  },
  {
    heads: tagged('Loglevel set to '),
    rest: /^(?<level>\d)\b/,
    answer: { type: 'level' },
    examples: ['sysrq: Loglevel set to 8'],
  },
  {
    heads: tagged('This sysrq operation is disabled.'),
    answer: { type: 'refused' },
    examples: ['sysrq: This sysrq operation is disabled.'],
  },
  {
    heads: tagged('Show '),
    answer: { type: 'dump' },
    examples: ['sysrq: Show Global CPU Regs'],
  },
  {
    heads: tagged('CPU'),
    rest: /^\d{1,5}:/,
    answer: { type: 'cpu' },
    examples: ['sysrq: CPU0:', 'sysrq: CPU1: backtrace skipped as idling'],
  },
  {
    heads: TAGS,
    answer: { type: 'other' },
    examples: ['sysrq: Changing Loglevel', 'sysrq: Emergency Sync'],
  },
];

/** Nearly every line of a dump stops here, its prefixes still on. */
export const mayAnswer = (line: string): boolean => line.includes('sysrq: ') || line.includes('SysRq');
