/** Page tables of arm64, stage 1, of TTBR1. Arm ARM D8.3; LPA2 in D8.3.1. */
import { PagedSpace, TableCache, type PageTables } from './address-space.js';
import type { Ram } from './model.js';

interface Arm64Paging {
  /** Guest-physical, of the first table. */
  root: number;
  /** Of virtual addresses: 64 - T1SZ. */
  bits: number;
  /** 12, 14 or 16: pages of 4, 16 or 64 KiB. */
  pageBits: number;
}

const valid = 1;
const tableOrPage = 2;

class Arm64Tables implements PageTables {
  readonly floor: bigint;
  private readonly levels: number;
  /** Physical addresses of 52 bits need more room than an entry had. */
  private readonly wide: boolean;
  private readonly tables: TableCache;

  constructor(
    ram: Ram,
    private readonly paging: Arm64Paging,
  ) {
    const { bits, pageBits } = paging;
    this.floor = (1n << 64n) - (1n << BigInt(bits));
    this.levels = Math.ceil((bits - pageBits) / (pageBits - 3));
    this.wide = pageBits === 16 || bits > 48;
    this.tables = new TableCache(ram, 2 ** pageBits);
  }

  walk(page: number): number {
    const { bits, pageBits } = this.paging;
    const bitsEach = pageBits - 3;
    const whole = 2 ** pageBits;
    // The page number counts 4 KiB.
    const number = Math.floor(page / (whole / 4096));
    const within = (page % (whole / 4096)) * 4096;
    let table = this.paging.root;
    for (let level = this.levels; level >= 1; level -= 1) {
      const span = 2 ** (bitsEach * (level - 1));
      const entries = level === this.levels ? 2 ** (bits - pageBits - bitsEach * (level - 1)) : 2 ** bitsEach;
      const index = Math.floor(number / span) % entries;
      const base = table - (table % whole);
      const view = this.tables.at(base);
      const offset = (table % whole) + index * 8;
      if (view === null || offset + 8 > whole) return -1;
      const low = view.getUint32(offset, true);
      if ((low & valid) === 0) return -1;
      const next = this.output(low, view.getUint32(offset + 4, true));
      const isTable = (low & tableOrPage) !== 0;
      if (level === 1) return isTable ? next + within : -1;
      if (!isTable) return next - (next % (span * whole)) + (number % span) * whole + within;
      table = next;
    }
    return -1;
  }

  forget(): void {
    this.tables.forget();
  }

  private output(low: number, high: number): number {
    const { pageBits } = this.paging;
    const address = (high & 0xffff) * 0x1_0000_0000 + low;
    const below = 2 ** pageBits;
    const base = address - (address % below);
    if (!this.wide) return base;
    if (pageBits === 16) return base + ((low >>> 12) & 0xf) * 2 ** 48;
    return base + (high & 0x3_0000) * 0x1_0000_0000 + ((low >>> 8) & 3) * 2 ** 50;
  }
}

export const arm64Space = (ram: Ram, paging: Arm64Paging): PagedSpace =>
  new PagedSpace(ram, new Arm64Tables(ram, paging));
