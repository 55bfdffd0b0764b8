/** What the verbs share that read a running guest's memory. No daemon is needed, and nothing is pressed. */
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import type { Closed, SnapshotAnswer, SnapshotTaken } from '../core/memory/answers.js';
import { printable } from '../core/printable.js';
import { knownGuests, noGuest } from '../daemon/known-guests.js';
import { SWITCHED_OFF } from '../daemon/memory-reader.js';
import { ProcessMemoryReader } from '../daemon/process-memory-reader.js';
import { qmpDirectory } from '../io/paths.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import type { Terminal } from './print.js';

/** A cold reader on a busy host needs a second or two; 5,000 tasks some more. */
const SNAPSHOT_MS = 30_000;

export type Snapshots = () => Promise<SnapshotAnswer>;

/** Runs a verb with snapshots of one guest. Returns its code, 3 for a guest that is not there. */
export async function withGuestMemory(
  vm: string,
  globals: Globals,
  verb: (take: Snapshots) => Promise<number>,
): Promise<number> {
  return withConfig(globals, async (config) => {
    const known = await knownGuests(config);
    if (known.includes(vm)) return ofGuest(config, vm, verb);
    globals.terminal.err(`wedgewatch: ${printable(noGuest(vm, known), 400)}\n`);
    return EXIT.noMatch;
  });
}

/** The same where the guest is known to be one. */
export async function ofGuest(
  config: Config,
  vm: string,
  verb: (take: Snapshots) => Promise<number>,
): Promise<number> {
  const settings = guestSettings(config, vm, { qmpDirectory: qmpDirectory() });
  if (settings.memory === 'off') return verb(() => Promise.resolve(SWITCHED_OFF));
  const reader = new ProcessMemoryReader();
  try {
    const target = { vm, qmpSocket: settings.qmpSocket, pid: null };
    return await verb(() => reader.snapshot(target, SNAPSHOT_MS));
  } finally {
    reader.close();
  }
}

/** Says why the memory cannot be read. @returns 5 */
export function tellClosed({ err }: Terminal, vm: string, { why, fix }: Closed): number {
  err(`wedgewatch: the memory of ${printable(vm, 200)} cannot be read: ${printable(why, 400)}\n`);
  if (fix !== null) err(`  to read it: ${printable(fix, 400)}\n`);
  return EXIT.environment;
}

/** Says what is missing of a snapshot. @returns 4 where something is, else 0 */
export function tellDoubts({ err }: Terminal, { dump, instead }: SnapshotTaken): number {
  if (dump.complete) return EXIT.ok;
  err(`wedgewatch: the snapshot is incomplete: ${printable(dump.incompleteBecause.join('; '), 400)}\n`);
  if (instead !== undefined) {
    err(`  it was read so because ${printable(instead.why, 400)}\n`);
    if (instead.fix !== null) err(`  to read it whole: ${printable(instead.fix, 400)}\n`);
  }
  return EXIT.incomplete;
}
