import { describe, expect, test } from 'vitest';
import { readLog } from '../../../src/core/memory/printk.js';
import { FakeMemory, fakeKernel, TEXT } from './fake-kernel.js';

const RING = 0xffff_8880_0000_0000n;
/** So that the first four slots are on a page of their own. */
const DESCS = RING + 0x1_0000_1000n - 96n;
const INFOS = RING + 0x2_0000_0000n;
const DATA = RING + 0x3_0000_0000n;
const TYPES = {
  ...{ printk_ringbuffer: 96, 'printk_ringbuffer.desc_ring': 0, 'printk_ringbuffer.text_data_ring': 48 },
  ...{ 'prb_desc_ring.count_bits': 0, 'prb_desc_ring.descs': 8, 'prb_desc_ring.infos': 16 },
  ...{ 'prb_desc_ring.head_id': 24, 'prb_desc_ring.tail_id': 32, 'prb_data_ring.size_bits': 0 },
  ...{ 'prb_data_ring.data': 8, prb_desc: 24, 'prb_desc.state_var': 0, 'prb_desc.text_blk_lpos': 8 },
  ...{ 'prb_data_blk_lpos.begin': 0, 'prb_data_blk_lpos.next': 8, printk_info: 88, 'printk_info.seq': 0 },
  ...{ 'printk_info.ts_nsec': 8, 'printk_info.text_len': 16 },
};

interface Record {
  text: string;
  /** Position of the block; odd: it has none. */
  begin?: bigint;
  state?: bigint;
  ns?: number;
}

interface Shape {
  /** The sequence number and id of the first record. */
  first?: bigint;
  sizeBits?: number;
  countBits?: number;
}

function log(records: readonly Record[], { first = 0n, sizeBits = 10, countBits = 3 }: Shape = {}) {
  const memory = new FakeMemory();
  const slots = 2n ** BigInt(countBits);
  memory.bytes(RING, new Uint8Array(0x1000));
  memory.bytes(DATA, new Uint8Array(0x10000));
  for (let slot = 0; slot < 8; slot++) {
    memory.bytes(DESCS + BigInt(slot * 24), new Uint8Array(24));
    memory.bytes(INFOS + BigInt(slot * 88), new Uint8Array(88));
  }
  memory.u32(RING, countBits);
  memory.u64(RING + 8n, DESCS);
  memory.u64(RING + 16n, INFOS);
  memory.u64(RING + 24n, first + BigInt(records.length) - 1n);
  memory.u64(RING + 32n, first);
  memory.u32(RING + 48n, sizeBits);
  memory.u64(RING + 56n, DATA);
  memory.u64(TEXT, RING);
  let free = 0n;
  records.forEach(({ text, begin, state = 2n, ns = 1_234_567_890 }, i) => {
    const id = first + BigInt(i);
    const slot = id % slots;
    const at = begin ?? free;
    const length = BigInt(new TextEncoder().encode(text).length);
    const next = at + 8n + ((length + 7n) / 8n) * 8n;
    if (begin === undefined) free = next;
    memory.u64(DESCS + slot * 24n, (state << 62n) | id);
    memory.u64(DESCS + slot * 24n + 8n, at);
    memory.u64(DESCS + slot * 24n + 16n, at % 2n === 1n ? at : next);
    memory.u64(INFOS + slot * 88n, id);
    memory.u64(INFOS + slot * 88n + 8n, ns);
    memory.bytes(INFOS + slot * 88n + 16n, [Number(length) & 255, Number(length) >> 8]);
    const size = 1n << BigInt(sizeBits);
    const start = at / size === (next - 1n) / size ? at % size : 0n;
    if (at % 2n === 0n) memory.bytes(DATA + start + 8n, new TextEncoder().encode(text));
  });
  return { memory, kernel: fakeKernel({ memory, types: TYPES, symbols: [['prb', TEXT]] }) };
}

