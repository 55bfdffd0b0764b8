/** The kernel's log out of its ring buffer (kernel/printk/printk_ringbuffer.h, 5.10 and later). */
import { replaceUnsafe } from '../printable.js';
import { allKnown } from './known.js';
import type { Kernel } from './model.js';
import { isKernelAddress, u64, readWords } from './reading.js';

export interface KernelLog {
  /** `[    1.234567] text`, each line of a record with its time, as a console prints it. */
  text: string;
  /** Records that were overwritten, or have no text any more. */
  lost: number;
  /** Older records that were not read: they would have been too many, or their memory could not be read. */
  leftOut: number;
}

/** log_buf_len is at most 2 GiB, of which a record takes 32 bytes by the kernel's own reckoning. */
const COUNT_BITS_MAX = 26;
const SIZE_BITS_MAX = 31;
const STRUCT_MAX = 4096;
/** Of all lines together, the newest: a full buffer of 16 MiB fits. */
const TEXT_MAX = 32 * 2 ** 20;
/** Looked at, the newest: also those that have no text. */
const RECORDS_MAX = 2 ** 20;
/** Read at once. A large buffer is mostly empty, and a full one is more than should be held at a time. */
const PIECE = 2048;
const BLOCK = 2 ** 16;
/** Of a piece, whose records have a kilobyte each at most (PRINTKRB_RECORD_MAX in kernel/printk/printk.c). */
const BLOCKS_MAX = 64;
const RECORD_MAX = 8192;

/** From the newest record backwards, as many as the limits let in. Null where the buffer cannot be found or read. */
export function readLog(kernel: Kernel): KernelLog | null {
  kernel.space.forget();
  const layout = ringLayout(kernel);
  const ring = layout === null ? null : readRing(kernel, layout);
  if (layout === null || ring === null) return null;
  const texts: string[] = [];
  let [size, left] = [0, ring.count];
  let last: bigint | null = null;
  const least = Math.max(0, ring.count - RECORDS_MAX);
  for (let id = ring.head; left > least && size < TEXT_MAX;) {
    // Up to the beginning of the tables, where they go on at their end.
    const count = Math.min(PIECE, left - least, Number(id & BigInt(ring.slots - 1)) + 1);
    const first = (id - BigInt(count - 1)) & ID_MASK;
    const records = readPiece(kernel, { ring, layout, first, count });
    if (records === null) break;
    for (const record of records) {
      left -= 1;
      if (record === null) continue;
      last ??= record.seq;
      const text = linesOf(record);
      texts.push(text);
      size += text.length;
      if (size >= TEXT_MAX) break;
    }
    id = (first - 1n) & ID_MASK;
  }
  if (left === ring.count) return null;
  const written = last === null ? 0 : Number(last) + 1;
  const lost = Math.max(0, written - texts.length - left);
  return { text: texts.reverse().join(''), lost, leftOut: left };
}

