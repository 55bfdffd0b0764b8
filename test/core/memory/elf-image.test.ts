import { describe, expect, it } from 'vitest';
import { parseElfHeader, parseElfNotes, parseElfPrograms } from '../../../src/core/memory/elf-image.js';

function header(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const view = new DataView(bytes.buffer);
  view.setUint16(16, 4, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  change(view);
  return bytes;
}

function programs(rows: readonly [type: number, at: number, first: number, size: number][]): Uint8Array {
  const bytes = new Uint8Array(rows.length * 56);
  const view = new DataView(bytes.buffer);
  for (const [index, [type, at, first, size]] of rows.entries()) {
    view.setUint32(index * 56, type, true);
    for (const [offset, value] of [
      [8, at],
      [24, first],
      [32, size],
    ] as const)
      view.setBigUint64(index * 56 + offset, BigInt(value), true);
  }
  return bytes;
}

describe('parseElfHeader', () => {
  it('finds the program headers of a core image', () => {
    expect(parseElfHeader(header())).toEqual({ arch: 'x86-64', programs: { at: 64, count: 2 } });
    expect(parseElfHeader(header((view) => view.setUint16(18, 183, true)))).toMatchObject({ arch: 'arm64' });
  });

  it.each([
    ['no ELF file', new Uint8Array(64)],
    ['no ELF file', header().subarray(0, 40)],
    ['64-bit little-endian', header((view) => view.setUint8(4, 1))],
    ['no core image', header((view) => view.setUint16(16, 2, true))],
    ['ELF machine 22', header((view) => view.setUint16(18, 22, true))],
    ['damaged', header((view) => view.setUint16(56, 0, true))],
    ['damaged', header((view) => view.setUint16(54, 32, true))],
    ['damaged', header((view) => view.setBigUint64(32, 2n ** 60n, true))],
  ])('says why it is none: %s', (why, bytes) => {
    expect(parseElfHeader(bytes)).toContain(why);
  });
});

describe('parseElfPrograms', () => {
  it('gives stretches of RAM in their order, and the notes', () => {
    const rows = programs([
      [4, 200, 0, 40],
      [1, 5000, 0x10_0000, 1000],
      [1, 1000, 0, 4000],
    ]);
    expect(parseElfPrograms(rows, 10_000)).toEqual({
      segments: [
        { first: 0, end: 4000, at: 1000 },
        { first: 0x10_0000, end: 0x10_0000 + 1000, at: 5000 },
      ],
      notes: [{ at: 200, size: 40 }],
      ram: { promised: 5000, missing: 0 },
    });
  });

  it('keeps what a file that was cut short still holds, tells what it lacks, and holds nothing twice', () => {
    const rows = programs([
      [1, 1000, 0, 4000],
      [1, 1000, 2000, 4000],
      [1, 9000, 8000, 4000],
      [1, 99_000, 2 ** 30, 9],
    ]);
    expect(parseElfPrograms(rows, 10_000)).toEqual({
      segments: [
        { first: 0, end: 4000, at: 1000 },
        { first: 4000, end: 6000, at: 3000 },
        { first: 8000, end: 9000, at: 9000 },
      ],
      notes: [],
      ram: { promised: 12_009, missing: 3009 },
    });
  });

  it('takes 16 MB of notes together, however many say that they are as long', () => {
    const rows = programs([
      ...Array.from({ length: 3 }, () => [4, 0, 0, 10 * 2 ** 20] as const),
      [4, 0, 0, 40],
    ] as [number, number, number, number][]);
    expect(parseElfPrograms(rows, 2 ** 30).notes.map(({ size }) => size)).toEqual([
      10 * 2 ** 20,
      6 * 2 ** 20,
    ]);
  });

  it('reads all RAM of a vmcore whose kernel’s text begins where the RAM does', () => {
    const rows = programs([
      [1, 4096, 2 ** 20, 1000],
      [1, 8192, 2 ** 20, 5000],
    ]);
    expect(parseElfPrograms(rows, 20_000).segments).toEqual([
      { first: 2 ** 20, end: 2 ** 20 + 1000, at: 4096 },
      { first: 2 ** 20 + 1000, end: 2 ** 20 + 5000, at: 9192 },
    ]);
  });
});

function note(name: string, type: number, desc: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + 8 + Math.ceil(desc.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length + 1, true);
  view.setUint32(4, desc.length, true);
  view.setUint32(8, type, true);
  bytes.set(new TextEncoder().encode(name), 12);
  bytes.set(desc, 20);
  return bytes;
}

const STATUS_AT = 112;
const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('parseElfNotes', () => {
  const status = new Uint8Array(336);
  const words = new DataView(status.buffer);
  words.setBigUint64(STATUS_AT + 16 * 8, 0xffff_ffff_8100_0000n, true);
  words.setBigUint64(STATUS_AT + 17 * 8, 0x10n, true);
  words.setBigUint64(STATUS_AT + 18 * 8, 0x46n, true);
  words.setBigUint64(STATUS_AT + 19 * 8, 0xffff_c900_0000_0000n, true);
  const state = new Uint8Array(440);
  const qemu = new DataView(state.buffer);
  qemu.setUint32(0, 1, true);
  qemu.setBigUint64(8 + 18 * 8 + 8 * 24 + 16, 0xffff_fe00_0000_1000n, true);
  qemu.setBigUint64(8 + 18 * 8 + 10 * 24 + 3 * 8, 0x1234_5000n, true);

  it('reads the registers of each CPU, with what QEMU adds', () => {
    const [one, two, ...rest] = parseElfNotes(
      joined([
        note('CORE', 1, status),
        note('CORE', 1, status),
        note('QEMU', 0, state),
        note('QEMU', 0, state),
      ]),
      'x86-64',
    );
    expect(rest).toEqual([]);
    expect(one).toMatchObject({
      vcpu: 0,
      user: false,
      interruptsOff: true,
      cr3: 0x1234_5000n,
      gdt: 0xffff_fe00_0000_1000n,
    });
    expect(one?.general).toMatchObject({ ip: 0xffff_ffff_8100_0000n, sp: 0xffff_c900_0000_0000n, ax: 0n });
    expect(two?.vcpu).toBe(1);
  });

  it('reads those of kdump, which has no more', () => {
    expect(parseElfNotes(note('CORE', 1, status), 'x86-64')).toMatchObject([
      { vcpu: 0, cr3: null, gdt: null },
    ]);
  });

  it('ends at a note that is longer than the rest', () => {
    const cut = joined([note('CORE', 1, status), note('CORE', 1, status)]);
    new DataView(cut.buffer).setUint32(356 + 4, 0xffff_fff0, true);
    expect(parseElfNotes(cut, 'x86-64')).toHaveLength(1);
    expect(parseElfNotes(new Uint8Array(11), 'x86-64')).toEqual([]);
  });
});
