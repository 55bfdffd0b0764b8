/**
 * Whose guest this is: the QEMU behind it, asked for at its discovery and at each start, and the key under which its
 * boots are learned. Names of VMs may be new for each run; a kernel and a machine come again.
 */
import type { Machine } from '../host/machine.js';
import type { Look } from '../model.js';
import type { Mono } from '../time.js';
import type { Context } from './case.js';
import type { Learned } from './quiet.js';
import type { GuestState } from './state.js';

export interface Identity {
  inFlight: boolean;
  /** A new QEMU was started while the question was out: the answer is of the old one. */
  stale: boolean;
  nextAt: Mono;
  /** After an answer that found nobody. */
  pauseMs: number;
}

const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 60_000;

export const UNIDENTIFIED: Identity = {
  inFlight: false,
  stale: false,
  nextAt: 0,
  pauseMs: FIRST_PAUSE_MS,
};

/** Asks for its QEMU, where that is not known and it is time. */
export function identifyTick({ state, at, effects }: Context): void {
  const { identity } = state;
  if (state.machine !== null || identity.inFlight || at < identity.nextAt) return;
  state.identity = { ...identity, inFlight: true };
  effects.push({ type: 'identify' });
}

/** Its QEMU has ended, or another one was started. */
export function forgetMachine({ state }: Context): void {
  const { inFlight } = state.identity;
  state.machine = null;
  state.identity = { ...UNIDENTIFIED, inFlight, stale: inFlight };
}

export function onMachine(context: Context, machine: Machine | null): void {
  const { state, at } = context;
  const { stale, pauseMs } = state.identity;
  if (stale || machine === null) {
    const pause = stale ? 0 : pauseMs;
    const next = stale ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, MAX_PAUSE_MS);
    state.identity = { inFlight: false, stale: false, nextAt: at + pause, pauseMs: next };
    return;
  }
  state.machine = machine;
  state.identity = UNIDENTIFIED;
  recall(context);
}

/** A look that finds another QEMU: its start was not seen. */
export function checkMachine({ state }: Context, { qemu }: Look): void {
  if (state.machine !== null && qemu !== null && qemu.pid !== state.machine.pid) state.machine = null;
}

/** Asks what is known of such boots, once kernel and machine are. `again`: though it was asked for before. */
export function recall({ state, effects }: Context, { again = false } = {}): void {
  const key = keyOf(state);
  if (key === state.learnedFor && !again) return;
  if (key !== state.learnedFor) state.learned = {};
  state.learnedFor = key;
  if (key !== null) effects.push({ type: 'recall', key });
}

export function onRecalled({ state }: Context, key: string, learned: Learned): void {
  if (key === state.learnedFor) state.learned = learned;
}

function keyOf({ machine, console }: GuestState): string | null {
  const release = machine?.release ?? console.release;
  return machine === null || release === null ? null : `${release} on ${machine.model}`;
}
