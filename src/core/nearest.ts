/** What somebody who mistyped a name most likely meant. */
import { closest, distance } from 'fastest-levenshtein';

const WORD_MAX = 100;

/**
 * The nearest of the names in spelling, or null if none is near. Case, `-` and `_` make no difference; beyond that, one
 * letter in three may differ, or the letters may stand in another order.
 */
export function nearest(word: string, names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const wanted = plain(word.slice(0, WORD_MAX));
  const best = closest(wanted, names.map(plain));
  const near = distance(wanted, best) <= Math.max(1, wanted.length / 3) ? best : null;
  const letters = sorted(wanted);
  const found = names.find((name) =>
    near === null ? sorted(plain(name)) === letters : plain(name) === near,
  );
  return found ?? null;
}

/** As `nearest`, in the words of a message: `; did you mean debian?`, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return near === null ? '' : `; did you mean ${near}?`;
}

const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');

const sorted = (text: string): string => Array.from(text).sort().join('');
