/** What a kernel may have said, told at a glance: such rows come first where not all can be read. */
import { mayAnswer } from '../kernel-lines/sysrq.js';
import { stripPrintk } from './printk.js';
import { isReportLine } from './report-lines.js';

/** No line of a dump is shorter. */
const SHORTEST = 4;
/** Of a longer line, which is a program's, the rest is not searched. */
const MAX = 1_000;

export function isKernelLine(row: string): boolean {
  if (row.length < SHORTEST) return false;
  const line = row.slice(0, MAX);
  return stripPrintk(line).time !== null || mayAnswer(line) || isReportLine(line);
}
