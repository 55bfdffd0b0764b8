/** A kernel repeats what it complains of, hung_task every two minutes: one hang is filed once. */
import type { Mono } from '../time.js';
import type { GuestState } from './state.js';

/** Longer than the kernel's own pauses between two reports of one hang. */
const REPEATED_MS = 10 * 60_000;
const KEPT = 100;

/** Its words without how long it has lasted by now. */
const keyOf = (text: string): string =>
  text.replace(/^\[ *\d+\.\d+\] */, '').replace(/\b\d+(?= ?(?:s|seconds|jiffies)\b)/g, '#');

/** To be called with each complaint that was filed. */
export function rememberComplaint(state: GuestState, text: string, at: Mono): void {
  state.complained = [...state.complained.slice(1 - KEPT), { key: keyOf(text), at }];
}

/** The kernel says again what was filed already, and has never stopped for long. */
export function isRepeated(state: GuestState, text: string, at: Mono): boolean {
  const key = keyOf(text);
  const known = state.complained.find((one) => one.key === key);
  if (known === undefined) return false;
  const repeated = at - known.at < REPEATED_MS;
  if (repeated) known.at = at;
  else state.complained = state.complained.filter((one) => one !== known);
  return repeated;
}
