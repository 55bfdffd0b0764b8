/** The kernel's log out of its ring buffer (kernel/printk/printk_ringbuffer.h, 5.10 and later). */
import { replaceUnsafe } from '../printable.js';
import { allKnown } from './known.js';
import type { Kernel } from './model.js';
import { isKernelAddress, u64, readWords, type Words } from './reading.js';

interface KernelLog {
  /** `[    1.234567] text`, each line of a record with its time, as a console prints it. */
  text: string;
  /** Records that were overwritten, or have no text any more. */
  lost: number;
}

/** 2^18 records, 2^26 bytes: log_buf_len is at most 64 MiB here, larger ones exist nowhere but in its manual. */
const COUNT_BITS_MAX = 18;
const SIZE_BITS_MAX = 26;
const STRUCT_MAX = 4096;
/** Of all lines together: a record of one byte a line would grow by its times. */
const TEXT_MAX = 64 * 1024 * 1024;

/** Null where the buffer cannot be found or read. */
export function readLog(kernel: Kernel): KernelLog | null {
  kernel.space.forget();
  const layout = ringLayout(kernel);
  const ring = layout === null ? null : readRing(kernel, layout);
  if (layout === null || ring === null) return null;
  const lines: string[] = [];
  const state = { found: 0, first: null as bigint | null, last: 0n, size: 0 };
  for (let id = ring.tail, left = ring.count; left > 0; id = (id + 1n) & ID_MASK, left--) {
    const record = recordOf(layout, ring, id);
    if (record !== null && state.size < TEXT_MAX) {
      state.found++;
      state.first ??= record.seq;
      state.last = record.seq;
      const stamp = stampOf(record.ns);
      for (const line of record.text.split('\n')) {
        lines.push(`${stamp}${printableLine(line)}`);
        state.size += stamp.length + line.length + 1;
      }
    }
    if (id === ring.head) break;
  }
  const written = state.first === null ? 0n : state.last + 1n;
  const lost = Math.max(0, Number(written) - state.found);
  return { text: lines.map((line) => `${line}\n`).join(''), lost };
}

