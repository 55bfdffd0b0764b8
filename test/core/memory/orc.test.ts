import { describe, expect, test } from 'vitest';
import { isCallBefore } from '../../../src/core/memory/calls.js';
import { decodeOrc, orcFormat, OrcTable } from '../../../src/core/memory/orc.js';
import { encodeOrc, type OrcBits, type OrcSpec } from './fake-kernel.js';

const CODE: readonly OrcSpec[] = [
  { kind: 'end' },
  { kind: 'call', sp: 'sp', spOffset: 8 },
  { kind: 'call', sp: 'sp', spOffset: 16, bp: 'prev-sp', bpOffset: -16 },
  { kind: 'call', sp: 'bp', spOffset: 16, bp: 'bp', bpOffset: -8 },
  { kind: 'regs', sp: 'sp', signal: true },
  { kind: 'partial-regs', sp: 'sp', spOffset: 8, signal: true },
  { kind: 'call', sp: 'sp-indirect', spOffset: 8 },
  { kind: 'call', sp: 'sp', spOffset: 32 },
  { kind: 'call', sp: 'r10', spOffset: 0 },
  { kind: 'undefined' },
];

describe('ORC', () => {
  const generations: [string, OrcBits, 'old' | 'new'][] = [
    ['6.1', 'end', 'old'],
    ['6.3', 'signal-end', 'old'],
    ['6.12', 'signal', 'old'],
    ['7.x', 'signal', 'new'],
  ];
  test.each(generations)('entries of %s are told by the whole table', (_, bits, numbering) => {
    const entries = encodeOrc(bits, numbering, CODE);
    const format = orcFormat(entries);
    expect(format.bits).toBe(bits);
    CODE.forEach(({ kind, sp = 'undefined', spOffset = 0, bp = 'undefined', bpOffset = 0 }, i) => {
      expect(decodeOrc(format, entries, i)).toMatchObject({
        ...{ kind, sp, bp, spOffset: BigInt(spOffset), bpOffset: BigInt(bpOffset) },
        signal: kind === 'regs' || kind === 'partial-regs',
      });
    });
  });

  test('an address has the entry of the last place at or before it', () => {
    const entries = encodeOrc('signal', 'new', CODE);
    const places = Int32Array.from(CODE, (_, i) => 1000 + 16 * i - 4 * i);
    const table = new OrcTable(places, entries, orcFormat(entries));
    expect(table.find(999)).toBeNull();
    expect(table.find(1000)?.kind).toBe('end');
    expect(table.find(1015)?.kind).toBe('end');
    expect(table.find(1016)).toMatchObject({ kind: 'call', spOffset: 8n });
    expect(table.find(1_000_000)?.kind).toBe('undefined');
  });
});

const pad = (...bytes: number[]) =>
  Uint8Array.from([...new Array<number>(8 - bytes.length).fill(0x90), ...bytes]);

describe('the call before a return address', () => {
  test.each([
    ['call rel32', pad(0xe8, 1, 2, 3, 4)],
    ['call *%rax', pad(0xff, 0xd0)],
    ['call *%r11', pad(0x41, 0xff, 0xd3)],
    ['call *0x18(%rax)', pad(0xff, 0x50, 0x18)],
    ['call *(%rax)', pad(0xff, 0x10)],
    ['call *0x12345678(%rbx)', pad(0xff, 0x93, 0x78, 0x56, 0x34, 0x12)],
    ['call *table(,%rax,8)', pad(0xff, 0x14, 0xc5, 0, 0, 0, 0x81)],
    ['call *0x100(%r12)', pad(0x41, 0xff, 0x94, 0x24, 0, 1, 0, 0)],
  ])('x86: %s', (_, bytes) => {
    expect(isCallBefore('x86-64', bytes)).toBe(true);
  });

  test.each([
    ['jmp *%rax', pad(0xff, 0xe0)],
    ['push 0x18(%rax)', pad(0xff, 0x70, 0x18)],
    ['nothing', pad()],
    ['a call that ends before', pad(0xff, 0xd0, 0x90)],
  ])('x86: not %s', (_, bytes) => {
    expect(isCallBefore('x86-64', bytes)).toBe(false);
  });

  const arm = (word: number) => new Uint8Array(new Uint32Array([0, word]).buffer);
  test.each([
    ['bl', 0x97ffff00, true],
    ['blr x8', 0xd63f0100, true],
    ['blraa x8, x9', 0xd73f0909, true],
    ['blraaz x8', 0xd63f091f, true],
    ['br x8', 0xd61f0100, false],
    ['b', 0x17ffff00, false],
    ['ret', 0xd65f03c0, false],
  ])('arm64: %s', (_, word, call) => {
    expect(isCallBefore('arm64', arm(word))).toBe(call);
  });
});
