/** A copy of the kernel's image, for what has no symbol and must be known by its shape. */
import { inRam, readWithHoles, type PagedSpace } from './address-space.js';
import type { Ram } from './model.js';

export interface Image {
  /** The address of its first byte. */
  first: bigint;
  end: bigint;
  bytes: Uint8Array;
  /** The same, as signed words. */
  words: Int32Array;
}

/** With lockdep, KASAN and all drivers built in, an image has about 200 MB. */
const largestImage = 256 << 20;
const smallestImage = 4 << 20;
const step = 0x20_0000n;
/** Between its parts: memory that was freed after the boot, gaps between sections. */
const largestGap = 0x100_0000n;

/** x86-64: the image lies in this stretch, wherever KASLR put it. */
export const x86ImageArea = { first: 0xffff_ffff_8000_0000n, size: 0x4000_0000n };

/** What is mapped of an image, from the first place in the area that is. */
function mapped(space: PagedSpace, from: bigint, size: bigint): { first: bigint; end: bigint } | null {
  let first: bigint | null = null;
  let end = from;
  for (let va = from; va < from + size; va += step) {
    if (space.translate(va) !== null) {
      first ??= va;
      end = va + step;
    } else if (first !== null && va - end > largestGap) break;
  }
  return first === null ? null : { first, end };
}

/** Null where no image of a plausible size is mapped there. It is contiguous in RAM, whatever holes its mapping has. */
export function readImage(ram: Ram, space: PagedSpace, from: bigint, size: bigint): Image | null {
  const range = mapped(space, from, size);
  if (range === null) return null;
  const gpa = space.translate(range.first);
  const length = Math.min(Number(range.end - range.first), largestImage);
  if (gpa === null || length < smallestImage || !inRam(ram, gpa)) return null;
  const bytes = new Uint8Array(length);
  readWithHoles(ram, gpa, bytes);
  return {
    first: range.first,
    end: range.first + BigInt(length),
    bytes,
    words: new Int32Array(bytes.buffer, 0, length >> 2),
  };
}

/** Where a text lies, by its rarest character: machine code is full of the others. */
export function* findText(bytes: Uint8Array, text: string, rarest: number, from = 0): Generator<number> {
  const rare = text.charCodeAt(rarest);
  for (let hit = bytes.indexOf(rare, from); hit >= 0; hit = bytes.indexOf(rare, hit + 1)) {
    const at = hit - rarest;
    let same = 0;
    while (same < text.length && bytes[at + same] === text.charCodeAt(same)) same += 1;
    if (same === text.length) yield at;
  }
}
