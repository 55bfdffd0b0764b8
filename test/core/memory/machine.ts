/** A guest's RAM, written by hand: page tables, and the tables of a kernel's image as builds of three ages lay them out. */
import type { Ram } from '../../../src/core/memory/model.js';

export class Machine implements Ram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly ranges: { first: number; end: number }[];

  constructor(
    size: number,
    readonly base = 0,
  ) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.ranges = [{ first: base, end: base + size }];
  }

  read(gpa: number, into: Uint8Array): boolean {
    const at = gpa - this.base;
    if (!(at >= 0 && at + into.length <= this.bytes.length)) return false;
    into.set(this.bytes.subarray(at, at + into.length));
    return true;
  }

  put(gpa: number, bytes: Uint8Array | string): void {
    const data = typeof bytes === 'string' ? Uint8Array.from(bytes, (char) => char.charCodeAt(0)) : bytes;
    this.bytes.set(data, gpa - this.base);
  }

  u32(gpa: number, value: number): void {
    this.view.setUint32(gpa - this.base, value >>> 0, true);
  }

  u64(gpa: number, value: bigint): void {
    this.view.setBigUint64(gpa - this.base, BigInt.asUintN(64, value), true);
  }

  read64(gpa: number): bigint {
    return this.view.getBigUint64(gpa - this.base, true);
  }
}

const spans = [1n << 12n, 1n << 21n, 1n << 30n];

/** x86-64 page tables; new ones are taken from `free` upwards. */
export class PageTables {
  constructor(
    private readonly machine: Machine,
    readonly root: number,
    private free: number,
    private readonly levels: 4 | 5 = 4,
  ) {}

  /** A page of `level` 1, 2 or 3: 4 KiB, 2 MiB or 1 GiB. */
  map(va: bigint, gpa: number, level: 1 | 2 | 3): void {
    let table = this.root;
    for (let at: number = this.levels; at > level; at -= 1) {
      const entry = table + Number((va >> BigInt(12 + 9 * (at - 1))) & 0x1ffn) * 8;
      if (this.machine.read64(entry) === 0n) {
        this.machine.u64(entry, BigInt(this.free) | 0x63n);
        this.free += 4096;
      }
      table = Number(this.machine.read64(entry) & 0x000f_ffff_ffff_f000n);
    }
    const entry = table + Number((va >> BigInt(12 + 9 * (level - 1))) & 0x1ffn) * 8;
    this.machine.u64(entry, BigInt(gpa) | (level === 1 ? 0x63n : 0xe3n));
  }

  mapAll(va: bigint, gpa: number, size: number, level: 1 | 2 | 3): void {
    const span = spans[level - 1]!;
    for (let at = 0n; at < BigInt(size); at += span) this.map(va + at, gpa + Number(at), level);
  }
}

export interface SymbolLine {
  name: string;
  /** Of the image, or per-CPU. */
  offset: number;
  type: string;
  perCpu?: boolean;
}

export type Generation = 'absolute per CPU' | 'relative' | 'place-relative';

const align = (at: number, to: number): number => Math.ceil(at / to) * to;

/** Writes the tables from `at` on, in an image at `first`; the places as VMCOREINFO names them. */
export function writeKallsyms(
  machine: Machine,
  gpaOf: (va: bigint) => number,
  first: bigint,
  at: bigint,
  lines: readonly SymbolLine[],
  generation: Generation,
): Map<string, bigint> {
  const tokens = Array.from({ length: 256 }, (_, i) =>
    i > 0x20 && i < 0x7f ? String.fromCharCode(i) : `~${i}`,
  );
  const tokenBytes = tokens.map((token) => `${token}\0`).join('');
  const index = new Uint16Array(256);
  tokens.reduce((sum, token, i) => ((index[i] = sum), sum + token.length + 1), 0);
  const names: number[] = [];
  const markers: number[] = [];
  for (const [i, { name, type }] of lines.entries()) {
    if (i % 256 === 0) markers.push(names.length);
    const text = type + name;
    if (text.length >= 0x80) names.push((text.length & 0x7f) | 0x80, text.length >> 7);
    else names.push(text.length);
    for (const char of text) names.push(char.charCodeAt(0));
  }
  const places = new Map<string, bigint>();
  let next = at;
  const put = (name: string, bytes: Uint8Array, alignment: number): void => {
    next = BigInt(Math.ceil(Number(next - first) / alignment) * alignment) + first;
    places.set(`SYMBOL(kallsyms_${name})`, next);
    machine.put(gpaOf(next), bytes);
    next += BigInt(bytes.length);
  };
  const words = (values: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
  const isOld = generation === 'absolute per CPU';
  const offsets = (): number[] => {
    const place = BigInt(align(Number(next - first), 8)) + first;
    return lines.map(({ offset, perCpu = false }, i) => {
      if (isOld) return perCpu ? offset : -1 - offset;
      return generation === 'relative' ? offset : Number(first - place) + offset - 4 * i;
    });
  };
  const putOffsets = (): void => {
    put('offsets', words(offsets()), 8);
    if (generation !== 'place-relative')
      put('relative_base', new Uint8Array(BigUint64Array.of(first).buffer), 8);
  };
  if (isOld) putOffsets();
  put('num_syms', words([lines.length, 0]), 8);
  put('names', Uint8Array.from(names), 8);
  put('markers', words(markers), 4);
  put(
    'token_table',
    Uint8Array.from(tokenBytes, (char) => char.charCodeAt(0)),
    8,
  );
  put('token_index', new Uint8Array(index.buffer), 8);
  if (!isOld) putOffsets();
  places.delete('SYMBOL(kallsyms_markers)');
  return places;
}

type MemberLine = [name: string, bytes: number, type: string];

/** BTF of structs whose members are integers `u8` to `u64`, other structs by name, or anonymous ones of an empty name. */
export function writeBtf(
  structs: Record<string, { size: number; members: MemberLine[] }>,
  padding = 0,
): Uint8Array {
  const strings = ['\0'];
  const offsets = new Map<string, number>([['', 0]]);
  let length = 1;
  const string = (text: string): number => {
    const known = offsets.get(text);
    if (known !== undefined) return known;
    offsets.set(text, length);
    strings.push(`${text}\0`);
    length += text.length + 1;
    return length - text.length - 1;
  };
  const ints = [1, 2, 4, 8];
  const names = Object.keys(structs);
  const idOf = (type: string): number =>
    type.startsWith('u') && ints.includes(Number(type.slice(1)) / 8)
      ? ints.indexOf(Number(type.slice(1)) / 8) + 1
      : ints.length + 1 + names.indexOf(type);
  const words: number[] = ints.flatMap((size) => [string(`u${size * 8}`), 1 << 24, size, size * 8]);
  for (const [name, { size, members }] of Object.entries(structs)) {
    words.push(string(name.startsWith('anonymous') ? '' : name), (4 << 24) | members.length, size);
    for (const [member, bytes, type] of members) words.push(string(member), idOf(type), bytes * 8);
  }
  for (let i = 0; i < padding; i += 1) words.push(1, 1 << 24, 4, 32);
  const types = new Uint8Array(Uint32Array.from(words).buffer);
  const text = Uint8Array.from(strings.join(''), (char) => char.charCodeAt(0));
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0x0001_eb9f, true);
  header.setUint32(4, 24, true);
  header.setUint32(12, types.length, true);
  header.setUint32(16, types.length, true);
  header.setUint32(20, text.length, true);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...types, ...text]);
}
