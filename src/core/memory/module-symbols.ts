/** A module's own symbols, looked up as the kernel does (kernel/module/kallsyms.c, find_kallsyms_symbol). */
import type { Kernel, Located } from './model.js';
import { readWords, stringAt } from './reading.js';

/** struct elf64_sym: name u32, info u8, other u8, section u16, value u64, size u64. */
const SYMBOL = 24;
const SYMBOLS_MAX = 400_000;
const STRINGS_MAX = 32 * 1024 * 1024;
const NAME_MAX = 512;

interface Table {
  /** Ascending; of several at one address the first of the table is the name. */
  addresses: BigUint64Array;
  names: Uint32Array;
  strings: Uint8Array;
}

export class ModuleSymbols {
  readonly #table: Table | null;

  /** `take`: whether so many bytes may be read. */
  constructor(kernel: Kernel, kallsyms: bigint | null, take: (bytes: number) => boolean) {
    this.#table = kallsyms === null ? null : readTable(kernel, kallsyms, take);
  }

  /** `end`: of the text that the address lies in. */
  at(va: bigint, end: bigint): Located | null {
    if (this.#table === null) return null;
    const { addresses, names, strings } = this.#table;
    let low = -1;
    let high = addresses.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((addresses[middle] ?? 0n) <= va) low = middle;
      else high = middle;
    }
    const start = addresses[low];
    if (start === undefined) return null;
    while (low > 0 && addresses[low - 1] === start) low--;
    const next = addresses[high];
    const stop = next !== undefined && next < end ? next : end;
    return {
      name: stringAt(strings, names[low] ?? 0, NAME_MAX),
      offset: Number(va - start),
      size: Number(stop - start),
    };
  }
}

function readTable(kernel: Kernel, kallsyms: bigint, take: (bytes: number) => boolean): Table | null {
  const head = readHead(kernel, kallsyms);
  if (head === null || !take(head.count * SYMBOL)) return null;
  const symbols = readWords(kernel.space, head.symbols, head.count * SYMBOL);
  if (symbols === null) return null;
  const used: { address: bigint; name: number }[] = [];
  let last = 0;
  for (let i = 1; i < head.count; i++) {
    const name = symbols.u32(i * SYMBOL);
    if (symbols.u16(i * SYMBOL + 6) === 0 || name >= STRINGS_MAX) continue;
    used.push({ address: symbols.u64(i * SYMBOL + 8), name });
    if (name > last) last = name;
  }
  const strings = take(last) ? readStrings(kernel.space, head.strings, last) : null;
  if (strings === null) return null;
  const named = used.filter(({ name }) => isNamed(strings, name));
  // A stable sort keeps the table's order among aliases.
  named.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return {
    addresses: BigUint64Array.from(named, ({ address }) => address),
    names: Uint32Array.from(named, ({ name }) => name),
    strings,
  };
}

function readHead({ space, layouts }: Kernel, kallsyms: bigint) {
  const offset = (path: string) => layouts.offset('mod_kallsyms', path);
  // Where no types tell: pointer, count, pointer, as since 4.5.
  const at = {
    symbols: offset('symtab') ?? 0,
    count: offset('num_symtab') ?? 8,
    strings: offset('strtab') ?? 16,
  };
  const span = Math.max(...Object.values(at)) + 8;
  const head = span > 4096 ? null : readWords(space, kallsyms, span);
  if (head === null) return null;
  const count = head.u32(at.count);
  if (count < 2 || count > SYMBOLS_MAX) return null;
  return { count, symbols: head.u64(at.symbols), strings: head.u64(at.strings) };
}

/** Up to the page that the last name ends in: what lies behind may not be mapped. */
function readStrings(space: Kernel['space'], va: bigint, last: number): Uint8Array | null {
  const first = new Uint8Array(last + 1);
  if (!space.read(va, first)) return null;
  const toPage = 4096 - Number((va + BigInt(last + 1)) % 4096n);
  for (const more of [NAME_MAX, Math.min(toPage, NAME_MAX)]) {
    const all = new Uint8Array(last + 1 + more);
    if (space.read(va, all)) return all;
  }
  return first;
}

/** The kernel skips empty names, and mapping symbols: `.L…` and `L0…`. */
function isNamed(strings: Uint8Array, at: number): boolean {
  const [one = 0, two = 0] = [strings[at], strings[at + 1]];
  const mapping = (one === 0x2e && two === 0x4c) || (one === 0x4c && two === 0x30);
  return one !== 0 && !mapping;
}
