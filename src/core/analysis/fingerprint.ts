import type { VerdictClass } from '../model.js';

/** Raised when the algorithm changes, so that old incidents are not compared with new ones. */
export const FINGERPRINT_VERSION = 2;

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** FNV-1a, 64 bits, over UTF-16 code units; http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): string {
  let hash = OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * PRIME) & MASK;
  }
  return hash.toString(16).padStart(16, '0');
}

/** A kernel message without what differs from hang to hang: addresses, numbers. */
export function normalise(message: string): string {
  return message.replace(/0x[0-9a-f]+|\b[0-9a-f]{8,16}\b/gi, 'ADDR').replace(/\d+/g, 'N');
}

/**
 * Equal for hangs of the same kind in the same place: the class, how the kernel was entered, and the names of the
 * culprit's functions. No addresses, offsets, pids or times go in. Stable within a FINGERPRINT_VERSION.
 */
export function fingerprint(kind: VerdictClass, parts: readonly string[]): string {
  return fnv1a([kind, ...parts].join('\n'));
}
