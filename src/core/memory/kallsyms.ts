/**
 * The kernel's own symbol table, of three generations. Names are strings of tokens; offsets lie beside them in the same
 * order. kernel/kallsyms.c, scripts/kallsyms.c.
 */
import type { Builds, Located, Symbols } from './model.js';
import { stringAt, viewOf } from './reading.js';

/** Addresses of the tables; `relativeBase` is null where offsets count from their own places. */
export interface KallsymsPlaces {
  count: bigint;
  names: bigint;
  tokens: bigint;
  offsets: bigint;
  relativeBase: bigint | null;
}

/** `length` bytes from an address on; null where they cannot be read. */
type ReadBytes = (va: bigint, length: number) => Uint8Array | null;

const fewestSymbols = 1000;
const mostSymbols = 2_000_000;
const tokenCount = 256;
const tokenTableLimit = 8192;
/** The offsets of symbols that are no place in the image: per-CPU ones up to 6.14, absolute ones. */
const nowhere = -1;

/** Strings of the 256 tokens, and where their table ends; null where it is none. */
export function readTokens(bytes: Uint8Array, at: number): { tokens: string[]; end: number } | null {
  const tokens: string[] = [];
  const limit = Math.min(bytes.length, at + tokenTableLimit);
  while (tokens.length < tokenCount) {
    const zero = bytes.indexOf(0, at);
    if (zero < 0 || zero >= limit) return null;
    tokens.push(stringAt(bytes, at, zero - at));
    at = zero + 1;
  }
  return { tokens, end: at };
}

/** The places of symbols, relative to the base of the image; and those of per-CPU symbols, which are absolute. */
interface Offsets {
  image: Int32Array;
  absolute: Map<number, number>;
  layout: 'absolute per CPU' | 'relative' | 'place-relative';
}

function decodeOffsets(raw: Int32Array, placeRelative: number | null): Offsets {
  const count = raw.length;
  const image = new Int32Array(count);
  const absolute = new Map<number, number>();
  if (placeRelative !== null) {
    for (let i = 0; i < count; i += 1) image[i] = Math.max(nowhere, placeRelative + 4 * i + (raw[i] ?? 0));
    return { image, absolute, layout: 'place-relative' };
  }
  let negative = 0;
  for (let i = 0; i < count; i += 1) if ((raw[i] ?? 0) < 0) negative += 1;
  if (negative * 2 <= count) {
    // What lies 2 GiB behind the base is no part of an image.
    for (let i = 0; i < count; i += 1) image[i] = Math.max(nowhere, raw[i] ?? 0);
    return { image, absolute, layout: 'relative' };
  }
  for (let i = 0; i < count; i += 1) {
    const value = raw[i] ?? 0;
    image[i] = value < 0 ? nowhere - value : nowhere;
    if (value >= 0) absolute.set(i, value);
  }
  return { image, absolute, layout: 'absolute per CPU' };
}

/** The indexes of the symbols that lie in the image, by place; those at one place in the table's order. */
function ordered(image: Int32Array): Uint32Array {
  const indexes = new Uint32Array(image.length);
  let count = 0;
  let sorted = true;
  let last = nowhere;
  for (let i = 0; i < image.length; i += 1) {
    const offset = image[i] ?? nowhere;
    if (offset < 0) continue;
    if (offset < last) sorted = false;
    last = offset;
    indexes[count] = i;
    count += 1;
  }
  const order = indexes.slice(0, count);
  return sorted ? order : order.sort((a, b) => (image[a] ?? 0) - (image[b] ?? 0) || a - b);
}

/** The symbols of a build: the same for all guests that run it, wherever its image lies. */
class SymbolTable {
  readonly layout: Offsets['layout'];
  readonly count: number;
  private readonly offsets: Offsets;
  private readonly order: Uint32Array;
  private readonly places: Int32Array;
  private readonly tokens: readonly string[];
  private readonly nameAt: Uint32Array;
  private readonly lengths: Uint16Array;
  private readonly indexes = new Map<string, number | null>();

  constructor(
    private readonly names: Uint8Array,
    tokenTable: Uint8Array,
    raw: Int32Array,
    placeRelative: number | null,
  ) {
    this.count = raw.length;
    this.tokens = readTokens(tokenTable, 0)?.tokens ?? [];
    this.offsets = decodeOffsets(raw, placeRelative);
    this.layout = this.offsets.layout;
    this.order = ordered(this.offsets.image);
    this.places = new Int32Array(this.order.length);
    for (let i = 0; i < this.order.length; i += 1)
      this.places[i] = this.offsets.image[this.order[i] ?? 0] ?? 0;
    this.nameAt = new Uint32Array(this.count);
    this.lengths = new Uint16Array(this.count);
    this.measure();
  }

  /** The first symbol of this name; null where there is none. Spells only names of the same length. */
  indexOf(name: string): number | null {
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    const length = name.length + 1;
    let index = this.lengths.indexOf(length);
    while (index >= 0 && !this.isNamed(index, name)) index = this.lengths.indexOf(length, index + 1);
    const found = index < 0 ? null : index;
    if (this.indexes.size < 4096) this.indexes.set(name, found);
    return found;
  }

  /** Relative to the base of the image; null where it lies outside. */
  offsetOf(index: number): number | null {
    const offset = this.offsets.image[index] ?? nowhere;
    return offset < 0 ? null : offset;
  }

  absoluteOf(index: number): number | null {
    return this.offsets.absolute.get(index) ?? null;
  }