/** As dmesg: what could make a terminal lie is spelled out. */
const printableLine = (line: string): string =>
  replaceUnsafe(line, (mark) =>
    mark === '\t' ? mark : `\\x${(mark.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );

function stampOf(ns: number): string {
  const micros = Math.floor(ns / 1000);
  const seconds = String(Math.floor(micros / 1e6)).padStart(5, ' ');
  return `[${seconds}.${String(micros % 1e6).padStart(6, '0')}] `;
}

const ID_MASK = (1n << 62n) - 1n;
/** desc_committed and desc_finalized, in the two bits above the id. */
const COMMITTED = 1n;
const FINALIZED = 2n;
/** Positions with bit 0 set hold no text: 1 where there was no room, 3 for an empty line. */
const EMPTY_LINE = 3n;

interface LogRecord {
  seq: bigint;
  ns: number;
  text: string;
}

function recordOf(layout: Layout, ring: Ring, id: bigint): LogRecord | null {
  const index = Number(id & BigInt(ring.slots - 1));
  const at = index * layout.desc.size;
  const info = index * layout.info.size;
  const word = ring.descs.u64(at + layout.desc.state);
  const state = word >> 62n;
  if ((word & ID_MASK) !== id || (state !== COMMITTED && state !== FINALIZED)) return null;
  const begin = ring.descs.u64(at + layout.desc.begin);
  const next = ring.descs.u64(at + layout.desc.next);
  // Reused while it was read: its text is another's.
  if (ring.again.u64(at + layout.desc.state) !== word) return null;
  const text = textOf(ring, { begin, next, length: ring.infos.u16(info + layout.info.length) });
  if (text === null) return null;
  return { seq: ring.infos.u64(info + layout.info.seq), ns: ring.infos.counter(info + layout.info.ns), text };
}

/** Before each text stands the id of its record. */
const ID_SIZE = 8;
const utf8 = new TextDecoder();

function textOf(
  { data }: Ring,
  { begin, next, length }: { begin: bigint; next: bigint; length: number },
): string | null {
  if ((begin & 1n) === 1n) return begin === EMPTY_LINE ? '' : null;
  const size = BigInt(data.length);
  // A block that would reach over the end lies at the beginning.
  const wraps = begin / size !== (next - 1n) / size;
  const at = (wraps ? 0 : Number(begin % size)) + ID_SIZE;
  if (at + length > data.length) return null;
  return utf8.decode(data.subarray(at, at + length));
}

interface Ring {
  slots: number;
  descs: Words;
  again: Words;
  infos: Words;
  data: Uint8Array;
  tail: bigint;
  head: bigint;
  count: number;
}

function readRing(kernel: Kernel, layout: Layout): Ring | null {
  const { space } = kernel;
  // What SYMBOL(prb) names is a pointer to the buffer in use.
  const pointer = kernel.note.get('SYMBOL(prb)') ?? kernel.symbols.address('prb');
  const ring = kernel.object('prb') ?? (pointer === null ? null : u64(space, pointer));
  const head = ring === null || !isKernelAddress(ring) ? null : readWords(space, ring, layout.span);
  if (head === null) return null;
  const bits = head.u32(layout.countBits);
  const sizeBits = head.u32(layout.sizeBits);
  if (bits > COUNT_BITS_MAX || sizeBits > SIZE_BITS_MAX) return null;
  const slots = 2 ** bits;
  const infos = readWords(space, head.u64(layout.infos), slots * layout.info.size);
  const at = head.u64(layout.descs);
  const descs = readWords(space, at, slots * layout.desc.size);
  const data = readWords(space, head.u64(layout.data), 2 ** sizeBits);
  const again = readWords(space, at, slots * layout.desc.size);
  if (infos === null || descs === null || data === null || again === null) return null;
  const tail = head.u64(layout.tail) & ID_MASK;
  const last = head.u64(layout.head) & ID_MASK;
  return { ...{ slots, descs, again, infos, tail, head: last, count: slots }, data: data.bytes };
}

type Layout = NonNullable<ReturnType<typeof ringLayout>>;

/** By the note, which lists all of them for crash tools; else by the types. */
function ringLayout({ note, layouts }: Kernel) {
  const offset = (struct: string, member: string) => {
    const noted = note.get(`OFFSET(${struct}.${member})`);
    return noted === undefined ? layouts.offset(struct, member) : Number(noted);
  };
  const size = (struct: string) => {
    const noted = note.get(`SIZE(${struct})`);
    return noted === undefined ? layouts.size(struct) : Number(noted);
  };
  const at = allKnown({
    ring: size('printk_ringbuffer'),
    descRing: offset('printk_ringbuffer', 'desc_ring'),
    textRing: offset('printk_ringbuffer', 'text_data_ring'),
    countBits: offset('prb_desc_ring', 'count_bits'),
    descs: offset('prb_desc_ring', 'descs'),
    infos: offset('prb_desc_ring', 'infos'),
    head: offset('prb_desc_ring', 'head_id'),
    tail: offset('prb_desc_ring', 'tail_id'),
    sizeBits: offset('prb_data_ring', 'size_bits'),
    data: offset('prb_data_ring', 'data'),
    desc: size('prb_desc'),
    state: offset('prb_desc', 'state_var'),
    block: offset('prb_desc', 'text_blk_lpos'),
    begin: offset('prb_data_blk_lpos', 'begin'),
    next: offset('prb_data_blk_lpos', 'next'),
    info: size('printk_info'),
    seq: offset('printk_info', 'seq'),
    ns: offset('printk_info', 'ts_nsec'),
    length: offset('printk_info', 'text_len'),
  });
  return at === null || Object.values(at).some((one) => !(one >= 0 && one <= STRUCT_MAX)) ? null : placed(at);
}

/** Offsets from the beginning of each struct; null where one lies outside of it. */
function placed(at: Record<RingMember, number>) {
  const { descRing, textRing, block } = at;
  const head = {
    countBits: descRing + at.countBits,
    descs: descRing + at.descs,
    infos: descRing + at.infos,
    head: descRing + at.head,
    tail: descRing + at.tail,
    sizeBits: textRing + at.sizeBits,
    data: textRing + at.data,
  };
  const desc = { state: at.state, begin: block + at.begin, next: block + at.next };
  const info = { seq: at.seq, ns: at.ns, length: at.length };
  const fits = (members: Record<string, number>, size: number) =>
    Math.max(...Object.values(members)) + 8 <= size;
  if (!fits(head, at.ring) || !fits(desc, at.desc) || !fits(info, at.info)) return null;
  return { ...head, span: at.ring, desc: { ...desc, size: at.desc }, info: { ...info, size: at.info } };
}

type RingMember =
  | (
      | 'ring'
      | 'descRing'
      | 'textRing'
      | 'countBits'
      | 'descs'
      | 'infos'
      | 'head'
      | 'tail'
      | 'sizeBits'
      | 'data'
    )
  | ('desc' | 'state' | 'block' | 'begin' | 'next' | 'info' | 'seq' | 'ns' | 'length');
