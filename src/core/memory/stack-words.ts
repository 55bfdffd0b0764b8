/** The words of a stack: of a copy, or as they are in memory. */
import type { AddressSpace } from './model.js';
import { isKernelAddress } from './reading.js';

export interface StackWords {
  /** Null where it is none of the stack's. */
  word(va: bigint): bigint | null;
}

export class StackCopy implements StackWords {
  readonly #view: DataView;

  constructor(
    readonly base: bigint,
    readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  word(va: bigint): bigint | null {
    const at = Number(va - this.base);
    return at >= 0 && at + 8 <= this.#view.byteLength ? this.#view.getBigUint64(at, true) : null;
  }
}

const PAGE = 4096;
/** A task's stack, and those of interrupts and exceptions that it may lead through. */
const PAGES_MAX = 64;

/** Pages are read once: a stack that moves meanwhile is at least read at one time for each page. */
export class LiveWords implements StackWords {
  readonly #pages = new Map<bigint, DataView | null>();

  constructor(private readonly space: AddressSpace) {}

  word(va: bigint): bigint | null {
    if (!isKernelAddress(va)) return null;
    const at = Number(va & 0xfffn);
    if (at > PAGE - 8) return null;
    return this.#page(va - BigInt(at))?.getBigUint64(at, true) ?? null;
  }

  #page(start: bigint): DataView | null {
    const known = this.#pages.get(start);
    if (known !== undefined) return known;
    if (this.#pages.size >= PAGES_MAX) return null;
    const bytes = new Uint8Array(PAGE);
    const page = this.space.read(start, bytes) ? new DataView(bytes.buffer) : null;
    this.#pages.set(start, page);
    return page;
  }
}
