/** The analysis of a log, as `analyze` prints it. */
import { nameDump } from '../analysis/dump-names.js';
import { framesWithLines, membersOf } from '../analysis/groups.js';
import type { Analysis, StackGroup, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { waitLine } from './text.js';

const GROUPS_SHOWN = 3;
const FRAMES_SHOWN = 12;
const WAITS_SHOWN = 5;

/** The verdict, why, who waits for whom, and the stacks that tell of it; each line printable. */
export function analysisText({ verdict, groups, waits, dumps }: Analysis): string {
  const lines = [verdict.title, '', `class ${verdict.class}, confidence ${verdict.confidence}`];
  for (const sentence of [...verdict.reasons, ...verdict.inferred]) lines.push(`- ${sentence}`);
  if (waits.length > 0) lines.push('', 'Who waits for whom');
  for (const wait of waits.slice(0, WAITS_SHOWN)) lines.push(`- ${printable(waitLine(wait), 400)}`);
  if (waits.length > WAITS_SHOWN) lines.push(`- and ${waits.length - WAITS_SHOWN} more`);
  for (const group of telling(groups, verdict)) {
    lines.push('', `${group.count} in ${group.state}: ${membersOf(group, 8)}`);
    lines.push(
      ...framesWithLines(group)
        .slice(0, FRAMES_SHOWN)
        .map((frame) => `    ${printable(frame, 400)}`),
    );
    if (group.frames.length > FRAMES_SHOWN) lines.push('    …');
  }
  const unplaced = dumps.flatMap((dump, index) =>
    dump.unplaced === undefined ? [] : [{ name: nameDump(dumps, index), ...dump.unplaced }],
  );
  if (unplaced.length > 0) lines.push('');
  for (const { name, lines: count, examples } of unplaced.slice(0, WAITS_SHOWN))
    lines.push(`${name}: ${counted(count, 'line')} not understood: ${printable(examples[0] ?? '', 100)}`);
  return `${lines.join('\n')}\n`;
}

/** The culprit's stack, which is the first of all, and those in D: a dump of all tasks has many that only sleep. */
function telling(groups: readonly StackGroup[], { culprit }: Verdict): StackGroup[] {
  const shown = groups.filter(
    ({ pids, state, idle }) =>
      (typeof culprit?.pid === 'number' && pids.includes(culprit.pid)) || (state === 'D' && !idle),
  );
  return shown.slice(0, GROUPS_SHOWN);
}
