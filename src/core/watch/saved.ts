/** A guest's state as an incident's timeline keeps it, of this version or of the one before. */
import { Progress } from '../console/progress.js';
import type { SavedConsole } from './slices/console.js';
import { type GuestState, initialState } from './state.js';

export type SavedState = Omit<GuestState, 'console'> & { console: SavedConsole };

/** Members that a state of an earlier version lacks get their first value. */
export function reviveState(saved: SavedState): GuestState {
  const fresh = initialState(saved.vm, saved.since);
  const slices = isFlat(saved) ? inSlices(saved) : saved;
  const merged = Object.fromEntries(
    Object.entries(fresh).map(([name, first]) => [name, withFirst(first, slices[name as keyof SavedState])]),
  ) as unknown as GuestState;
  if (merged.case !== null) merged.case = { ...merged.case, memory: merged.case.memory ?? null };
  return { ...merged, console: { ...merged.console, progress: new Progress(slices.console.progress) } };
}

/** `saved`, or for each member that it lacks the first value. */
function withFirst(first: unknown, saved: unknown): unknown {
  if (saved === undefined) return first;
  const isSlice = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return isSlice(first) && isSlice(saved) ? Object.assign({}, first, known(saved as object)) : saved;
}

const known = (members: object): object =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Schema version 1: slices but for the console and SSH lay side by side. A case under way cannot be taken over. */
interface FlatState extends Record<string, unknown> {
  ssh: { command?: unknown };
}

const isFlat = (saved: object): saved is FlatState => 'notBefore' in saved;

function inSlices(flat: FlatState): SavedState {
  const { ssh, boot: sign, machine, invocation, phase, identity, learned, learnedFor, ...others } = flat;
  const { facts, arming, lastTickAt, lastWallMs, host, seen, filed, looks, ...more } = others;
  const { notBefore, cooldownMs, patience, doubted, judged, lastIncident, incident, ...last } = more;
  const { complained, filedFor, ...rest } = last;
  if (rest['case'] !== null)
    Object.assign(rest, {
      name: 'unknown',
      why: ['its record begins in the middle of a case of an earlier version'],
    });
  const { command, ...probes } = ssh;
  return {
    ...rest,
    ssh: probes,
    command,
    boot: { invocation, sign, phase },
    qemu: { machine: machine ?? null, asked: identity, learned, learnedFor },
    arming: { facts, ...(arming as object) },
    host: { lastTickAt, lastWallMs, now: host },
    looks: seen,
    case: null,
    restraint: { looks, filed, notBefore, cooldownMs, patience, stood: doubted, judged },
    filings: { newest: lastIncident, incident, complained, filedFor },
  } as unknown as SavedState;
}
