/** What a kernel, or a boot that gave up, says when it is worth a look at once. The wording: core/kernel-lines. */
import { findKernelLine } from '../kernel-lines/find.js';
import type { ComplaintKind } from '../kernel-lines/line.js';
import { stripPrintk } from './printk.js';

export type { ComplaintKind };

export interface Complaint {
  kind: ComplaintKind;
  /** How long the kernel says that it has lasted. */
  seconds: number | null;
}

/**
 * What this cleaned line complains of, or null. It must begin right behind the printk prefix, so that a program that
 * quotes a complaint within its own line makes none.
 */
export function complaintIn(line: string): Complaint | null {
  const { text, time } = stripPrintk(line);
  const found = findKernelLine(text);
  if (found?.line.complaint === undefined) return null;
  if (found.line.stamped === true && time === null) return null;
  const { seconds } = found.groups;
  return { kind: found.line.complaint, seconds: seconds === undefined ? null : Number(seconds) };
}
