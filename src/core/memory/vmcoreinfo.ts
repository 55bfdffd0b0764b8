/**
 * The VMCOREINFO note: what a kernel with CONFIG_CRASH_CORE or CONFIG_VMCORE_INFO leaves in its RAM for crash dumps,
 * page aligned, from about 1.5 s into the boot. Documentation/admin-guide/kdump/vmcoreinfo.rst.
 */
import { stringAt, viewOf } from './reading.js';
import type { Ram } from './model.js';

export interface Note {
  /** Guest-physical. */
  at: number;
  /** `uname -r` */
  release: string;
  buildId: string | null;
  /** OFFSET(), SIZE(), NUMBER() and SYMBOL() lines by their whole left side, and PAGESIZE. */
  values: ReadonlyMap<string, bigint>;
}

const pageSize = 4096;
const headSize = 24;
/** It has a page, and its head before it. */
const textLimit = pageSize;
const noteName = 'VMCOREINFO';
const nameWord = 0x4f43_4d56;
const vmcoreinfoType = 11;

const valueLine =
  /^((?:SYMBOL|OFFSET|SIZE|NUMBER|LENGTH)\([^)]{1,80}\)|PAGESIZE|KERNELOFFSET)=(-?)(0x)?([0-9a-f]{1,20})$/;

function valueIn(line: string): { key: string; value: bigint } | null {
  const [, key = '', minus, prefix, digits = ''] = valueLine.exec(line) ?? [];
  const isHex = prefix !== undefined || key.startsWith('SYMBOL') || key === 'KERNELOFFSET';
  if (key === '' || (!isHex && /[a-f]/.test(digits))) return null;
  const value = BigInt(isHex ? `0x${digits}` : digits);
  return { key, value: minus === '-' ? -value : value };
}

/** Null where it is no note of a kernel. */
function parseNote(at: number, text: string): Note | null {
  const values = new Map<string, bigint>();
  let release: string | null = null;
  let buildId: string | null = null;
  for (const line of text.split('\n')) {
    const found = valueIn(line);
    if (found !== null) values.set(found.key, found.value);
    release ??= /^OSRELEASE=([\x21-\x7e]{1,64})$/.exec(line)?.[1] ?? null;
    buildId ??= /^BUILD-ID=([0-9a-f]{8,64})$/.exec(line)?.[1] ?? null;
  }
  if (release === null || !values.has('SYMBOL(swapper_pg_dir)') || !values.has('SYMBOL(_stext)')) return null;
  return { at, release, buildId, values };
}

function noteIn(ram: Ram, at: number): Note | null {
  const head = new Uint8Array(headSize);
  if (!ram.read(at, head)) return null;
  const view = viewOf(head);
  const length = view.getUint32(4, true);
  if (view.getUint32(0, true) !== vmcoreinfoType || stringAt(head, 12, 12) !== noteName) return null;
  if (length < 64 || length > textLimit) return null;
  const text = new Uint8Array(length);
  return ram.read(at + headSize, text) ? parseNote(at, stringAt(text, 0, length)) : null;
}

export interface Stretch {
  first: number;
  end: number;
}

const chunkSize = 1 << 20;

/** What a note is believed to be of; null where it is not believed. */
type Belief<T> = (note: Note) => T | null;

/** The first of a stretch of RAM that is believed. */
export function scanForNote<T>(ram: Ram, stretch: Stretch, belief: Belief<T>): T | null {
  // A crash dump may have tens of thousands of small ones.
  const chunk = new Uint8Array(Math.min(chunkSize, Math.max(0, stretch.end - stretch.first)));
  const words = new Uint32Array(chunk.buffer);
  for (let from = stretch.first; from < stretch.end; from += chunkSize) {
    const length = Math.min(chunkSize, stretch.end - from);
    if (!ram.read(from, chunk.subarray(0, length))) continue;
    for (let page = 0; page + pageSize <= length; page += pageSize) {
      const word = page / 4;
      if (words[word + 3] !== nameWord || words[word] !== vmcoreinfoType) continue;
      const note = noteIn(ram, from + page);
      const believed = note === null ? null : belief(note);
      if (believed !== null) return believed;
    }
  }
  return null;
}

/** The note at an address where it was once, if it is there still. */
export function noteAtAddress<T>(ram: Ram, at: number, belief: Belief<T>): T | null {
  if (!Number.isSafeInteger(at) || at < 0 || at % pageSize !== 0) return null;
  const note = noteIn(ram, at);
  return note === null ? null : belief(note);
}

const nearStart = 64 << 20;
const smallGuest = 1 << 30;
const likelyPlaces = 16;

/** Where notes lay in every guest looked at, and the rest. All of a small guest is likely. Page aligned. */
export function placesOf(ram: Ram): { likely: Stretch[]; rest: Stretch[] } {
  const aligned = ram.ranges.map(({ first, end }) => ({
    first: Math.ceil(first / pageSize) * pageSize,
    end: end - (end % pageSize),
  }));
  const size = aligned.reduce((sum, { first, end }) => sum + Math.max(0, end - first), 0);
  if (size <= smallGuest) return { likely: aligned, rest: [] };
  const likely: Stretch[] = [];
  const rest: Stretch[] = [];
  for (const [index, { first, end }] of aligned.entries()) {
    const middle = index < likelyPlaces ? Math.min(end, first + nearStart) : first;
    likely.push({ first, end: middle });
    rest.push({ first: middle, end });
  }
  return { likely, rest };
}
