import type { Frame } from '../model.js';

/**
 * Remembers what a pure function says of a stack. Equal stacks of a log are one array (core/dump/stack-pool.ts), which
 * nobody changes once its dump is read.
 */
export function perStack<Found>(
  find: (frames: readonly Frame[]) => Found,
): (frames: readonly Frame[]) => Found {
  const known = new WeakMap<readonly Frame[], { found: Found }>();
  return (frames) => {
    const kept = known.get(frames);
    if (kept) return kept.found;
    const found = find(frames);
    known.set(frames, { found });
    return found;
  };
}

/** The same for names of functions, of which a kernel has many, and a hostile guest without end. */
export function perSymbol<Found>(find: (symbol: string) => Found): (symbol: string) => Found {
  const known = new Map<string, { found: Found }>();
  return (symbol) => {
    const kept = known.get(symbol);
    if (kept) return kept.found;
    if (known.size >= SYMBOLS_MAX) known.clear();
    const found = find(symbol);
    known.set(symbol, { found });
    return found;
  };
}

const SYMBOLS_MAX = 4096;
