/** Kernel-virtual memory over page tables of any architecture. */
import type { AddressSpace, Ram } from './model.js';

/** One table a level, walked for a page number: the address's bits 12 to 56. */
export interface PageTables {
  /** The lowest address of the kernel's half. */
  readonly floor: bigint;
  /** The guest-physical address of the page; -1 where none is mapped. */
  walk(page: number): number;
  forget(): void;
}

interface Window {
  firstPage: number;
  endPage: number;
  gpa: number;
}

const pageSize = 4096;
/** More than any snapshot touches; what is forgotten is walked again. */
const pagesKept = 1 << 18;
const pageOf = (va: bigint): number => Number(BigInt.asUintN(57, va) >> 12n);

/** A crash dump without free pages has thousands of ranges. */
export function inRam({ ranges }: Pick<Ram, 'ranges'>, gpa: number): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { first, end } = ranges[middle] ?? { first: 0, end: 0 };
    if (gpa < first) high = middle - 1;
    else if (gpa >= end) low = middle + 1;
    else return true;
  }
  return false;
}

/** Reads what is RAM of a stretch and leaves the rest as it was: holes of a kernel's image, or of a machine's memory. */
export function readWithHoles(ram: Ram, gpa: number, into: Uint8Array): void {
  for (const { first, end } of ram.ranges) {
    const from = Math.max(first, gpa);
    const to = Math.min(end, gpa + into.length);
    if (from < to) ram.read(from, into.subarray(from - gpa, to - gpa));
  }
}

export class PagedSpace implements AddressSpace {
  private readonly pages = new Map<number, number>();
  private readonly windows: Window[] = [];

  constructor(
    readonly ram: Ram,
    private readonly tables: PageTables,
  ) {}

  /** What is known to be mapped in one piece needs no walk: the kernel's image, the direct map. */
  mapLinearly(first: bigint, end: bigint, gpa: number): void {
    const skew = Number(first & 0xfffn);
    this.windows.push({ firstPage: pageOf(first), endPage: pageOf(end + 0xfffn), gpa: gpa - skew });
  }

  translate(va: bigint): number | null {
    if (!this.isKernel(va)) return null;
    const page = this.page(pageOf(va));
    if (page < 0 || !inRam(this.ram, page)) return null;
    return page + Number(va & 0xfffn);
  }

  read(va: bigint, into: Uint8Array): boolean {
    if (!this.isKernel(va) || va + BigInt(into.length) > 1n << 64n) return false;
    let page = pageOf(va);
    let within = Number(va & 0xfffn);
    let done = 0;
    while (done < into.length) {
      const gpa = this.page(page);
      if (gpa < 0) return false;
      let length = pageSize - within;
      page += 1;
      while (done + length < into.length && this.page(page) === gpa + within + length) {
        length += pageSize;
        page += 1;
      }
      length = Math.min(length, into.length - done);
      if (!this.ram.read(gpa + within, into.subarray(done, done + length))) return false;
      done += length;
      within = 0;
    }
    return true;
  }

  forget(): void {
    this.pages.clear();
    this.tables.forget();
  }

  private isKernel(va: bigint): boolean {
    return va >= this.tables.floor && va < 1n << 64n;
  }

  private page(page: number): number {
    for (const { firstPage, endPage, gpa } of this.windows) {
      if (page >= firstPage && page < endPage) return gpa + (page - firstPage) * pageSize;
    }
    const known = this.pages.get(page);
    if (known !== undefined) return known;
    if (this.pages.size >= pagesKept) this.pages.clear();
    const gpa = this.tables.walk(page);
    this.pages.set(page, gpa);
    return gpa;
  }
}

/** Pages that were forgotten, by their size, for the next tables: guests are read one after the other. */
const spare = new Map<number, DataView<ArrayBuffer>[]>();
const SPARE_MAX = 256;

/** Page tables as they were read, each a page of 32-bit halves; a view is good until they are forgotten. */
export class TableCache {
  private readonly kept = new Map<number, DataView<ArrayBuffer> | null>();

  constructor(
    private readonly ram: Ram,
    private readonly size: number,
  ) {}

  /** Null where it is no RAM. */
  at(gpa: number): DataView | null {
    let table = this.kept.get(gpa);
    if (table === undefined) {
      const page = spare.get(this.size)?.pop() ?? new DataView(new ArrayBuffer(this.size));
      table = this.ram.read(gpa, new Uint8Array(page.buffer)) ? page : null;
      if (this.kept.size * this.size >= 1 << 24) this.kept.clear();
      this.kept.set(gpa, table);
    }
    return table;
  }

  forget(): void {
    const pages = spare.get(this.size) ?? [];
    for (const page of this.kept.values()) if (page !== null && pages.length < SPARE_MAX) pages.push(page);
    spare.set(this.size, pages);
    this.kept.clear();
  }
}
