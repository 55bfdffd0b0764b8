/** A log that is read again and again. */

/** Lines carry their time: so much of it is found at one place only. */
const TAIL = 4_096;

/**
 * What `now` says that `before` did not. A record that grew is told again, whole. `gap`: nothing of the end of `before` is
 * there any more, as after a flood or a boot, and all of `now` is told.
 */
export function addedLines(before: string, now: string): { text: string; gap: boolean } {
  if (before === '') return { text: now, gap: false };
  const last = before.lastIndexOf('\n', before.length - 2) + 1;
  // As it was, with a last record that grew, and where little is left of it.
  for (const [from, end] of [
    [before.length - TAIL, before.length],
    [last - TAIL, last],
    [last, before.length],
  ] as const) {
    const tail = before.slice(Math.max(0, from), end);
    const at = tail === '' ? -1 : now.lastIndexOf(tail);
    if (at >= 0) return { text: now.slice(at + tail.length), gap: false };
  }
  return { text: now, gap: true };
}