  nameOf(index: number): string {
    return this.spell(index).slice(1);
  }

  /** The symbol that holds an offset: the first of those at its place, up to the next other place. */
  at(offset: number): Located | null {
    const { places, order } = this;
    let low = 0;
    let high = places.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((places[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const place = places[low];
    if (place === undefined || !(offset >= place)) return null;
    while (low > 0 && places[low - 1] === place) low -= 1;
    while (high < places.length && places[high] === place) high += 1;
    const next = places[high];
    if (next === undefined) return null;
    return { name: this.nameOf(order[low] ?? 0), offset: offset - place, size: next - place };
  }

  private measure(): void {
    const { names, nameAt, lengths } = this;
    const tokenLengths = Uint16Array.from(this.tokens, (token) => token.length);
    let at = 0;
    for (let i = 0; i < nameAt.length; i += 1) {
      nameAt[i] = at;
      let count = names[at++] ?? 0;
      if (count >= 0x80) count = (count & 0x7f) | ((names[at++] ?? 0) << 7);
      const end = at + count;
      let length = 0;
      for (; at < end; at += 1) length += tokenLengths[names[at] ?? 0] ?? 0;
      lengths[i] = length;
    }
  }

  private tokensOf(index: number): Uint8Array {
    let at = this.nameAt[index] ?? 0;
    let count = this.names[at++] ?? 0;
    if (count >= 0x80) count = (count & 0x7f) | ((this.names[at++] ?? 0) << 7);
    // A name has at most 512 characters, and a token at least one.
    return this.names.subarray(at, at + Math.min(count, 512));
  }

  private spell(index: number): string {
    let text = '';
    for (const token of this.tokensOf(index)) text += this.tokens[token] ?? '';
    return text;
  }

  private isNamed(index: number, name: string): boolean {
    // The first character tells its type.
    let at = -1;
    for (const number of this.tokensOf(index)) {
      const token = this.tokens[number] ?? '';
      const part = at < 0 ? token.slice(1) : token;
      if (!name.startsWith(part, Math.max(0, at))) return false;
      at += token.length;
    }
    return at === name.length;
  }
}

/** Parts: names, token table, offsets, and where the offsets lie if they count from their own places. */
function makeTable([names, tokenTable, offsets, place]: readonly Uint8Array[]): SymbolTable | null {
  if (names === undefined || tokenTable === undefined || offsets === undefined) return null;
  const raw = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length >> 2);
  return new SymbolTable(
    names,
    tokenTable,
    raw,
    place === undefined ? null : viewOf(place).getFloat64(0, true),
  );
}

/** A table where an image lies in a guest. */
export class GuestSymbols implements Symbols {
  constructor(
    readonly table: SymbolTable,
    readonly base: bigint,
  ) {}

  address(name: string): bigint | null {
    const index = this.table.indexOf(name);
    if (index === null) return null;
    const offset = this.table.offsetOf(index);
    if (offset !== null) return this.base + BigInt(offset);
    const absolute = this.table.absoluteOf(index);
    return absolute === null ? null : BigInt(absolute);
  }

  at(va: bigint): Located | null {
    return va < this.base ? null : this.table.at(Number(va - this.base));
  }
}

/** The length of `count` names from the start of `bytes`; null where they do not fit. */
function namesLength(bytes: Uint8Array, count: number): number | null {
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    let length = bytes[at] ?? 0;
    if (length >= 0x80) {
      length = (length & 0x7f) | ((bytes[at + 1] ?? 0) << 7);
      at += 1;
    }
    at += 1 + length;
    if (length === 0 || at > bytes.length) return null;
  }
  return at;
}

function readNames(read: ReadBytes, places: KallsymsPlaces, count: number): Uint8Array | null {
  const most = count * 40;
  // The tokens lie behind the names in every generation.
  const between = Number(places.tokens - places.names);
  const bytes = read(places.names, between > 0 && between < most ? between : count * 24);
  const length = bytes === null ? null : namesLength(bytes, count);
  return bytes === null || length === null ? null : bytes.slice(0, length);
}

/** Null where the tables cannot be read or are none. `text`: an address from which place-relative offsets may count. */
export function readKallsyms(
  read: ReadBytes,
  places: KallsymsPlaces,
  text: bigint,
  builds: Builds,
): GuestSymbols | null {
  const countBytes = read(places.count, 4);
  const count = countBytes === null ? 0 : viewOf(countBytes).getUint32(0, true);
  if (count < fewestSymbols || count > mostSymbols) return null;
  const tokenBytes = read(places.tokens, tokenTableLimit) ?? read(places.tokens, tokenTableLimit / 4);
  const tokens = tokenBytes === null ? null : readTokens(tokenBytes, 0);
  const names = readNames(read, places, count);
  const offsets = read(places.offsets, count * 4);
  if (tokenBytes === null || tokens === null || names === null || offsets === null) return null;
  const parts = [names, tokenBytes.slice(0, tokens.end), offsets];
  if (places.relativeBase === null) {
    const place = new Uint8Array(8);
    viewOf(place).setFloat64(0, Number(places.offsets - text), true);
    return symbolsAt(builds.share(makeTable, [...parts, place]), text);
  }
  const base = read(places.relativeBase, 8);
  return base === null ? null : symbolsAt(builds.share(makeTable, parts), viewOf(base).getBigUint64(0, true));
}

const symbolsAt = (table: SymbolTable | null, base: bigint): GuestSymbols | null =>
  table === null ? null : new GuestSymbols(table, base);
