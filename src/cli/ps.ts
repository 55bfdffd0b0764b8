/** `ps VM`: the tasks of a running guest, from its memory. */
import type { SnapshotTaken } from '../core/memory/answers.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { blockedText, fallbacksOf, type TaskRow, taskRows } from '../core/report/task-table.js';
import { counted } from '../core/words.js';
import { EXIT, type Globals } from './globals.js';
import { type Snapshots, tellClosed, tellDoubts, withGuestMemory } from './guest-memory.js';
import { type Cell, type Column, styled, table, type Terminal } from './print.js';
import { CLEAR, interrupted, repeated } from './watching.js';

interface PsOptions {
  all?: boolean | undefined;
  watch?: boolean | undefined;
  json?: boolean | undefined;
}

const TEXT_MAX = 200;
const COLUMNS: readonly Column[] = [
  { title: 'PID', align: 'right' },
  { title: 'COMM' },
  { title: 'STATE' },
  { title: 'OFF CPU', align: 'right' },
  { title: 'WAITS IN', min: 12 },
  { title: 'FOR', min: 12 },
];

/** Prints them, longest off the CPU first. Returns 0, 3 for an unknown VM, 4 for an incomplete snapshot, 5. */
export function ps(vm: string, options: PsOptions, globals: Globals): Promise<number> {
  const stopping = interrupted(options.watch === true);
  return withGuestMemory(vm, globals, (take) =>
    repeated(stopping, () => once(vm, options, globals.terminal, take)),
  );
}

async function once(vm: string, options: PsOptions, terminal: Terminal, take: Snapshots): Promise<number> {
  const taken = await take();
  const watch = options.watch === true;
  if (watch && options.json !== true && terminal.columns !== null) terminal.out(CLEAR);
  if (!taken.ok) {
    if (options.json === true) terminal.out('[]\n');
    return tellClosed(terminal, vm, taken);
  }
  const { rows, hidden } = taskRows(taken.dump, options.all === true);
  if (options.json === true) terminal.out(`${safeJson(rows, watch ? undefined : 2)}\n`);
  else print(terminal, taken, rows, hidden);
  return watch ? EXIT.ok : tellDoubts(terminal, taken);
}

function print(terminal: Terminal, { dump }: SnapshotTaken, rows: readonly TaskRow[], hidden: number): void {
  terminal.out(table(terminal, COLUMNS, rows.map(cells)));
  const blocked = blockedText(dump);
  if (blocked !== '') terminal.out(`${styled(terminal, 'red', printable(blocked, 2 * TEXT_MAX))}\n`);
  const up =
    dump.memory === undefined ? '' : `, Linux ${dump.memory.release}, up ${dump.memory.clock.toFixed(1)} s`;
  const rest = hidden === 0 ? '' : `; ${counted(hidden, 'idle kernel thread')} not shown, -a shows them`;
  const how = fallbacksOf(dump)
    .map((one) => `, ${one}`)
    .join('');
  const all = counted(dump.tasks.length, 'task');
  terminal.out(styled(terminal, 'dim', `${all}${printable(up + how, TEXT_MAX)}${rest}\n`));
}

function cells({ pid, comm, state, offCpuSeconds, waitsIn, waitsFor, doubt }: TaskRow): Cell[] {
  const text = (value: string | null) => ({ text: value === null ? '-' : printable(value, TEXT_MAX) });
  const doubted = doubt === null ? waitsFor : `${waitsFor ?? ''} (in doubt: ${doubt})`.trim();
  return [
    { text: pid === null ? '?' : String(pid) },
    text(comm),
    { text: printable(state, 2), ...(state === 'D' && { style: 'red' }) },
    { text: offCpuSeconds === null ? '-' : `${offCpuSeconds.toFixed(1)} s` },
    text(waitsIn),
    text(doubted),
  ];
}
