/**
 * Where the ORC tables lie in an image without data symbols: a long run of ascending places in it, each told relative to
 * its own word; the entries follow directly, six bytes each. arch/x86/include/asm/orc_types.h.
 */
import type { Image } from './image.js';

/** A word that points this near is of another table; a zero points at itself. */
const near = 0x1_0000;
const sampled = 32;
const stride = 1024;
/** The table begins where the text does. */
const firstWithin = 0x1_0000;
const fewestEntries = 10_000;
const entrySize = 6;

/** `text` and `data`: where text begins and ends in the image, in bytes. Null where there are none. */
export function orcIn({ first, words, bytes }: Image, text: number, data: number): [string, bigint][] | null {
  const target = (word: number): number => word * 4 + (words[word] ?? 0);
  const isEntry = (word: number): boolean => {
    const value = words[word] ?? 0;
    const place = word * 4 + value;
    return (value < -near || value > near) && place >= text && place < bytes.length;
  };
  const follows = (word: number): boolean => isEntry(word) && target(word) >= target(word - 1);
  let best = { from: 0, to: 0 };
  for (let word = data >> 2; word + sampled < words.length; word += stride) {
    if (!isEntry(word)) continue;
    let run = 1;
    while (run < sampled && follows(word + run)) run += 1;
    if (run < sampled) continue;
    let from = word;
    while (from > 0 && isEntry(from - 1) && target(from - 1) <= target(from)) from -= 1;
    let to = word + sampled;
    while (to < words.length && follows(to)) to += 1;
    if (to - from > best.to - best.from && target(from) - text < firstWithin) best = { from, to };
    word = Math.max(word, to - stride);
  }
  const count = best.to - best.from;
  if (count < fewestEntries || best.to * 4 + count * entrySize > bytes.length) return null;
  const end = first + BigInt(best.to * 4);
  return [
    ['__start_orc_unwind_ip', first + BigInt(best.from * 4)],
    ['__stop_orc_unwind_ip', end],
    ['__start_orc_unwind', end],
  ];
}
