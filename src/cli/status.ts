/** `status`: what the daemon knows. */
import { printable } from '../core/printable.js';
import type { GuestStatus } from '../core/watch/status.js';
import { seconds } from '../core/words.js';
import { askStatus, controlSocket, type DaemonStatus } from '../daemon/control.js';
import { runtimeDirectory } from '../io/places.js';
import { EXIT, type Globals } from './globals.js';
import { type Cell, type Column, styled, table, type Terminal } from './print.js';

const COLUMNS: readonly Column[] = [
  { title: 'VM', min: 8 },
  { title: 'STATE' },
  { title: 'SINCE', align: 'right' },
  { title: 'LAST PROGRESS', min: 20 },
  { title: 'SSH' },
  { title: 'ARMED', min: 8 },
  { title: 'LAST INCIDENT', min: 8 },
];
const TEXT_MAX = 200;

/** Prints the guests of the running daemon. Returns 0, 3 for an unknown VM, 5 where no daemon runs or it is blind. */
export async function status(
  vm: string | undefined,
  options: { json?: boolean | undefined },
  { terminal, quiet }: Globals,
): Promise<number> {
  let daemon: DaemonStatus;
  try {
    daemon = await askStatus(controlSocket(runtimeDirectory()));
  } catch {
    terminal.err('wedgewatch: no daemon answers; start it with: systemctl --user start wedgewatch\n');
    return EXIT.environment;
  }
  const guests = daemon.guests.filter((guest) => vm === undefined || guest.vm === vm);
  if (options.json === true) terminal.out(`${JSON.stringify({ ...daemon, guests }, null, 2)}\n`);
  else printGuests(terminal, daemon, guests, quiet);
  if (vm !== undefined && guests.length === 0) {
    terminal.err(`wedgewatch: no guest ${printable(vm, 100)}\n`);
    return EXIT.noMatch;
  }
  return daemon.blind === null && daemon.configProblems.length === 0 ? EXIT.ok : EXIT.environment;
}

function printGuests(terminal: Terminal, daemon: DaemonStatus, guests: GuestStatus[], quiet: boolean): void {
  if (daemon.blind !== null) terminal.err(`wedgewatch: the journal cannot be read: ${daemon.blind}\n`);
  for (const problem of daemon.configProblems) terminal.err(`wedgewatch: ${problem}\n`);
  if (guests.length === 0) {
    if (!quiet)
      terminal.out('no guests: none of qemu-system@.service runs, and the configuration names none\n');
    return;
  }
  terminal.out(table(terminal, COLUMNS, guests.map(row)));
  if (quiet) return;
  for (const { vm, why, awaiting } of guests) {
    const waits = awaiting === null ? '' : `; the console waits for ${awaiting}`;
    terminal.out(styled(terminal, 'dim', `${printable(`${vm}: ${why.join('; ')}${waits}`, 2 * TEXT_MAX)}\n`));
  }
}

const CALM = new Set(['up', 'starting', 'recovered', 'unknown', 'gone']);

function row({ vm, state, sinceMs, lastProgress, ssh, armed, lastIncident }: GuestStatus): Cell[] {
  const progress = lastProgress === null ? '-' : `${seconds(lastProgress.agoMs)} ago: ${lastProgress.text}`;
  return [
    { text: printable(vm, TEXT_MAX) },
    { text: state, style: CALM.has(state) ? 'green' : 'red' },
    { text: seconds(sinceMs) },
    { text: printable(progress, TEXT_MAX) },
    { text: ssh === null ? '-' : ssh.kind },
    { text: armed ?? '?' },
    { text: lastIncident ?? '-' },
  ];
}
