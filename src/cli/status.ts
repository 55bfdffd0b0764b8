/** `status`: what the daemon knows, once or repeatedly. */
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { systemctl } from '../core/scope.js';
import type { CatchingUp, GuestStatus } from '../core/watch/status.js';
import { counted, seconds } from '../core/words.js';
import { askStatus, controlSocket, type DaemonStatus } from '../daemon/control.js';
import { noGuest } from '../daemon/known-guests.js';
import { runtimeDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import { EXIT, type Globals } from './globals.js';
import { type Cell, type Column, styled, table, type Terminal } from './print.js';
import { CLEAR, interrupted, REFRESH_MS } from './watching.js';

interface StatusOptions {
  json?: boolean | undefined;
  watch?: boolean | undefined;
}

const TEXT_MAX = 200;
export const noDaemon = (): string =>
  `no daemon answers; start it with: ${systemctl(ownScope(), 'start wedgewatch')}`;

/**
 * Prints the guests of the running daemon; with `watch` each second until interrupted. Returns 0, 3 for an unknown VM,
 * 5 if no daemon runs, it is blind, or an incident could not be archived yet.
 */
export async function status(
  vm: string | undefined,
  options: StatusOptions,
  globals: Globals,
  stopping = interrupted(options.watch === true),
): Promise<number> {
  for (;;) {
    const code = await once(vm, options, globals);
    if (options.watch !== true || isOver(stopping) || code === EXIT.noMatch) return code;
    await delay(REFRESH_MS, undefined, { ...(stopping && { signal: stopping }) }).catch(() => undefined);
    if (isOver(stopping)) return code;
  }
}

const isOver = (stopping: AbortSignal | undefined): boolean => stopping?.aborted === true;

async function once(vm: string | undefined, options: StatusOptions, globals: Globals): Promise<number> {
  const { terminal, quiet } = globals;
  const watch = options.watch === true;
  const clear = watch && terminal.columns !== null ? CLEAR : '';
  let daemon: DaemonStatus;
  try {
    daemon = await askStatus(controlSocket(runtimeDirectory()), { watched: watch });
  } catch {
    terminal.err(`${clear}wedgewatch: ${noDaemon()}\n`);
    return EXIT.environment;
  }
  const guests = daemon.guests.filter((guest) => vm === undefined || guest.vm === vm);
  if (options.json === true) terminal.out(`${safeJson({ ...daemon, guests }, watch ? undefined : 2)}\n`);
  else {
    terminal.out(clear);
    printGuests(terminal, daemon, guests, { quiet, watch, one: vm !== undefined });
  }
  if (vm !== undefined && guests.length === 0) {
    const known = daemon.guests.map((guest) => guest.vm);
    terminal.err(`wedgewatch: ${printable(noGuest(vm, known), 2 * TEXT_MAX)}\n`);
    return EXIT.noMatch;
  }
  const { blind, configProblems, pending = [] } = daemon;
  return blind === null && configProblems.length + pending.length === 0 ? EXIT.ok : EXIT.environment;
}

interface Shown {
  quiet: boolean;
  watch: boolean;
  /** One guest only: with all its evidence. */
  one: boolean;
}

function printGuests(terminal: Terminal, daemon: DaemonStatus, guests: GuestStatus[], shown: Shown): void {
  if (daemon.blind !== null) terminal.err(`wedgewatch: the journal cannot be read: ${daemon.blind}\n`);
  for (const problem of daemon.configProblems) terminal.err(`wedgewatch: ${problem}\n`);
  for (const { path, problem } of daemon.pending ?? [])
    terminal.err(
      `wedgewatch: not archived yet, and tried again: ${path}: ${printable(problem, 2 * TEXT_MAX)}\n`,
    );
  if (guests.length === 0) {
    if (!shown.quiet)
      terminal.out(
        'no guests: none is found, and the configuration names none; wedgewatch doctor says where it looks\n',
      );
    return;
  }
  const columns = shown.watch ? [...COLUMNS.slice(0, -1), ...LOAD, ...COLUMNS.slice(-1)] : COLUMNS;
  const titled: readonly Column[] = columns.map(({ column }) => column);
  const rows = guests.map((guest) => columns.map(({ cell }) => cell(guest)));
  terminal.out(table(terminal, titled, rows));
  if (shown.quiet) return;
  for (const guest of guests) {
    const waits = guest.awaiting === null ? '' : `; the console waits for ${guest.awaiting}`;
    const line = `${guest.vm}: ${guest.class}: ${guest.reasons.join('; ')}${waits}`;
    terminal.out(styled(terminal, 'dim', `${printable(line, 2 * TEXT_MAX)}\n`));
    if (guest.blind !== null) terminal.out(`${printable(`  to see it: ${guest.blind.fix}`, 2 * TEXT_MAX)}\n`);
    if (behind(guest.catchingUp)) terminal.out(`  ${behindText(guest.catchingUp)}\n`);
    if (!shown.one) continue;
    terminal.out(evidenceLines(guest));
    terminal.out(memoryLine(guest));
    if (guest.armedFix !== null)
      terminal.out(`${printable(`  to arm it: ${guest.armedFix}`, 2 * TEXT_MAX)}\n`);
  }
}

/** Absent from a daemon of an older version. */
const behind = (catchingUp: CatchingUp | null | undefined): catchingUp is CatchingUp =>
  catchingUp !== null && catchingUp !== undefined;

function behindText({ bytes, leftOut }: CatchingUp): string {
  const unread = `${(bytes / 1e6).toFixed(1)} MB of its console are not read yet`;
  if (leftOut === 0) return `catching up: ${unread}`;
  return `catching up: it prints faster than it can be read: ${unread}, ${counted(leftOut, 'row')} left out so far`;
}

/** Absent from a daemon of an older version. */
function memoryLine({ memory }: { memory?: GuestStatus['memory'] }): string {
  if (memory === null || memory === undefined) return '';
  const fix = memory.fix === null ? '' : `; to read it: ${memory.fix}`;
  const says = memory.read ? 'is read' : `is not read: ${memory.why ?? ''}${fix}`;
  return `${printable(`  memory:  ${says}`, 3 * TEXT_MAX)}\n`;
}

/** The evidence for the state, one line per side. */
export function evidenceLines({ evidence }: Pick<GuestStatus, 'evidence'>): string {
  return evidence
    .map(({ side, says, ageMs, doubt }) => {
      const age = ageMs === null ? '' : `, ${seconds(ageMs)} old`;
      const marks = doubt === null ? age : `${age}, doubtful: ${doubt}`;
      return `${printable(`  ${`${side}:`.padEnd(9)}${says}${marks}`, 3 * TEXT_MAX)}\n`;
    })
    .join('');
}

const CALM = new Set(['up', 'starting', 'recovered', 'unknown', 'gone']);

interface Shape {
  column: Column;
  cell: (guest: GuestStatus) => Cell;
}

const COLUMNS: readonly Shape[] = [
  { column: { title: 'VM', min: 8 }, cell: ({ vm }) => ({ text: printable(vm, TEXT_MAX) }) },
  {
    column: { title: 'STATE' },
    cell: ({ state, blind, catchingUp }) => ({
      text: [
        state,
        ...(blind === null ? [] : ['blind']),
        ...(behind(catchingUp) ? ['catching-up'] : []),
      ].join(', '),
      style: CALM.has(state) && blind === null ? 'green' : 'red',
    }),
  },
  { column: { title: 'SINCE', align: 'right' }, cell: ({ sinceMs }) => ({ text: seconds(sinceMs) }) },
  { column: { title: 'PHASE', drop: 2 }, cell: ({ phase }) => ({ text: phase }) },
  {
    column: { title: 'LAST PROGRESS', min: 20, want: 28 },
    cell: ({ lastProgress }) => ({ text: progress(lastProgress) }),
  },
  { column: { title: 'SSH' }, cell: ({ ssh }) => sshCell(ssh) },
  {
    column: { title: 'ARMED', min: 5 },
    cell: ({ armed }) => ({
      text: armed ?? '?',
      ...(armed?.startsWith('no') === true && { style: 'yellow' }),
    }),
  },
  {
    column: { title: 'LAST INCIDENT', min: 13, drop: 1 },
    cell: ({ lastIncident }) => ({ text: lastIncident ?? '-' }),
  },
];

function sshCell(ssh: GuestStatus['ssh']): Cell {
  if (ssh === null) return { text: '-' };
  const text = sshWord(ssh);
  return { text, ...(text !== 'ok' && { style: text === 'host-fault' ? 'yellow' : 'red' }) };
}

/** How it answers, or the step at which it does not. */
function sshWord({ kind, steps }: NonNullable<GuestStatus['ssh']>): string {
  const hangs = steps.find(({ says }) => says === 'hangs');
  return kind === 'ok' && hangs !== undefined ? `${hangs.step} hangs` : kind;
}

/** With --watch only: it costs a look at each guest. */
const LOAD: readonly Shape[] = [
  {
    column: { title: 'VCPU', align: 'right' },
    cell: ({ vcpu }) => ({ text: vcpu === null ? '-' : `${Math.round(mean(vcpu))} %` }),
  },
  { column: { title: 'I/O', align: 'right' }, cell: ({ io }) => ({ text: io === null ? '-' : `${io}/s` }) },
];

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function progress(last: GuestStatus['lastProgress']): string {
  return last === null ? '-' : printable(`${seconds(last.agoMs)} ago: ${last.text}`, TEXT_MAX);
}
