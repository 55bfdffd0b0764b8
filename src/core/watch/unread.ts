/** A guest of whose console not one line was read: the host sees nothing of it, and accuses it of nothing for that. */
import type { Mono } from '../time.js';
import type { Context } from './case.js';
import { disturbed } from './phase.js';
import type { GuestState } from './state.js';

/** Why the host reads nothing, and what mends it. */
export interface Unread {
  why: string;
  fix: string;
}

/** A firmware prints within a second; a kernel, on a busy host, later. */
const GRACE_MS = 20_000;

/** Takes over what the tick says; where nothing is read for long, silence says nothing of the guest. */
export function noteUnread({ state, at }: Context, unread: Unread | undefined): void {
  const { console } = state;
  console.unread = unread === undefined ? null : { ...unread, since: console.unread?.since ?? at };
  // A boot that has not said its first word yet is a boot like any other.
  if (blindness(state, at) === null) return;
  console.quietSince = at;
  disturbed(state);
}

/** Why nothing can be seen of the guest, once that has lasted; else null. */
export function blindness({ console: { unread } }: GuestState, at: Mono): Unread | null {
  return unread !== null && at - unread.since >= GRACE_MS ? unread : null;
}

/** In one phrase that blames nobody. */
export const unreadText = ({ why }: Unread): string =>
  `not one line of its console was read in this boot: ${why}`;
