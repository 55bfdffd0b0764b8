/**
 * ORC unwind tables: arch/x86/include/asm/orc_types.h of 4.14 to 7.x. The three generations of entries, and the two
 * numberings of registers, are told apart by what a whole table looks like, so no types are needed.
 */

export type OrcRegister =
  'undefined' | 'prev-sp' | 'sp' | 'bp' | 'sp-indirect' | 'bp-indirect' | 'ax' | 'dx' | 'di' | 'r10' | 'r13';

export interface OrcEntry {
  kind: 'call' | 'regs' | 'partial-regs' | 'end' | 'undefined';
  sp: OrcRegister;
  spOffset: bigint;
  bp: OrcRegister;
  bpOffset: bigint;
  /** The frame it leads to was interrupted, so its address is no return address. */
  signal: boolean;
}

/** What the kernel assumes where no table covers an address: that the code keeps a frame pointer. */
export const FRAME_POINTER_ENTRY: OrcEntry = {
  kind: 'call',
  sp: 'bp',
  spOffset: 16n,
  bp: 'prev-sp',
  bpOffset: -16n,
  signal: false,
};

const OLD_REGISTERS: readonly OrcRegister[] = [
  ...(['undefined', 'prev-sp', 'dx', 'di', 'bp', 'sp', 'r10', 'r13', 'bp-indirect', 'sp-indirect'] as const),
  'ax',
];
const NEW_REGISTERS: readonly OrcRegister[] = [
  ...(['undefined', 'ax', 'dx', 'sp', 'bp', 'di', 'r10', 'r13', 'prev-sp', 'sp-indirect'] as const),
  'bp-indirect',
];

/** How the 16 bits behind an entry's offsets are cut; the registers take the lower eight. */
export interface OrcFormat {
  /** type:2 end:1, type:2 signal:1 end:1 (6.3), type:3 signal:1 (6.4) */
  bits: 'end' | 'signal-end' | 'signal';
  registers: readonly OrcRegister[];
}

const ENTRY = 6;

/** By the commonest of a table: a call, whose stack is reached from the stack pointer. */
export function orcFormat(entries: Uint8Array): OrcFormat {
  const types = [0, 0, 0, 0, 0, 0, 0, 0];
  const registers = new Array<number>(16).fill(0);
  let endsIn11 = false;
  for (let at = 4; at + 2 <= entries.length; at += ENTRY) {
    const high = entries[at + 1] ?? 0;
    const low = (entries[at] ?? 0) & 15;
    types[high & 7] = (types[high & 7] ?? 0) + 1;
    registers[low] = (registers[low] ?? 0) + 1;
    if ((high & 8) !== 0) endsIn11 = true;
  }
  const [oldCalls = 0, , newCalls = 0] = types;
  const old = oldCalls > newCalls ? (endsIn11 ? 'signal-end' : 'end') : 'signal';
  return {
    bits: old,
    registers: (registers[3] ?? 0) > (registers[5] ?? 0) ? NEW_REGISTERS : OLD_REGISTERS,
  };
}

const OLD_KINDS = ['call', 'regs', 'partial-regs', 'undefined'] as const;
const NEW_KINDS = ['undefined', 'end', 'call', 'regs', 'partial-regs'] as const;

export function decodeOrc(format: OrcFormat, entries: Uint8Array, index: number): OrcEntry {
  const at = index * ENTRY;
  const byte = (n: number) => entries[at + n] ?? 0;
  const signed = (n: number) => ((byte(n) | (byte(n + 1) << 8)) << 16) >> 16;
  const register = (n: number) => format.registers[n] ?? 'undefined';
  const sp = register(byte(4) & 15);
  const high = byte(5);
  const entry = { sp, spOffset: BigInt(signed(0)), bp: register(byte(4) >> 4), bpOffset: BigInt(signed(2)) };
  if (format.bits === 'signal') {
    return { ...entry, kind: NEW_KINDS[high & 7] ?? 'undefined', signal: (high & 8) !== 0 };
  }
  const plain = OLD_KINDS[high & 3] ?? 'undefined';
  const end = (high & (format.bits === 'end' ? 4 : 8)) !== 0;
  const signal = format.bits === 'end' ? plain !== 'call' : (high & 4) !== 0;
  return { ...entry, kind: end ? 'end' : sp === 'undefined' ? 'undefined' : plain, signal };
}

/** A table of addresses, each relative to its own place, and the entries of the code from each on. */
export class OrcTable {
  readonly #count: number;

  constructor(
    readonly places: Int32Array,
    readonly entries: Uint8Array,
    readonly format: OrcFormat,
  ) {
    this.#count = Math.min(places.length, Math.floor(entries.length / ENTRY));
  }

  /** `distance`: of the address from the beginning of the table of addresses. Null before the first. */
  find(distance: number): OrcEntry | null {
    const target = (index: number) => 4 * index + (this.places[index] ?? 0);
    if (this.#count === 0 || target(0) > distance) return null;
    let low = 0;
    let high = this.#count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (target(middle) <= distance) low = middle;
      else high = middle;
    }
    return decodeOrc(this.format, this.entries, low);
  }
}
