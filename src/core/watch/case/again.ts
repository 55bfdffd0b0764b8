/** Whether a dump with holes is asked for once more, and what the console's own behaviour says of the holes. */
import type { KeptDump } from '../../capture/series.js';
import type { Reading } from '../analyst.js';
import { counted, seconds } from '../../words.js';

/** Records fell out because others printed at the same time, or because the console was slow: soon it is quieter. */
const LOSSY_MS = 1_000;
/** journald's rate limit counts anew after 30 s (RateLimitIntervalSec=); only then a dump can come whole. */
const SUPPRESSED_MS = 31_000;
/** Its smallest burst (RateLimitBurst=): a longer dump would be cut again. */
const BURST = 10_000;
/** A guest that prints its dump does not pause for so long. */
const PAUSE_MS = 2_000;

/**
 * Milliseconds until the same dump should be asked for once more; null where a second one would not be better, or it
 * was the second.
 */
export function againAfter(kept: KeptDump, reading: Reading | null, fromJournal: boolean): number | null {
  if (kept.attempts !== undefined || reading === null) return null;
  if (kept.endedBy === 'fence') return reading.lossy ? LOSSY_MS : null;
  // The second dump of blocked tasks comes anyway; t is worth the wait.
  const brokeOff = kept.endedBy === 'silence' && reading.tasks > 0 && kept.name === 'sysrq-t';
  return brokeOff && fromJournal && kept.lines.length < BURST ? SUPPRESSED_MS : null;
}

/** One file for both attempts; the borders and the end are those of the better one. */
export function joined(first: KeptDump, second: KeptDump): KeptDump {
  const better = second.endedBy === 'fence' || first.endedBy !== 'fence' ? second : first;
  return { ...better, lines: [...first.lines, ...second.lines], attempts: 2 };
}

/**
 * What journald's rate limit left out can only be inferred: its note stands in the system's journal, which the user may
 * not read. Null where nothing points to it.
 */
export function suppression(
  { name, endedBy, lines, longestPauseMs = 0 }: KeptDump,
  lossy: boolean,
): string | null {
  const limit = "journald's rate limit is likely, which all guests of a user share: see doctor";
  if (endedBy === 'silence')
    return `${name}: the console broke off after ${counted(lines.length, 'line')}: ${limit}`;
  if (!lossy || longestPauseMs < PAUSE_MS) return null;
  return `${name}: no line for ${seconds(longestPauseMs)} in its middle: ${limit}`;
}
