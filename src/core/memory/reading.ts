/** Little-endian values of guest memory. Guests are little-endian, and so is every host that runs them here. */
import type { AddressSpace } from './model.js';

const high = 0x1_0000_0000;
const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A counter or a clock of eight bytes; exact up to 2^53: 104 days of nanoseconds. */
export const counterAt = (view: DataView, offset: number): number =>
  view.getUint32(offset, true) + view.getUint32(offset + 4, true) * high;

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
    text += stringAt(piece, 0, length);
    if (piece.includes(0)) break;
    va += BigInt(length);
  }
  return text;
}

/** A buffer to read into, and its words. Offsets are the caller's: they are checked where a layout is made. */
export class Words {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  counter(at: number): number {
    return counterAt(this.view, at);
  }

  /** An unsigned integer of one, two, four or eight bytes. */
  integer(at: number, size: number): number {
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.u16(at);
    return size === 8 ? this.counter(at) : this.u32(at);
  }

  /** Up to the first NUL, at most `max` bytes. */
  string(at: number, max: number): string {
    return stringAt(this.bytes, at, max);
  }
}

const utf8 = new TextDecoder();

/** Up to the first NUL, at most `max` bytes; what is no UTF-8 becomes U+FFFD. */
export function stringAt(bytes: Uint8Array, at: number, max: number): string {
  const end = Math.min(at + max, bytes.length);
  let text = '';
  for (let i = at; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0) return text;
    if (byte >= 0x80) {
      const stop = bytes.subarray(at, end).indexOf(0);
      return utf8.decode(bytes.subarray(at, stop < 0 ? end : at + stop));
    }
    text += String.fromCharCode(byte);
  }
  return text;
}

/** `length` bytes from the address on, or null. The caller bounds the length. */
export function readWords(space: AddressSpace, va: bigint, length: number): Words | null {
  const words = new Words(length);
  return space.read(va, words.bytes) ? words : null;
}

/** An address of the upper half, where the kernel is. */
export const isKernelAddress = (va: bigint): boolean => va >= 0xff00_0000_0000_0000n;
