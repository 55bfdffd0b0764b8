import type { Builds } from './model.js';

/** Symbols, types and unwind tables of some eight builds. */
const keptAtMost = 24;

const wordsOf = (bytes: Uint8Array): Int32Array | null =>
  bytes.byteOffset % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : null;

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const [left, right] = [wordsOf(a), wordsOf(b)];
  let at = 0;
  if (left !== null && right !== null) {
    for (let word = 0; word < left.length; word += 1) if (left[word] !== right[word]) return false;
    at = left.length * 4;
  }
  for (; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

interface Kept {
  make: unknown;
  parts: readonly Uint8Array[];
  made: unknown;
}

/** The least recently asked-for goes first. */
export function createBuilds(): Builds {
  const kept: Kept[] = [];
  return {
    share<T>(make: (parts: readonly Uint8Array[]) => T, parts: readonly Uint8Array[]): T {
      const isSame = (one: Kept): boolean =>
        one.make === make &&
        one.parts.length === parts.length &&
        one.parts.every((part, index) => equal(part, parts[index] ?? new Uint8Array()));
      const at = kept.findIndex(isSame);
      const [known] = at < 0 ? [] : kept.splice(at, 1);
      const made = known ?? { make, parts, made: make(parts) };
      kept.push(made);
      if (kept.length > keptAtMost) kept.shift();
      return made.made as T;
    },
  };
}
