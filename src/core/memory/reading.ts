/** Reads of single values. Guests are little-endian, and so is every host that runs them here. */
import type { AddressSpace } from './model.js';

const high = 0x1_0000_0000;
const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A counter or a clock of eight bytes; exact up to 2^53: 104 days of nanoseconds. */
export const counterAt = (view: DataView, offset: number): number =>
  view.getUint32(offset, true) + view.getUint32(offset + 4, true) * high;

/** The text up to its zero, of at most `limit` bytes; each byte a character. */
export function textAt(bytes: Uint8Array, offset: number, limit: number): string {
  const end = Math.min(bytes.length, offset + limit);
  let text = '';
  for (let at = offset; at < end && bytes[at] !== 0; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

export function u32(space: AddressSpace, va: bigint): number | null {
  return space.read(va, scratch.subarray(0, 4)) ? scratchView.getUint32(0, true) : null;
}

export function u64(space: AddressSpace, va: bigint): bigint | null {
  return space.read(va, scratch) ? scratchView.getBigUint64(0, true) : null;
}

export function counter(space: AddressSpace, va: bigint): number | null {
  return space.read(va, scratch) ? counterAt(scratchView, 0) : null;
}

/** `length` bytes; null where they cannot be read, or are more than `limit`: a guest's own word for a size. */
export function bytesOf(space: AddressSpace, va: bigint, length: number, limit: number): Uint8Array | null {
  if (!(length > 0 && length <= limit)) return null;
  const into = new Uint8Array(length);
  return space.read(va, into) ? into : null;
}

/** The text at an address, read page by page: what follows it need not be mapped. Null where it begins nowhere. */
export function textOf(space: AddressSpace, va: bigint, limit = 64): string | null {
  let text = '';
  while (text.length < limit) {
    const length = Math.min(limit - text.length, 4096 - Number(va & 0xfffn));
    const piece = new Uint8Array(length);
    if (!space.read(va, piece)) return text === '' ? null : text;
    const part = textAt(piece, 0, length);
    text += part;
    if (part.length < length) break;
    va += BigInt(length);
  }
  return text;
}
