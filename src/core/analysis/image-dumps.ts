/** What is judged of a memory image: its memory, and what the kernel said before. */
import { DumpParser } from '../dump/parse-dumps.js';
import type { SnapshotTaken } from '../memory/answers.js';
import type { Dump } from '../model.js';

/** What the kernel said as it died, and its memory. `cut`: what of that is missing. */
export function imageDumps({ dump, log }: Pick<SnapshotTaken, 'dump' | 'log'>, cut: string | null): Dump[] {
  const last = lastWords(log?.text ?? '');
  const boot = last.at(-1)?.boot ?? dump.boot ?? 0;
  const missing =
    cut === null ? {} : { complete: false, incompleteBecause: [cut, ...dump.incompleteBecause] };
  return [...last, { ...dump, boot, ...missing }];
}

/** What a kernel prints unasked of what went wrong. Of tasks that somebody asked for memory tells more, and later. */
const UNASKED: ReadonlySet<Dump['key']> = new Set<Dump['key']>([
  ...(['hung_task', 'rcu_stall', 'lockup', 'oops', 'panic'] as const),
]);

/** Of a kernel that died: its stacks show where everybody was, and only its log why. */
function lastWords(log: string): Dump[] {
  const parser = new DumpParser();
  for (const line of log.split('\n')) parser.push(line);
  const dumps = parser.finish().filter(({ key }) => UNASKED.has(key));
  return dumps.some(({ key }) => key === 'panic') || diedOfOops(log) ? dumps : [];
}

/** kdump's kernel is started in the middle of an oops, before it says that it panics: arch/x86/kernel/dumpstack.c, oops_end(). */
function diedOfOops(log: string): boolean {
  const began = [...log.matchAll(/ \[#\d{1,3}\]/g)].at(-1)?.index ?? -1;
  return began > log.lastIndexOf('---[ end trace');
}
