/** Little-endian words of guest memory. */
import type { AddressSpace } from './model.js';

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

  /** A clock or counter: exact below 2^53, which nanoseconds reach after 104 days, and then right to a few of them. */
  counter(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000;
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

export function readPointer(space: AddressSpace, va: bigint): bigint | null {
  return readWords(space, va, 8)?.u64(0) ?? null;
}

/** An address of the upper half, where the kernel is. */
export const isKernelAddress = (va: bigint): boolean => va >= 0xff00_0000_0000_0000n;
