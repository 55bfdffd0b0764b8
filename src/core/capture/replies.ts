/** What a guest's kernel answers to a chord. The wording: core/kernel-lines/sysrq.ts. */
import { stripPrintk } from '../console/printk.js';
import { findKernelLine } from '../kernel-lines/find.js';
import { mayAnswer } from '../kernel-lines/sysrq.js';
import type { DumpSysrqKey } from '../model.js';

type Reply =
  | { type: 'header'; key: DumpSysrqKey }
  | { type: 'help' }
  | { type: 'level'; level: string }
  | { type: 'refused' };

/**
 * What a console line answers to a chord, or null for any other line. Only one that begins right behind the printk
 * prefix counts: a program that quotes one is not the kernel.
 */
export function sysrqReply(line: string): Reply | null {
  if (!mayAnswer(line)) return null;
  const found = findKernelLine(stripPrintk(line).text);
  const answer = found?.line.answer;
  switch (answer?.type) {
    case 'header':
      return { type: 'header', key: answer.key };
    case 'level':
      return { type: 'level', level: found?.groups['level'] ?? '' };
    case 'help':
    case 'refused':
      return { type: answer.type };
    case 'dump':
    case 'cpu':
    case 'other':
    case undefined:
      return null;
  }
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
