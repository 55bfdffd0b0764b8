/** When a guest's memory is read: at the first signs that something is wrong, and now and then while nothing is. */
import type { Context } from './context.js';
import { isRead, STANDS_SECONDS, takeSample, takeSnapshot } from './slices/memory.js';
import { owesBanner } from './slices/ssh.js';
import type { GuestState } from './state.js';
import type { StateName } from './state-name.js';

/** A healthy server greets within milliseconds. Less than the time between two ticks, so that it is the next one. */
const LATE_MS = 400;
/** One that takes longer, far away or behind a proxy, is given twice what it took last, up to this. */
const LATE_MAX_MS = 1_000;
/** Two snapshots that show what stands are so far apart. */
export const APART_MS = 900;
/** By then the guest is suspected, or SSH alone is lost. */
const SIGNS_MS = 15_000;
const SILENCES_APART_MS = 10_000;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

const NOT_READ: ReadonlySet<StateName> = new Set(['gone', 'paused', 'panicked', 'qemu-stuck', 'held']);

export function memoryTick(context: Context): void {
  const { state, at, effects } = context;
  if (state.case !== null || NOT_READ.has(state.name)) return;
  if (isLate(state, at)) {
    if (!takeSnapshot(state.memory, at, APART_MS)) return;
    effects.push({ type: 'snapshot', keep: false });
    // Whether anything moves meanwhile.
    if (isRead(state.memory)) effects.push({ type: 'look' });
  } else if (fallsSilent(context)) {
    if (takeSnapshot(state.memory, at, SILENCES_APART_MS)) effects.push({ type: 'snapshot', keep: false });
  } else if (takeSample(state.memory, at, phaseOf(state.vm))) {
    effects.push({ type: 'sample', seconds: STANDS_SECONDS });
    if (state.memory.watched.length > 0) effects.push({ type: 'look' });
  }
}

/** Its SSH owes a banner, or was refused. */
function isLate({ ssh }: GuestState, at: number): boolean {
  const since = owesBanner(ssh);
  if (since === null || at - since >= SIGNS_MS) return false;
  return ssh.failures > 0 || at - since >= lateAfter(ssh);
}

function lateAfter({ last }: GuestState['ssh']): number {
  const took = last?.kind === 'ok' ? last.tookMs : 0;
  return Math.min(Math.max(LATE_MS, 2 * took), LATE_MAX_MS);
}

/** Its console has had news, and none for half the time that makes it suspect. */
function fallsSilent({ state: { console, memory }, settings, at }: Context): boolean {
  const begins = console.quietSince + settings.detect.silence / 2;
  if (console.lastProgress === null || at < begins) return false;
  return (memory.snapshot.askedAt ?? -Infinity) < begins && at - begins < SIGNS_MS;
}

/** From the name, so that a host's guests are sampled one after the other, those with consecutive names too. */
function phaseOf(vm: string): number {
  let hash = 0;
  for (const char of vm) hash = Math.imul(hash, 31) + (char.codePointAt(0) ?? 0);
  // Multiples of it spread evenly over the circle.
  return (((hash % 1_000_000) + 1_000_000) * GOLDEN_RATIO) % 1;
}
