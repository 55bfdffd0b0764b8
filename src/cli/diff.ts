/** `diff A B`: the stacks that came, went and stayed between two dumps, incidents or console logs. */
import { membersOf, renderStacks } from '../core/analysis/groups.js';
import { layerOf } from '../core/analysis/layers.js';
import type { StackGroup } from '../core/model.js';
import { printable } from '../core/printable.js';
import { diffStacks, type StackDiff, type StayedGroup } from '../core/report/stack-diff.js';
import { safeJson } from '../core/report/json.js';
import { counted } from '../core/words.js';
import { type Evidence, findEvidence, NotFound } from './find-evidence.js';
import { EXIT } from './globals.js';
import { styled, type Terminal } from './print.js';

interface DiffOptions {
  all?: boolean | undefined;
  json?: boolean | undefined;
}

const LINE_MAX = 400;
const MEMBERS_SHOWN = 6;

/** Prints the difference. Returns 0, 2 for an ambiguous id, 3 for an unknown one, 4 if a side is not whole, 5. */
export async function showDiff(
  root: string,
  [first, second]: readonly [string, string],
  options: DiffOptions,
  terminal: Terminal,
): Promise<number> {
  try {
    const before = await findEvidence(root, first);
    const after = await findEvidence(root, second);
    const sameRun = before.run === after.run;
    const diff = diffStacks(before.dump?.tasks ?? [], after.dump?.tasks ?? [], sameRun);
    const shown = options.all === true ? diff : withoutIdle(diff);
    if (options.json === true)
      terminal.out(`${safeJson({ before: before.name, after: after.name, ...shown }, 2)}\n`);
    else terminal.out(text(shown, before, after, terminal));
    const partial = [before, after].filter(({ complete }) => !complete);
    for (const { name } of partial) terminal.err(`wedgewatch: the evidence of ${name} is incomplete\n`);
    return partial.length === 0 ? EXIT.ok : EXIT.incomplete;
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    if (options.json === true && error.code === EXIT.noMatch) terminal.out('[]\n');
    return error.code;
  }
}

const withoutIdle = ({ came, went, stayed }: StackDiff): StackDiff => ({
  came: came.filter(({ idle }) => !idle),
  went: went.filter(({ idle }) => !idle),
  stayed: stayed.filter(({ idle }) => !idle),
});

function text(
  { came, went, stayed }: StackDiff,
  before: Evidence,
  after: Evidence,
  terminal: Terminal,
): string {
  const head = (what: string, groups: readonly StackGroup[], where: string): string => {
    const tasks = groups.reduce((sum, { count }) => sum + count, 0);
    const counts = `${counted(groups.length, 'stack')}, ${counted(tasks, 'task')}`;
    return styled(terminal, 'bold', `${what}: ${groups.length === 0 ? 'none' : `${counts}, ${where}`}`);
  };
  const blocks = [
    [head('Came', came, `in ${after.name} only`), lines(renderStacks(came))],
    [head('Went', went, `in ${before.name} only`), lines(renderStacks(went))],
    [head('Stayed', stayed, 'in both'), lines(stayed.map(stayedLine).join('\n'))],
  ];
  return `${blocks.map((block) => block.filter((part) => part !== '').join('\n')).join('\n\n')}\n`;
}

const lines = (block: string): string =>
  block
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${printable(line, LINE_MAX)}`))
    .join('\n');

function stayedLine(group: StayedGroup): string {
  const { state, count, before, stoodStill } = group;
  const counts = before === count ? counted(count, 'task') : `${before} → ${counted(count, 'task')}`;
  const still = stoodStill === null || stoodStill === 0 ? '' : `, ${stoodStill} of them stood still`;
  return `${counts} in ${state} at ${placeOf(group)}${still}: ${membersOf(group, MEMBERS_SHOWN)}`;
}

/** The innermost function that says more than that the task sleeps. */
function placeOf({ frames }: StackGroup): string {
  const named = frames.find((frame) => layerOf(frame.replace(/ \[.*$/, '')) === 'operation');
  return named ?? frames[0] ?? '(no stack)';
}
