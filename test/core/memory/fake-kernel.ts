/** A kernel made by hand: sparse memory, and what its symbols and types say. */
import type { Kernel, Located } from '../../../src/core/memory/model.js';
import { createBuilds } from '../../../src/core/memory/builds.js';

const PAGE = 4096n;
const ZEROES = new Uint8Array(4096);

export class FakeMemory {
  readonly pages = new Map<bigint, Uint8Array>();
  /** Called before each read, with its address. */
  onRead: (va: bigint) => void = () => undefined;
  /** What is not there is all zeroes, and may be read. */
  zeroes = false;
  /** Changes what was read. */
  mutate: (into: Uint8Array, va: bigint) => void = () => undefined;

  bytes(va: bigint, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length;) {
      const at = va + BigInt(i);
      const page = this.pages.get(at / PAGE) ?? new Uint8Array(Number(PAGE));
      this.pages.set(at / PAGE, page);
      for (let into = Number(at % PAGE); into < page.length && i < bytes.length; into++)
        page[into] = bytes[i++] ?? 0;
    }
  }

  u32(va: bigint, value: number): void {
    this.bytes(va, new Uint8Array(new Uint32Array([value]).buffer));
  }

  u64(va: bigint, value: bigint | number): void {
    this.bytes(va, new Uint8Array(new BigUint64Array([BigInt(value)]).buffer));
  }

  text(va: bigint, text: string): void {
    this.bytes(va, [...new TextEncoder().encode(text), 0]);
  }

  read(va: bigint, into: Uint8Array): boolean {
    this.onRead(va);
    for (let i = 0; i < into.length;) {
      const at = va + BigInt(i);
      const page = this.pages.get(at / PAGE) ?? (this.zeroes ? ZEROES : undefined);
      if (page === undefined) return false;
      const from = Number(at % PAGE);
      const part = page.subarray(from, from + into.length - i);
      into.set(part, i);
      i += part.length;
    }
    this.mutate(into, va);
    return true;
  }
}

interface FakeParts {
  arch?: Kernel['arch'];
  memory: FakeMemory;
  /** Name, address, size; those of no size are data. */
  symbols?: [string, bigint, number?][];
  /** `task_struct.pid: 8`; a struct alone gives its size. */
  types?: Record<string, number>;
  memberSizes?: Record<string, number>;
  note?: [string, bigint][];
}

export const TEXT = 0xffff_ffff_8100_0000n;

export function fakeKernel({
  arch = 'x86-64',
  memory,
  symbols = [],
  types = {},
  ...more
}: FakeParts): Kernel {
  const at = (va: bigint): Located | null => {
    for (const [name, address, size = 0] of symbols)
      if (va >= address && va < address + BigInt(size)) return { name, offset: Number(va - address), size };
    return null;
  };
  return {
    ...{ arch, release: '6.12.0', buildId: null, noteAt: null, pageOffset: null, vmemmap: null },
    how: { kernel: 'note', types: 'btf', stacks: 'orc' },
    builds: createBuilds(),
    ram: { ranges: [], read: () => false },
    space: { translate: () => null, forget: () => undefined, read: (va, into) => memory.read(va, into) },
    symbols: { at, address: (name) => symbols.find(([symbol]) => symbol === name)?.[1] ?? null },
    layouts: {
      by: 'btf',
      offset: (struct, path) =>
        path
          .split('|')
          .map((one) => types[`${struct}.${one}`])
          .find((one) => one !== undefined) ?? null,
      size: (struct) => types[struct] ?? null,
      memberSize: (struct, path) => more.memberSizes?.[`${struct}.${path}`] ?? null,
    },
    text: { first: TEXT, end: TEXT + 0x10_0000n },
    note: new Map(more.note ?? []),
    object: () => null,
  };
}

/** Which bits of an entry say what, by generation: up to 6.2, 6.3, and since 6.4. */
export type OrcBits = 'end' | 'signal-end' | 'signal';
export interface OrcSpec {
  kind: 'call' | 'regs' | 'partial-regs' | 'end' | 'undefined';
  sp?: string;
  spOffset?: number;
  bp?: string;
  bpOffset?: number;
  signal?: boolean;
}

const REGISTERS = {
  old: ['undefined', 'prev-sp', 'dx', 'di', 'bp', 'sp', 'r10', 'r13', 'bp-indirect', 'sp-indirect', 'ax'],
  new: ['undefined', 'ax', 'dx', 'sp', 'bp', 'di', 'r10', 'r13', 'prev-sp', 'sp-indirect', 'bp-indirect'],
};

export function encodeOrc(bits: OrcBits, numbering: 'old' | 'new', entries: readonly OrcSpec[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * 6);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ kind, sp = 'undefined', spOffset = 0, bp = 'undefined', bpOffset = 0, signal }, i) => {
    const names = REGISTERS[numbering];
    view.setInt16(i * 6, spOffset, true);
    view.setInt16(i * 6 + 2, bpOffset, true);
    bytes[i * 6 + 4] = names.indexOf(sp) | (names.indexOf(bp) << 4);
    const marked = signal === true ? 1 : 0;
    const old = { call: 0, regs: 1, 'partial-regs': 2, end: 0, undefined: 0 }[kind];
    const end = kind === 'end' ? 1 : 0;
    if (bits === 'signal') {
      const type = { undefined: 0, end: 1, call: 2, regs: 3, 'partial-regs': 4 }[kind];
      bytes[i * 6 + 5] = type | (marked << 3);
    } else bytes[i * 6 + 5] = bits === 'end' ? old | (end << 2) : old | (marked << 2) | (end << 3);
  });
  return bytes;
}

/** Writes table and entries at the addresses; returns their symbols. */
export function writeOrc(
  memory: FakeMemory,
  at: bigint,
  code: readonly (OrcSpec & { from: bigint })[],
): [string, bigint][] {
  code.forEach(({ from }, i) => {
    const place = at + BigInt(4 * i);
    memory.u32(place, Number(BigInt.asUintN(32, from - place)));
  });
  const entries = at + BigInt(4 * code.length);
  memory.bytes(entries, encodeOrc('signal', 'new', code));
  return [
    ['__start_orc_unwind_ip', at],
    ['__stop_orc_unwind_ip', entries],
    ['__start_orc_unwind', entries],
  ];
}
