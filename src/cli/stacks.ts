/** `stacks [ID]`: the stacks of an incident or a console log, equal ones together. */
import { groupStacks, renderStacks } from '../core/analysis/groups.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { select, type Selection } from '../core/report/selection.js';
import { counted } from '../core/words.js';
import { findEvidence, NotFound } from './find-evidence.js';
import { EXIT } from './globals.js';
import { styled, type Terminal } from './print.js';

type StacksOptions = Selection & { json?: boolean | undefined };

const LINE_MAX = 400;

/**
 * Prints the groups that match, the culprit's first. Returns 0, 2 for an ambiguous id, 3 if nothing matches, 4
 * where the dump is not whole, 5 for what cannot be read.
 */
export async function showStacks(
  root: string,
  wanted: string | undefined,
  options: StacksOptions,
  terminal: Terminal,
): Promise<number> {
  try {
    const { name, analysis, dump, complete } = await findEvidence(root, wanted);
    const all = groupStacks(dump?.tasks ?? [], analysis.verdict.culprit?.pid);
    const { groups, hidden } = select(all, options);
    if (options.json === true) terminal.out(`${safeJson(groups, 2)}\n`);
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
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    if (options.json === true && error.code === EXIT.noMatch) terminal.out('[]\n');
    return error.code;
  }
}

/** The user asked for idle ones here: show them in full, like the others. */
const text = (groups: Parameters<typeof renderStacks>[0]): string =>
  renderStacks(groups.map((group) => ({ ...group, idle: false })))
    .split('\n')
    .map((line) => printable(line, LINE_MAX))
    .join('\n');
