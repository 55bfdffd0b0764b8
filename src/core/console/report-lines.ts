/** Lines of a dump or of a kernel's report, in which a guest gets nowhere. Their wording: core/kernel-lines. */
import { findKernelLine } from '../kernel-lines/find.js';
import type { KernelLine } from '../kernel-lines/line.js';
import { SHAPES } from '../kernel-lines/shapes.js';

const ANYWHERE = SHAPES.filter(({ within }) => within !== true).map(({ pattern }) => pattern);
const WITHIN = SHAPES.filter(({ within }) => within === true).map(({ pattern }) => pattern);
/** As one pattern they take a fraction of the time, and each new line of a console is asked. */
const REPORT = new RegExp(ANYWHERE.map(({ source }) => `(?:${source})`).join('|'));

/** Whether a line, without its printk prefix, can only be one of a kernel report. */
export function isReportLine(text: string): boolean {
  const line = text.trim();
  if (REPORT.test(line)) return true;
  const known = findKernelLine(line)?.line;
  return known !== undefined && (known.report === true || headsReport(known));
}

/** The kernel complains, and no program can have printed the same. */
const headsReport = ({ complaint, stamped }: KernelLine): boolean =>
  complaint !== undefined && complaint !== 'emergency' && stamped !== true;

/** Whether a line within a dump or report, without its prefixes, is one that they may have and we do not read. */
export const isUnreadLine = (text: string): boolean =>
  isReportLine(text) || WITHIN.some((shape) => shape.test(text));
