/** Why a guest is accused, known as soon as its capture begins. Times on the host's monotonic clock. */
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import { commandHangsSince } from './command.js';
import { flappingSince, flapsText } from './flapping.js';
import type { GuestState } from './state.js';

export interface Grounds {
  why: string[];
  /** The last good SSH, or the first suspicion where SSH never answered. Null where nobody says that it is wedged. */
  wedgedSince: Mono | null;
  suspectAt: Mono;
  lastProgress: { at: Mono; text: string } | null;
  awaiting: string | null;
  /** The test that was running. */
  test: { at: Mono; name: string } | null;
  /** The words of whoever asked for a capture by hand. */
  note: string | null;
}

export function groundsOf(state: GuestState, at: Mono): Grounds {
  const suspectAt = state.case?.startedAt ?? at;
  const { lastProgress, awaiting, test } = state.console;
  return {
    why: state.case?.why ?? state.why,
    wedgedSince:
      state.case?.manual === true
        ? null
        : Math.min(lostSince(state) ?? lastProgress?.at ?? suspectAt, suspectAt),
    suspectAt,
    lastProgress,
    awaiting,
    test,
    note: state.case?.note ?? null,
  };
}

/** The last good SSH; the first that failed, where it answers now and then; the start of the first command that hangs since. */
const lostSince = (state: GuestState): Mono | null =>
  flappingSince(state) ?? commandHangsSince(state) ?? state.ssh.lastOkAt;

/** What the guest no longer does, in words. */
export function lost(state: GuestState, at: Mono): string {
  const { ssh, console } = state;
  if (flappingSince(state) !== null) return flapsText(state, at);
  const hangs = commandHangsSince(state);
  if (hangs !== null) return `commands over SSH hang since ${seconds(at - hangs)}`;
  if (ssh.lastOkAt !== null) return `SSH lost ${seconds(at - ssh.lastOkAt)} ago`;
  return `no news on the console for ${seconds(at - console.quietSince)}`;
}
