/** The small JSON file that tells the state of one guest to programs which reach no socket. */
import { z } from 'zod';
import type { GuestSettings } from '../config/schema.js';
import { printable } from '../printable.js';
import type { Mono } from '../time.js';
import { armed } from './slices/armed.js';
import { assess, type GuestClass } from './assess.js';
import type { GuestState } from './state.js';

/** Times are ISO, UTC. Members may be added, never renamed. */
export interface StateFile {
  schemaVersion: 1;
  /** Who writes it: `wedgewatch 0.1.0`. */
  writer: string;
  vm: string;
  unit: string;
  /** False: the daemon has ended, and the rest is as it was then. */
  watched: boolean;
  /** It is written again at least every 30 s. */
  updatedAt: string;
  state: string;
  since: string;
  class: GuestClass;
  why: string;
  phase: string;
  /** Release of its kernel; null where neither its console nor QEMU's arguments told. */
  kernel: string | null;
  /** The test that began last. */
  test: { name: string; since: string } | null;
  /** `yes`, `no:` and the gap, null where nothing is known yet. */
  armed: string | null;
  /** Its newest hang; it stays when the guest recovers. */
  incident: ShownIncident | null;
}

const shownIncident = z.object({
  id: z.string(),
  /** Its directory on this host. */
  path: z.string(),
  verdict: z.string(),
  class: z.string(),
  /** False: the evidence is incomplete. */
  complete: z.boolean(),
  startedAt: z.string(),
});

export type ShownIncident = z.output<typeof shownIncident>;

const written = z.object({ writer: z.string(), vm: z.string(), incident: z.unknown().optional() });

/** What an earlier run wrote of whom; null for what wedgewatch did not write. */
export function readStateFile(text: string): { vm: string; incident: ShownIncident | null } | null {
  const file = written.safeParse(parsed(text));
  if (!file.success || !file.data.writer.startsWith('wedgewatch ')) return null;
  return { vm: file.data.vm, incident: shownIncident.safeParse(file.data.incident).data ?? null };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a file says of the guest itself. Times are still those of the monotonic clock, so that equal ones compare equal. */
export interface Shown extends Pick<
  StateFile,
  'vm' | 'unit' | 'state' | 'class' | 'why' | 'phase' | 'kernel' | 'armed' | 'incident'
> {
  since: Mono;
  test: { name: string; since: Mono } | null;
}

const TEXT_MAX = 400;

export function shownOf(
  state: GuestState,
  settings: GuestSettings,
  incident: ShownIncident | null,
  at: Mono,
): Shown {
  const { test, release } = state.console;
  return {
    ...{ vm: state.vm, unit: settings.unit, state: state.name, since: state.since },
    class: assess(state, settings, at).class,
    why: printable(state.why.join('; '), TEXT_MAX),
    phase: state.boot.phase.name,
    kernel: release ?? state.qemu.machine?.release ?? null,
    test: test && { name: printable(test.name, TEXT_MAX), since: test.at },
    armed: armed(state.arming)?.says ?? null,
    incident,
  };
}

interface Written {
  writer: string;
  watched: boolean;
  updatedAt: string;
  iso: (at: Mono) => string;
}

/** Small members first: `head` shows what matters. */
export function stateFile(shown: Shown, { writer, watched, updatedAt, iso }: Written): StateFile {
  const { vm, unit, since, state, test, ...rest } = shown;
  return {
    ...{ schemaVersion: 1, writer, vm, unit, watched, updatedAt, state, since: iso(since) },
    ...rest,
    test: test && { name: test.name, since: iso(test.since) },
  };
}
