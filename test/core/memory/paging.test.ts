import { describe, expect, it } from 'vitest';
import { arm64Space } from '../../../src/core/memory/arm64-paging.js';
import { spacesOf, x86Space } from '../../../src/core/memory/paging.js';
import { textOf, u64 } from '../../../src/core/memory/reading.js';
import { Machine, PageTables } from './machine.js';

const registers = {
  vcpu: 0,
  general: {},
  gdt: null,
  gs: null,
  user: false,
  halted: null,
  interruptsOff: null,
};

describe('page tables of x86-64', () => {
  it('lead through four levels to pages of three sizes', () => {
    const machine = new Machine(8 << 20);
    const tables = new PageTables(machine, 0x1000, 0x10_0000);
    tables.map(0xffff_ffff_8100_0000n, 0x20_0000, 2);
    tables.map(0xffff_c900_0000_3000n, 0x7000, 1);
    tables.map(0xffff_8880_0000_0000n, 0, 3);
    const space = x86Space(machine, 0x1000, 4);
    expect(space.translate(0xffff_ffff_8101_2345n)).toBe(0x21_2345);
    expect(space.translate(0xffff_c900_0000_3abcn)).toBe(0x7abc);
    expect(space.translate(0xffff_8880_0012_3456n)).toBe(0x12_3456);
    expect(space.translate(0xffff_c900_0000_4000n)).toBeNull();
  });

  it('lead through five', () => {
    const machine = new Machine(4 << 20);
    new PageTables(machine, 0x1000, 0x10_0000, 5).map(0xff11_0000_0000_5000n, 0x6000, 1);
    expect(x86Space(machine, 0x1000, 5).translate(0xff11_0000_0000_5008n)).toBe(0x6008);
  });

  it('map nothing of the lower half, of what is no RAM, and of what is no address', () => {
    const machine = new Machine(4 << 20);
    const tables = new PageTables(machine, 0x1000, 0x10_0000);
    tables.map(0x40_0000n, 0x6000, 1);
    tables.map(0xffff_8880_0000_0000n, 1 << 30, 3);
    const space = x86Space(machine, 0x1000, 4);
    expect(
      [0x40_0000n, 0xffff_8880_0000_0000n, 0xff11_0000_0000_0000n, 1n << 64n, -8n].map((va) =>
        space.translate(va),
      ),
    ).toEqual([null, null, null, null, null]);
    expect(space.read((1n << 64n) - 4n, new Uint8Array(8))).toBe(false);
  });

  it('are read across pages that lie apart, and not across a hole', () => {
    const machine = new Machine(4 << 20);
    const tables = new PageTables(machine, 0x1000, 0x10_0000);
    tables.map(0xffff_c900_0000_0000n, 0x8000, 1);
    tables.map(0xffff_c900_0000_1000n, 0x5000, 1);
    machine.put(0x8ffc, 'abcd');
    machine.put(0x5000, 'efgh\0');
    const space = x86Space(machine, 0x1000, 4);
    expect(u64(space, 0xffff_c900_0000_0ffcn)).toBe(0x6867_6665_6463_6261n);
    expect(textOf(space, 0xffff_c900_0000_0ffcn)).toBe('abcdefgh');
    expect(space.read(0xffff_c900_0000_1ffcn, new Uint8Array(8))).toBe(false);
  });

  it('are walked anew when they were forgotten', () => {
    const machine = new Machine(4 << 20);
    const tables = new PageTables(machine, 0x1000, 0x10_0000);
    tables.map(0xffff_c900_0000_0000n, 0x8000, 1);
    const space = x86Space(machine, 0x1000, 4);
    expect(space.translate(0xffff_c900_0000_0000n)).toBe(0x8000);
    tables.map(0xffff_c900_0000_0000n, 0x9000, 1);
    expect(space.translate(0xffff_c900_0000_0000n)).toBe(0x8000);
    space.forget();
    expect(space.translate(0xffff_c900_0000_0000n)).toBe(0x9000);
  });

  it('of user mode under isolation lie one page above those of the kernel; CR3 carries more than a table', () => {
    const machine = new Machine(4 << 20);
    const spaces = spacesOf(machine, { ...registers, cr3: 0x8000_0000_0000_3005n, cr4: 0x1000n });
    expect(spaces.map(({ root, levels }) => [root, levels])).toEqual([
      [0x2000, 5],
      [0x3000, 5],
    ]);
    expect(spacesOf(machine, { ...registers, cr3: null, cr4: null })).toEqual([]);
  });

  it('that lead in a circle end', () => {
    const machine = new Machine(1 << 20);
    for (let entry = 0; entry < 512; entry += 1) machine.u64(0x1000 + entry * 8, 0x1063n);
    expect(x86Space(machine, 0x1000, 4).translate(0xffff_8880_0000_0000n)).toBe(0x1000);
  });
});

describe('page tables of arm64', () => {
  const base = 0x4000_0000;

  /** Walks down with tables in a row, and sets the last entry. */
  function map(
    machine: Machine,
    root: number,
    va: bigint,
    shifts: number[],
    firstBits: number,
    entry: bigint,
  ): void {
    let table = root;
    for (const [depth, shift] of shifts.entries()) {
      const bits = depth === 0 ? firstBits : 9;
      const at = table + Number((va >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n)) * 8;
      if (depth === shifts.length - 1) machine.u64(at, entry);
      else machine.u64(at, BigInt(base + (depth + 1) * 0x1000) | 3n);
      table = base + (depth + 1) * 0x1000;
    }
  }

  it('of 48 bits lead to pages and to blocks', () => {
    const machine = new Machine(4 << 20, base);
    map(machine, base, 0xffff_8000_0800_0000n, [39, 30, 21], 9, BigInt(base + 0x20_0000) | 1n);
    map(machine, base, 0xffff_8000_1000_5000n, [39, 30, 21, 12], 9, BigInt(base + 0x9000) | 3n);
    const space = arm64Space(machine, { root: base, bits: 48, pageBits: 12 });
    expect(space.translate(0xffff_8000_0801_2345n)).toBe(base + 0x21_2345);
    expect(space.translate(0xffff_8000_1000_5678n)).toBe(base + 0x9678);
    expect(space.translate(0xffff_8000_1000_6000n)).toBeNull();
  });

  it('of 52 bits begin with a small table, and entries carry the high bits of an address below', () => {
    const machine = new Machine(1 << 20, 2 ** 50 + base);
    const high = (gpa: number): bigint => BigInt(gpa) & ~(3n << 50n);
    const root = machine.base + 0x40;
    const va = 0xfff0_0000_0000_5000n;
    const tables = [1, 2, 3, 4].map((index) => machine.base + index * 0x1000);
    const entry = (gpa: number, bits: bigint): bigint => high(gpa) | (1n << 8n) | bits;
    for (const [depth, shift] of [48, 39, 30, 21].entries()) {
      const table = depth === 0 ? root : tables[depth - 1]!;
      const index = Number((va >> BigInt(shift)) & (depth === 0 ? 0xfn : 0x1ffn));
      machine.u64(table + index * 8, entry(tables[depth]!, 3n));
    }
    machine.u64(tables[3]! + 5 * 8, entry(machine.base + 0x8000, 3n));
    const space = arm64Space(machine, { root, bits: 52, pageBits: 12 });
    expect(space.translate(va + 0x10n)).toBe(machine.base + 0x8010);
  });
});
