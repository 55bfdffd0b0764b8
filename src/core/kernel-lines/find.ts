/**
 * The vocabulary of kernel lines, and the one way to recognise one. Wording of Linux 4.14 to 7.x; what older kernels
 * said stands where their logs are read.
 */
import { BOOTS } from './boots.js';
import type { KernelLine } from './line.js';
import { OOPSES } from './oopses.js';
import { REPORTS } from './reports.js';
import { SYSRQ } from './sysrq.js';

export interface Found {
  line: KernelLine;
  groups: Readonly<Record<string, string | undefined>>;
}

/** The first row that fits counts: narrow ones stand above wide ones. */
export const KERNEL_LINES: readonly KernelLine[] = [...REPORTS, ...OOPSES, ...BOOTS, ...SYSRQ];

/** So much of a head tells nearly every other line from it; the rows compare the whole. */
const HEAD_MAX = 8;
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const heads = KERNEL_LINES.flatMap((line) => line.heads).filter((head) => head !== '');
const GATE = new RegExp(
  `^(?:${[...new Set(heads.map((head) => literally(head.slice(0, HEAD_MAX))))].join('|')})`,
);
const HELD = new RegExp(
  KERNEL_LINES.flatMap(({ holds }) => (holds === undefined ? [] : [literally(holds)])).join('|'),
);

/** False for nearly every line of a healthy console and of a dump, at the cost of one test. */
const mayBeKnown = (text: string): boolean => GATE.test(text) || HELD.test(text);

const NO_GROUPS: Found['groups'] = {};

/** The row of a line, its prefixes already off, and the groups of its pattern. Null for nearly all lines. */
export function findKernelLine(text: string): Found | null {
  if (text !== last.text) last = { text, found: find(text) };
  return last.found;
}

/** Each reader of a line asks anew. */
let last: { text: string; found: Found | null } = { text: '', found: null };

function find(text: string): Found | null {
  if (!mayBeKnown(text)) return null;
  for (const line of KERNEL_LINES) {
    if (line.holds !== undefined && !text.includes(line.holds)) continue;
    for (const head of line.heads) {
      if (!text.startsWith(head)) continue;
      if (line.rest === undefined) return { line, groups: NO_GROUPS };
      const rest = line.rest.exec(text.slice(head.length));
      if (rest !== null) return { line, groups: rest.groups ?? NO_GROUPS };
    }
  }
  return null;
}
