/** The fields that say which entry it is and when it was logged. */
import type { Mono } from '../time.js';

export interface EntryHead {
  /** journald's own name for the entry; opaque. */
  cursor: string;
  /** Wall clock, milliseconds since 1970 with a fraction. */
  realtimeMs: number;
  /** Comparable only within one boot of the host. */
  monotonicMs: Mono;
  bootId: string;
}

/**
 * Reads what journalctl puts first, in its usual order or another, into the entry; returns where the first field is
 * that is none of these. One may still come behind it.
 */
export function readHead(entry: EntryHead, text: string): number {
  let at = 0;
  for (;;) {
    const newline = text.indexOf('\n', at);
    if (text.startsWith('__CURSOR=', at)) entry.cursor = text.slice(at + 9, newline);
    else if (text.startsWith('__REALTIME_TIMESTAMP=', at))
      entry.realtimeMs = microseconds(text, at + 21, newline) / 1000;
    else if (text.startsWith('__MONOTONIC_TIMESTAMP=', at))
      entry.monotonicMs = microseconds(text, at + 22, newline) / 1000;
    else if (text.startsWith('_BOOT_ID=', at)) entry.bootId = text.slice(at + 9, newline);
    else if (!text.startsWith('__', at)) return at;
    at = newline + 1;
  }
}

/** Without these an entry cannot be placed: to drop it in silence would be to see nothing, and not to know it. */
export function missingIn({ cursor, realtimeMs, monotonicMs, bootId }: EntryHead): string | null {
  if (cursor === '') return '__CURSOR';
  if (Number.isNaN(realtimeMs)) return '__REALTIME_TIMESTAMP';
  if (Number.isNaN(monotonicMs)) return '__MONOTONIC_TIMESTAMP';
  return bootId === '' ? '_BOOT_ID' : null;
}

/** Reads a field that is about the entry into it; false for one that others may share. */
export function readHeadField(entry: EntryHead, name: string, value: string): boolean {
  if (name === '__CURSOR') entry.cursor = value;
  else if (name === '__REALTIME_TIMESTAMP') entry.realtimeMs = microseconds(value, 0, value.length) / 1000;
  else if (name === '__MONOTONIC_TIMESTAMP') entry.monotonicMs = microseconds(value, 0, value.length) / 1000;
  else if (name === '_BOOT_ID') entry.bootId = value;
  else return name.startsWith('__');
  return true;
}

/** `Number` of a slice makes a string first. NaN where there is anything but digits. */
function microseconds(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
