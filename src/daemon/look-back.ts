/** Finds out whether a console that says nothing now has ever been read. */
import type { FollowedEntry } from '../io/journal.js';
import { newestLine } from '../io/journal-newest.js';
import type { Guest } from './guest.js';

/**
 * Once for each guest, when the journal is read up to now: one that has been silent since before what is replayed at a
 * start has its last line delivered, as context. Returns at once.
 */
export function lookBack(guest: Guest, deliver: (entry: FollowedEntry) => void): void {
  const { reading, settings, stopping } = guest;
  const { console, unit } = settings;
  if (reading.lookedBack !== 'no') return;
  const needless = reading.rows > 0 || console.kind === 'file';
  reading.lookedBack = needless ? 'yes' : 'under way';
  if (needless) return;
  const uid = process.getuid?.() ?? 0;
  void newestLine({ uid, unit, signal: stopping.signal }).then(({ entry, problem }) => {
    if (stopping.signal.aborted) return;
    if (problem !== null) guest.log('warning', `its last line could not be looked for: ${problem}`);
    if (entry !== null && reading.rows === 0) deliver({ ...entry, replayed: true });
    reading.lookedBack = 'yes';
  });
}
