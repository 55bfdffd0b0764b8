import { printable } from '../../printable.js';
import type { AddressSpace, Kernel } from '../model.js';

const KERNEL_HALF = 0xff00000000000000n;
/** Error pointers lie above. */
const ERRORS = 0xfffffffffffff000n;
/** More than the image, and on x86-64 the modules behind it, take. */
const IMAGE_SPAN = 1n << 30n;

/** Whether a word may point at a structure of the kernel. */
export const isPointer = (word: bigint | null): word is bigint =>
  word !== null && word >= KERNEL_HALF && word < ERRORS && (word & 7n) === 0n;

/** Whether it lies in the kernel's image, where no object is that was allocated. */
export const inImage = ({ text }: Kernel, address: bigint): boolean =>
  address >= text.first && address < text.first + IMAGE_SPAN;

const TEXT_MAX = 256;

/** Single words and short texts of hostile memory. Null where it is not mapped. */
export class Words {
  private readonly word = new DataView(new ArrayBuffer(8));
  private readonly bytes = new Uint8Array(this.word.buffer);
  private readonly half = new Uint8Array(this.word.buffer, 0, 4);
  private readonly letters = new Uint8Array(TEXT_MAX);

  constructor(private readonly space: AddressSpace) {}

  u64(address: bigint): bigint | null {
    return this.space.read(address, this.bytes) ? this.word.getBigUint64(0, true) : null;
  }

  u32(address: bigint): number | null {
    return this.space.read(address, this.half) ? this.word.getUint32(0, true) : null;
  }

  /** The word at the address, if it may point at a structure. */
  pointer(address: bigint): bigint | null {
    const word = this.u64(address);
    return isPointer(word) ? word : null;
  }

  /** Fills the view from the address on. */
  fill(address: bigint, into: DataView): boolean {
    return this.space.read(address, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
  }

  /** A zero-terminated text, fit to be shown; `max` bytes of it at most. Null where it is empty or not mapped. */
  text(address: bigint, max: number): string | null {
    let length = 0;
    const limit = Math.min(max, TEXT_MAX);
    // A short text may end right before a page that is not mapped.
    while (length < limit) {
      const at = address + BigInt(length);
      const step = Math.min(limit - length, 32 - Number(at % 32n));
      const piece = this.letters.subarray(length, length + step);
      if (!this.space.read(at, piece)) break;
      const end = piece.indexOf(0);
      if (end >= 0) {
        length += end;
        break;
      }
      length += step;
    }
    return length === 0 ? null : printable(UTF8.decode(this.letters.subarray(0, length)), max);
  }
}

const UTF8 = new TextDecoder();