function linesOf({ ns, text }: LogRecord): string {
  const stamp = stampOf(ns);
  return text
    .split('\n')
    .map((line) => `${stamp}${printableLine(line)}\n`)
    .join('');
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

interface Piece {
  ring: Ring;
  layout: Layout;
  /** The id of its first record. */
  first: bigint;
  /** They lie one behind the other in the tables. */
  count: number;
}

/** Newest first, null for one that is not there; null where its memory cannot be read. */
function readPiece({ space }: Kernel, { ring, layout, first, count }: Piece): (LogRecord | null)[] | null {
  const { desc, info } = layout;
  const slot = first & BigInt(ring.slots - 1);
  const at = ring.descs + slot * BigInt(desc.size);
  const descs = readWords(space, at, count * desc.size);
  const infos = readWords(space, ring.infos + slot * BigInt(info.size), count * info.size);
  if (descs === null || infos === null) return null;
  const data = new TextBlocks(space, ring);
  const texts = new Map<number, string>();
  for (let index = count - 1; index >= 0; index--) {
    const here = index * desc.size;
    const word = descs.u64(here + desc.state);
    const [state, id] = [word >> 62n, (first + BigInt(index)) & ID_MASK];
    if ((word & ID_MASK) !== id || (state !== COMMITTED && state !== FINALIZED)) continue;
    const [begin, next] = [descs.u64(here + desc.begin), descs.u64(here + desc.next)];
    const text = data.text({ begin, next, length: infos.u16(index * info.size + info.length) });
    if (text !== null) texts.set(index, text);
  }
  const again = readWords(space, at, count * desc.size);
  if (again === null || data.unreadable) return null;
  return Array.from({ length: count }, (_, back) => {
    const index = count - 1 - back;
    const text = texts.get(index);
    const here = index * desc.size + desc.state;
    // Reused while it was read: its text is another's.
    if (text === undefined || again.u64(here) !== descs.u64(here)) return null;
    const own = index * info.size;
    return { seq: infos.u64(own + info.seq), ns: infos.counter(own + info.ns), text };
  });
}

/** Before each text stands the id of its record. */
const ID_SIZE = 8;
const utf8 = new TextDecoder();

/** The texts' buffer, of which as much is read as the records of a piece have in it. */
class TextBlocks {
  unreadable = false;
  private readonly blocks = new Map<number, Uint8Array>();
  private readonly block: number;

  constructor(
    private readonly space: Kernel['space'],
    private readonly ring: Pick<Ring, 'data' | 'size'>,
  ) {
    this.block = Math.min(BLOCK, ring.size);
  }

  text({ begin, next, ...record }: { begin: bigint; next: bigint; length: number }): string | null {
    const length = Math.min(record.length, RECORD_MAX);
    if ((begin & 1n) === 1n) return begin === EMPTY_LINE ? '' : null;
    const size = BigInt(this.ring.size);
    // A block that would reach over the end lies at the beginning.
    const wraps = begin / size !== (next - 1n) / size;
    const at = (wraps ? 0 : Number(begin % size)) + ID_SIZE;
    if (at + length > this.ring.size) return null;
    const within = at % this.block;
    const first = this.at(at - within)?.subarray(within, within + length);
    if (first === undefined || first.length === length)
      return first === undefined ? null : utf8.decode(first);
    const rest = this.at(at - within + this.block)?.subarray(0, length - first.length);
    return rest === undefined ? null : utf8.decode(new Uint8Array([...first, ...rest]));
  }

  private at(offset: number): Uint8Array | null {
    const known = this.blocks.get(offset);
    if (known !== undefined) return known;
    if (this.unreadable || this.blocks.size >= BLOCKS_MAX) return null;
    const words = readWords(this.space, this.ring.data + BigInt(offset), this.block);
    if (words === null) this.unreadable = true;
    else this.blocks.set(offset, words.bytes);
    return words?.bytes ?? null;
  }
}

interface Ring {
  slots: number;
  descs: bigint;
  infos: bigint;
  data: bigint;
  /** Of the data, in bytes. */
  size: number;
  /** The id of the newest record. */
  head: bigint;
  /** From the oldest record on, so many as there can be. */
  count: number;
}

function readRing(kernel: Kernel, layout: Layout): Ring | null {
  const { space } = kernel;
  // What SYMBOL(prb) names is a pointer to the buffer in use.
  const pointer = kernel.note.get('SYMBOL(prb)') ?? kernel.symbols.address('prb');
  const ring = kernel.object('prb') ?? (pointer === null ? null : u64(space, pointer));
  const words = ring === null || !isKernelAddress(ring) ? null : readWords(space, ring, layout.span);
  if (words === null) return null;
  const bits = words.u32(layout.countBits);
  const sizeBits = words.u32(layout.sizeBits);
  if (bits > COUNT_BITS_MAX || sizeBits > SIZE_BITS_MAX) return null;
  const slots = 2 ** bits;
  const head = words.u64(layout.head) & ID_MASK;
  const tail = words.u64(layout.tail) & ID_MASK;
  const between = Number((head - tail) & ID_MASK);
  return {
    ...{ slots, head, size: 2 ** sizeBits, count: Math.min(slots, between + 1) },
    descs: words.u64(layout.descs),
    infos: words.u64(layout.infos),
    data: words.u64(layout.data),
  };
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
