/**
 * Where the symbol table lies in a kernel's image, for kernels whose note does not tell. The order in .rodata: up to 6.3
 * offsets, relative_base, num_syms, names, markers, [seqs_of_names], token_table, token_index; from 6.4 on num_syms,
 * names, markers, token_table, token_index, offsets, [relative_base], seqs_of_names. scripts/kallsyms.c.
 */
import { findText, type Image } from './image.js';
import { readTokens, type KallsymsPlaces } from './kallsyms.js';
import { viewOf } from './reading.js';

/** Digits are tokens of their own in every kernel: their strings are the numbers 0x30 to 0x39 of the table. */
const digits = '0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00';
const rareDigit = digits.indexOf('7');
const firstDigit = 0x30;
const tokenTableLimit = 8192;
const namesAMarker = 256;
const longestName = 600;
/** Of seqs_of_names, which stable kernels of 6.1 have too: three bytes a symbol. */
const sequencesLimit = 6 << 20;
const fewMarkers = 100;
const farBelow = 0x1_0000;
/** A forged image may look like a table everywhere: so much is looked at, ten times what a large one takes. */
const mostWork = 12_000_000;

const alignUp = (at: number, to: number): number => Math.ceil(at / to) * to;

interface TokenTables {
  tokens: number;
  indexEnd: number;
}

interface Markers {
  at: number;
  count: number;
  last: number;
}

interface Names {
  names: number;
  count: number;
  countAt: number;
}

class Search {
  private readonly view: DataView;
  private workLeft = mostWork;

  constructor(private readonly image: Image) {
    this.view = viewOf(image.bytes);
  }

  find(): KallsymsPlaces | null {
    for (const hit of findText(this.image.bytes, digits, rareDigit)) {
      for (const start of this.startsBefore(hit)) {
        const tables = this.tokenTables(start);
        const places = tables === null ? null : this.placesBy(tables);
        if (places !== null) return places;
        if (!this.spend(tokenTableLimit / 8)) return null;
      }
    }
    return null;
  }

  private spend(work: number): boolean {
    this.workLeft -= work;
    return this.workLeft > 0;
  }

  private u32(at: number): number {
    return at >= 0 && at + 4 <= this.view.byteLength ? this.view.getUint32(at, true) : 0;
  }

  private i32(at: number): number {
    return this.u32(at) | 0;
  }

  /** Aligned places at which the table may begin whose digits lie at `hit`. */
  private startsBefore(hit: number): number[] {
    const { bytes } = this.image;
    let zeroes = 0;
    let at = hit;
    const limit = Math.max(0, hit - tokenTableLimit);
    while (at > limit && zeroes <= firstDigit) {
      at -= 1;
      if (bytes[at] === 0) zeroes += 1;
    }
    const starts: number[] = [];
    for (let start = alignUp(at + 1, 4); start < hit; start += 4)
      if (bytes[start - 1] === 0) starts.push(start);
    return starts;
  }

  /** The index behind the table must tell where each of its strings begins. */
  private tokenTables(start: number): TokenTables | null {
    const table = readTokens(this.image.bytes, start);
    if (table === null) return null;
    for (const alignment of [8, 4]) {
      const index = alignUp(table.end, alignment);
      if (index + 512 > this.view.byteLength) continue;
      let expected = 0;
      const fits = table.tokens.every((token, number) => {
        const told = this.view.getUint16(index + 2 * number, true);
        const isRight = told === expected;
        expected += token.length + 1;
        return isRight;
      });
      if (fits) return { tokens: start, indexEnd: index + 512 };
    }
    return null;
  }

  private placesBy({ tokens, indexEnd }: TokenTables): KallsymsPlaces | null {
    for (const markers of this.markersBefore(tokens)) {
      if (!this.spend(1)) return null;
      const names = this.namesBefore(markers);
      const offsets = names === null ? null : this.offsetsOf(names, indexEnd);
      if (names === null || offsets === null) continue;
      const va = (at: number): bigint => this.image.first + BigInt(at);
      return {
        count: va(names.countAt),
        names: va(names.names),
        tokens: va(tokens),
        offsets: va(offsets.offsets),
        relativeBase: offsets.relativeBase === null ? null : va(offsets.relativeBase),
      };
    }
    return null;
  }

