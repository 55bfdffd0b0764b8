/** Makes the accusation that a case carries from its first moment on, and puts its loss into words. */
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import type { Accusation, Loss } from './case/accusation.js';
import type { Said } from './slices/claims.js';
import { hangsSince } from './slices/command.js';
import { flappingSince, flapsText, type SshState } from './slices/ssh.js';
import type { GuestState } from './state.js';

const CHATTY_MS = 15_000;

/** What a case is opened for. */
export interface Reason {
  by: Accusation['by'];
  why: string[];
  complaint?: Said;
  note?: string | null;
  /** Since when it is wedged, where that is known better than by what it no longer does. */
  since?: Mono;
}

export function accuse(
  state: GuestState,
  { by, why, complaint, note, since: known }: Reason,
  at: Mono,
): Accusation {
  const { lastProgress, awaiting, test, heardAt } = state.console;
  const loss = lossOf(state, at);
  const since = known ?? (loss.of === 'news' ? (lastProgress?.at ?? at) : loss.since);
  return {
    by,
    why,
    complaint: complaint ?? null,
    note: note ?? null,
    chatty: at - (heardAt ?? -Infinity) < CHATTY_MS,
    suspectAt: at,
    wedgedSince: by === 'hand' ? null : Math.min(since, at),
    lastProgress,
    awaiting,
    test,
  };
}

/** What the guest no longer does now. */
export function lossOf(state: GuestState, at: Mono): Loss {
  const rarely = flappingSince(state.ssh);
  if (rarely !== null) return { of: 'answers', since: rarely };
  const hangs = hangsSince(state);
  if (hangs !== null) return { of: 'commands', since: hangs };
  const { lastOkAt, failures, last } = state.ssh;
  if (last?.kind === 'ok' && failures === 0) return { of: 'nothing', since: at };
  return lastOkAt === null ? { of: 'news', since: state.console.quietSince } : { of: 'ssh', since: lastOkAt };
}

export function lossText({ of, since }: Loss, ssh: SshState, at: Mono): string {
  switch (of) {
    case 'answers':
      return flapsText(ssh, at);
    case 'commands':
      return `commands over SSH have hung for ${seconds(at - since)}`;
    case 'ssh':
      return `SSH lost ${seconds(at - since)} ago`;
    case 'news':
      return `no news on the console for ${seconds(at - since)}`;
    case 'nothing':
      return 'SSH answers';
  }
}
