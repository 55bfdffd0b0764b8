/** `stacks [ID]`: the stacks of a running guest, an incident or a console log, equal ones together. */
import { existsSync } from 'node:fs';
import { analyze } from '../core/analysis/analysis.js';
import { groupStacks, renderStacks } from '../core/analysis/groups.js';
import type { Config } from '../core/config/schema.js';
import type { Task } from '../core/model.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { select, type Selection } from '../core/report/selection.js';
import { counted } from '../core/words.js';
import { knownGuests } from '../daemon/known-guests.js';
import { archiveRoot } from '../io/paths.js';
import { findEvidence, NotFound } from './find-evidence.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { ofGuest, type Snapshots, tellClosed, tellDoubts } from './guest-memory.js';
import { styled, type Terminal } from './print.js';
import { CLEAR, interrupted, repeated } from './watching.js';

type StacksOptions = Selection & { json?: boolean | undefined; watch?: boolean | undefined };

const LINE_MAX = 400;

interface Shown {
  name: string;
  tasks: readonly Task[];
  culprit: number | null | undefined;
  complete: boolean;
}

/**
 * Prints the groups that match, the culprit's first; of a running guest, by its name, from its memory. Returns 0, 2 for
 * an ambiguous id, or one to watch, 3 if nothing matches, 4 where the dump is not whole, 5 for what cannot be read.
 */
export function stacks(
  wanted: string | undefined,
  options: StacksOptions,
  globals: Globals,
): Promise<number> {
  return withConfig(globals, async (config) => {
    const isGuest =
      wanted !== undefined && !existsSync(wanted) && (await knownGuests(config)).includes(wanted);
    if (isGuest) return ofRunning(config, wanted, options, globals.terminal);
    if (options.watch === true) {
      globals.terminal.err('wedgewatch: --watch is for a running guest, by its name\n');
      return EXIT.usage;
    }
    return showStacks(archiveRoot(config), wanted, options, globals.terminal);
  });
}

function ofRunning(config: Config, vm: string, options: StacksOptions, terminal: Terminal): Promise<number> {
  const stopping = interrupted(options.watch === true);
  return ofGuest(config, vm, (take) => repeated(stopping, () => once(vm, options, terminal, take)));
}

async function once(
  vm: string,
  options: StacksOptions,
  terminal: Terminal,
  take: Snapshots,
): Promise<number> {
  const taken = await take();
  if (options.watch === true && options.json !== true && terminal.columns !== null) terminal.out(CLEAR);
  if (!taken.ok) {
    if (options.json === true) terminal.out('[]\n');
    return tellClosed(terminal, vm, taken);
  }
  const { dump } = taken;
  const { verdict } = analyze([dump], { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
  const { tasks, complete } = dump;
  const code = show({ name: vm, tasks, culprit: verdict.culprit?.pid, complete: true }, options, terminal);
  return code === EXIT.ok && !complete && options.watch !== true ? tellDoubts(terminal, taken) : code;
}

/** The same of an incident, a console log or an image. */
export async function showStacks(
  root: string,
  wanted: string | undefined,
  options: StacksOptions,
  terminal: Terminal,
): Promise<number> {
  try {
    const { name, analysis, dump, complete } = await findEvidence(root, wanted);
    const culprit = analysis.verdict.culprit?.pid;
    return show({ name, tasks: dump?.tasks ?? [], culprit, complete }, options, terminal);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    if (options.json === true && error.code === EXIT.noMatch) terminal.out('[]\n');
    return error.code;
  }
}

function show({ name, tasks, culprit, complete }: Shown, options: StacksOptions, terminal: Terminal): number {
  const all = groupStacks(tasks, culprit);
  const { groups, hidden } = select(all, options);
  if (options.json === true) terminal.out(`${safeJson(groups, options.watch === true ? undefined : 2)}\n`);
  else if (groups.length > 0) terminal.out(text(groups));
  const idle = hidden.reduce((sum, { count }) => sum + count, 0);
  const rest = idle === 0 ? '' : `${counted(idle, 'idle kernel thread')} not shown; -a shows them`;
  if (groups.length === 0) {
    terminal.err(`wedgewatch: no stack of ${name} matches${rest === '' ? '' : ` (${rest})`}\n`);
    return EXIT.noMatch;
  }
  if (options.json !== true && rest !== '') terminal.out(`\n${styled(terminal, 'dim', rest)}\n`);
  if (complete) return EXIT.ok;
  terminal.err(`wedgewatch: the evidence of ${name} is incomplete\n`);
  return EXIT.incomplete;
}

/** The user asked for idle ones here: show them in full, like the others. */
const text = (groups: Parameters<typeof renderStacks>[0]): string =>
  renderStacks(groups.map((group) => ({ ...group, idle: false })))
    .split('\n')
    .map((line) => printable(line, LINE_MAX))
    .join('\n');