  /** Behind the markers comes the token table, or up to 6.3 first the sequences of names. */
  private *markersBefore(tokens: number): Generator<Markers> {
    const near = this.markersEndingAt(tokens & ~3, 4);
    if (near !== null) yield near;
    const limit = Math.max(8, tokens - sequencesLimit);
    for (let end = (tokens & ~3) - 4; end > limit; end -= 4) {
      if (!this.continues(end - 4) || this.continues(end)) continue;
      const far = this.markersEndingAt(end, fewMarkers);
      if (far !== null) yield far;
    }
  }

  /** Whether a word may be the marker behind the one before it. */
  private continues(at: number): boolean {
    const step = this.u32(at) - this.u32(at - 4);
    return step > 0 && step < namesAMarker * longestName;
  }

  /** Words that fall towards a zero, read downwards. */
  private markersEndingAt(end: number, fewest: number): Markers | null {
    let at = end;
    while (at > 4 && end - at < 16 && this.u32(at - 4) === 0) at -= 4;
    const stop = at;
    let last = Number.POSITIVE_INFINITY;
    while (at >= 4 && last > 0) {
      const value = this.u32(at - 4);
      if (value >= last) {
        this.spend((stop - at) / 4);
        return null;
      }
      last = value;
      at -= 4;
    }
    const count = (stop - at) / 4;
    this.spend(count);
    return last === 0 && count > fewest ? { at, count, last: this.u32(stop - 4) } : null;
  }

  /** The names end before the markers; how many they are lies 4 or 8 bytes before them. */
  private namesBefore(markers: Markers): Names | null {
    const behind = markers.at - markers.last;
    const limit = Math.max(16, behind - namesAMarker * longestName);
    if (behind <= limit || !this.spend((behind - limit) / 2)) return null;
    for (let names = (behind - 1) & ~3; names > limit; names -= 4) {
      for (const gap of [8, 4]) {
        const count = this.u32(names - gap);
        if (count <= (markers.count - 1) * namesAMarker || count > markers.count * namesAMarker) continue;
        if (this.namesFit(names, count, markers)) return { names, count, countAt: names - gap };
      }
    }
    return null;
  }

  private namesFit(names: number, count: number, markers: Markers): boolean {
    const { bytes } = this.image;
    let at = names;
    for (let i = 0; i < count; i += 1) {
      const isMarked = i % namesAMarker === 0;
      if (isMarked && !this.spend(namesAMarker)) return false;
      if (isMarked && at - names !== this.u32(markers.at + (i / namesAMarker) * 4)) return false;
      let length = bytes[at] ?? 0;
      if (length >= 0x80) {
        length = (length & 0x7f) | ((bytes[at + 1] ?? 0) << 7);
        at += 1;
      }
      at += 1 + length;
      if (at > markers.at) return false;
    }
    return markers.at - at <= 16;
  }

  /** A per-CPU table can look as if it ascended from its place: so a base is looked for first. */
  private offsetsOf(
    { count, countAt }: Names,
    indexEnd: number,
  ): { offsets: number; relativeBase: number | null } | null {
    const size = alignUp(count * 4, 8);
    const behind = alignUp(indexEnd, 8);
    if (this.isImageAddress(behind + size)) return { offsets: behind, relativeBase: behind + size };
    if (this.ascendsFromItself(indexEnd)) return { offsets: indexEnd, relativeBase: null };
    const before = countAt - 8;
    if (this.isImageAddress(before)) return { offsets: before - size, relativeBase: before };
    return null;
  }

  private isImageAddress(at: number): boolean {
    return this.u32(at + 4) === 0xffff_ffff && this.u32(at) >= 0x8000_0000;
  }

  /** The first symbols are those of the text, far below the table; zeroes would point at themselves. */
  private ascendsFromItself(table: number): boolean {
    let good = 0;
    let last = -1;
    for (let at = table; at < table + 800; at += 4) {
      const offset = this.i32(at);
      const place = at + offset;
      if (offset > -farBelow || place < Math.max(0, last)) continue;
      good += 1;
      last = place;
    }
    return good > 190;
  }
}

export const findKallsyms = (image: Image): KallsymsPlaces | null => new Search(image).find();
