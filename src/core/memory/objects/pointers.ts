import { printable } from '../../printable.js';
import type { AddressSpace, Kernel } from '../model.js';
import { isKernelAddress, counter, stringAt, u32, u64 } from '../reading.js';

/** Error pointers lie above. */
const ERRORS = 0xfffffffffffff000n;
/** More than the image, and on x86-64 the modules behind it, take. */
const IMAGE_SPAN = 1n << 30n;

/** Whether a word may point at a structure of the kernel. */
export const isPointer = (word: bigint | null): word is bigint =>
  word !== null && isKernelAddress(word) && word < ERRORS && (word & 7n) === 0n;

/** Whether it lies in the kernel's image, where no object is that was allocated. */
export const inImage = ({ text }: Kernel, address: bigint): boolean =>
  address >= text.first && address < text.first + IMAGE_SPAN;

const TEXT_MAX = 256;
/** A text may end right before a page that is not mapped. */
const PIECE = 64;

/** Of one snapshot, two seconds' worth: ten thousand tasks that wait need less. */
const READS_MAX = 500_000;

/** Follows pointers of hostile memory. Null where they lead nowhere, and once there were too many. */
export class Pointers {
  private readonly letters = new Uint8Array(TEXT_MAX);
  private left = READS_MAX;
  private readonly space: AddressSpace;

  constructor(space: AddressSpace) {
    this.space = {
      translate: (va) => space.translate(va),
      forget: () => space.forget(),
      read: (va, into) => this.left > 0 && (this.left -= 1) >= 0 && space.read(va, into),
    };
  }

  /** Whatever is asked from now on is not read. */
  get exhausted(): boolean {
    return this.left === 0;
  }

  u64(address: bigint): bigint | null {
    return u64(this.space, address);
  }

  u32(address: bigint): number | null {
    return u32(this.space, address);
  }

  counter(address: bigint): number | null {
    return counter(this.space, address);
  }

  /** The word at the address, if it may point at a structure. */
  pointer(address: bigint): bigint | null {
    const word = u64(this.space, address);
    return isPointer(word) ? word : null;
  }

  /** Fills the view from the address on. */
  fill(address: bigint, into: DataView): boolean {
    return this.space.read(address, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
  }

  /** A zero-terminated text, fit to be shown; `max` bytes of it at most. Null where it is empty or not mapped. */
  text(address: bigint, max: number): string | null {
    const limit = Math.min(max, TEXT_MAX);
    let length = 0;
    while (length < limit) {
      const at = address + BigInt(length);
      const piece = this.letters.subarray(
        length,
        Math.min(limit, length + PIECE - Number(at % BigInt(PIECE))),
      );
      if (!this.space.read(at, piece)) break;
      const end = piece.indexOf(0);
      length += end < 0 ? piece.length : end;
      if (end >= 0) break;
    }
    return length === 0 ? null : printable(stringAt(this.letters, 0, length), max);
  }
}
