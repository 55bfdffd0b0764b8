/** Finds out whether a console that says nothing now has ever been read. */
import type { FollowedEntry } from '../io/journal.js';
import { newestLine } from '../io/journal-newest.js';
import type { Guest } from './guest.js';

/**
 * Once per guest, when the journal is read up to now: if the guest has been silent since before the replayed minutes, its
 * last line is delivered as context. Returns at once.
 */
export function lookBack(guest: Guest, deliver: (entry: FollowedEntry) => void): void {
  const { reading, settings, stopping } = guest;
  const { console, unit } = settings;
  if (reading.lookedBack !== 'no') return;
  const needless = reading.rows > 0 || console.kind === 'file';
  reading.lookedBack = needless ? 'yes' : 'under way';
  if (needless) return;
  const found = newestLine({ unit, signal: stopping.signal }).then(({ entry, problem }) => {
    if (stopping.signal.aborted) return;
    if (problem !== null) guest.log('warning', `could not look up its last line: ${problem}`);
    if (entry !== null && reading.rows === 0) deliver({ ...entry, replayed: true });
    reading.lookedBack = 'yes';
  });
  found.catch((error: unknown) => guest.log('warning', `could not look up its last line: ${String(error)}`));
}