describe('readLog', () => {
  test('each record with its time, each of its lines as well', () => {
    const { kernel } = log([{ text: 'one' }, { text: 'two\nlines', ns: 12_345_678_000_999 }]);
    expect(readLog(kernel)).toEqual({
      text: '[    1.234567] one\n[12345.678000] two\n[12345.678000] lines\n',
      lost: 0,
      leftOut: 0,
    });
  });

  test('a record that would reach over the end of the buffer lies at its beginning', () => {
    const { kernel } = log([{ text: 'far beyond the end', begin: 3n * 1024n - 16n }]);
    expect(readLog(kernel)?.text).toBe('[    1.234567] far beyond the end\n');
  });

  test('what was overwritten, is being written, or found no room, is counted', () => {
    const records = [
      { text: 'kept' },
      { text: '', state: 0n },
      { text: '', begin: 1n },
      { text: '', begin: 3n },
    ];
    const { kernel } = log([...records, { text: 'last', state: 1n }], { first: 20n });
    expect(readLog(kernel)).toEqual({
      text: '[    1.234567] kept\n[    1.234567] \n[    1.234567] last\n',
      lost: 22,
      leftOut: 0,
    });
  });

  test('a record that is reused while it is read is left out', () => {
    const { kernel, memory } = log([{ text: 'one' }, { text: 'two' }]);
    let reads = 0;
    memory.onRead = (va) => {
      if (va === DATA && reads++ === 0) memory.u64(DESCS, (2n << 62n) | 8n);
    };
    expect(readLog(kernel)).toEqual({ text: '[    1.234567] two\n', lost: 1, leftOut: 0 });
  });

  test('ids begin below the greatest number and go through zero', () => {
    const { kernel } = log([{ text: 'one' }, { text: 'two' }], { first: (1n << 62n) - 8n });
    expect(readLog(kernel)?.text).toContain('two');
  });

  test('nothing in it deceives a terminal', () => {
    const { kernel } = log([{ text: 'a\x1b[2Jb\tc\u202e' }]);
    expect(readLog(kernel)?.text).toBe('[    1.234567] a\\x1b[2Jb\tc\\x202e\n');
  });

  test('sizes that no kernel has, and memory that is not there', () => {
    const { kernel, memory } = log([{ text: 'one' }]);
    memory.u32(RING + 48n, 40);
    expect(readLog(kernel)).toBeNull();
    memory.u32(RING + 48n, 10);
    memory.u32(RING, 27);
    expect(readLog(kernel)).toBeNull();
    memory.u32(RING, 3);
    memory.u64(RING + 56n, DATA + 0x10_0000n);
    expect(readLog(kernel)).toBeNull();
    memory.u64(TEXT, 0);
    expect(readLog(kernel)).toBeNull();
    expect(readLog({ ...kernel, layouts: { ...kernel.layouts, offset: () => 1_000_000 } })).toBeNull();
  });

  test('of a buffer of 16 MiB and more, only what is in use is read', () => {
    const last = (1n << 19n) - 1n;
    const { kernel, memory } = log([{ text: 'before' }, { text: 'behind' }], {
      ...{ first: last, sizeBits: 24, countBits: 19 },
    });
    memory.u64(RING + 32n, last - 1n);
    memory.bytes(DESCS + (last - 1n) * 24n, new Uint8Array(24));
    memory.bytes(INFOS + (last - 1n) * 88n, new Uint8Array(88));
    const read: bigint[] = [];
    memory.onRead = (va) => read.push(va);
    // A page of the tables that is read and not there would leave the log out.
    expect(readLog(kernel)?.text).toBe('[    1.234567] before\n[    1.234567] behind\n');
    expect(read.filter((va) => va >= DATA && va < TEXT)).toEqual([DATA, DATA]);
  });

  test('the newest million is read, and the rest counted', () => {
    const { kernel, memory } = log([{ text: 'last' }], { first: (1n << 21n) - 1n, countBits: 21 });
    memory.u64(RING + 32n, 0);
    memory.zeroes = true;
    const { text, lost, leftOut } = readLog(kernel) ?? {};
    expect([text, lost, leftOut]).toEqual(['[    1.234567] last\n', 2 ** 20 - 1, 2 ** 20]);
  });

  test('older records whose memory cannot be read are left out', () => {
    const records = ['one', 'two', 'three', 'four'].map((text) => ({ text }));
    const { kernel, memory } = log(records, { first: 6n });
    memory.pages.delete((DESCS + 96n) >> 12n);
    expect(readLog(kernel)).toEqual({
      ...{ text: '[    1.234567] three\n[    1.234567] four\n', lost: 6, leftOut: 2 },
    });
  });

  test('texts that lie everywhere, and are longer than any, cost no more than others', () => {
    const count = 128;
    const records = Array.from({ length: count }, (_, index) => ({
      text: '\n'.repeat(9_000),
      begin: BigInt(index) << 20n,
    }));
    const { kernel, memory } = log(records, { sizeBits: 31, countBits: 7 });
    memory.zeroes = true;
    let reads = 0;
    memory.onRead = (va) => (reads += Number(va >= DATA && va < TEXT));
    expect(readLog(kernel)?.lost).toBe(count - 64);
    expect(reads).toBe(64);
    expect(readLog(kernel)?.text).toHaveLength(64 * 16 * 8193);
  });

  test("the note's layout goes before that of the types", () => {
    const { kernel } = log([{ text: 'one' }]);
    const note = new Map([['OFFSET(printk_info.text_len)', 20n]]);
    expect(readLog({ ...kernel, note })?.text).toBe('[    1.234567] \n');
  });
});
