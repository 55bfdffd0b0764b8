import type { Mono } from '../core/time.js';

/** Now, on the clock that journald stamps entries with. */
export function monotonicMs(): Mono {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** The wall clock's ISO time of a moment on the monotonic clock, as the clocks stand to each other now. */
export function isoAt(at: Mono): string {
  return new Date(Date.now() - (monotonicMs() - at)).toISOString();
}
