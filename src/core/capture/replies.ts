/**
 * The lines with which a guest's kernel answers a chord (drivers/tty/sysrq.c; before 5.10 the tag is `SysRq : `).
 * A line counts only where the tag stands right behind the printk prefix: a program that quotes one is not the kernel.
 */
import { stripPrintk } from '../console/printk.js';
import type { SysrqKey } from '../model.js';

const TAG = /^(?:sysrq: |SysRq : )(.*)$/;
/** Nearly every line of a dump stops at this one test. */
const MAYBE = /sysrq: |SysRq : /;
const LEVEL = /^Loglevel set to ([0-9])\b/;

type Reply =
  | { type: 'header'; key: SysrqKey }
  | { type: 'help' }
  | { type: 'level'; level: string }
  | { type: 'refused' };

const SAYS: readonly (readonly [prefix: string, reply: Reply])[] = [
  ['Show Blocked State', { type: 'header', key: 'w' }],
  ['Show State', { type: 'header', key: 't' }],
  ['Show backtrace of all active CPUs', { type: 'header', key: 'l' }],
  ['Show Memory', { type: 'header', key: 'm' }],
  ['Show Regs', { type: 'header', key: 'p' }],
  ['Show Locks Held', { type: 'header', key: 'd' }],
  ['Show clockevent devices', { type: 'header', key: 'q' }],
  ['HELP : ', { type: 'help' }],
  ['This sysrq operation is disabled.', { type: 'refused' }],
];

/** What a console line answers to a chord, or null for any other line. */
export function sysrqReply(line: string): Reply | null {
  if (!MAYBE.test(line)) return null;
  const said = TAG.exec(stripPrintk(line).text)?.[1];
  if (said === undefined) return null;
  const level = LEVEL.exec(said)?.[1];
  if (level !== undefined) return { type: 'level', level };
  return SAYS.find(([prefix]) => said.startsWith(prefix))?.[1] ?? null;
}

/** Clocks of two CPUs of a guest may differ by that much, in seconds. */
const SKEW = 1;

/**
 * Whether the kernel can have printed `line` after `earlier`. Where the one has a printk time the other has it too, and
 * time does not go back: an old log that a guest shows on its console, or a program that says the same words, fails.
 */
export function printedAfter(earlier: string, line: string): boolean {
  const from = stripPrintk(earlier).time;
  if (from === null) return true;
  const time = stripPrintk(line).time;
  return time !== null && time >= from - SKEW;
}
