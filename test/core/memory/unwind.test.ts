import { describe, expect, test } from 'vitest';
import { Code } from '../../../src/core/memory/code.js';
import { unwindRecords } from '../../../src/core/memory/frame-records.js';
import { X86_REGS } from '../../../src/core/memory/pt-regs.js';
import { StackCopy } from '../../../src/core/memory/stack-words.js';
import { unwindOrc } from '../../../src/core/memory/unwind.js';
import { OrcTable, orcFormat } from '../../../src/core/memory/orc.js';
import { encodeOrc, FakeMemory, fakeKernel, TEXT, type OrcSpec } from './fake-kernel.js';

/** One function every 0x100 bytes. */
const FUNCTIONS = [
  'fork_end',
  'leaf',
  'saves_bp',
  'by_bp',
  'entry',
  'irq',
  'stack_switch',
  'no_data',
  'drap',
];
const at = (name: string, offset = 0x10) => TEXT + BigInt(0x100 * FUNCTIONS.indexOf(name) + offset);
const CODE: OrcSpec[] = [
  { kind: 'end' },
  { kind: 'call', sp: 'sp', spOffset: 16 },
  { kind: 'call', sp: 'sp', spOffset: 24, bp: 'prev-sp', bpOffset: -16 },
  { kind: 'call', sp: 'bp', spOffset: 16, bp: 'prev-sp', bpOffset: -16 },
  { kind: 'regs', sp: 'sp', signal: true },
  { kind: 'partial-regs', sp: 'sp', spOffset: X86_REGS.ip, signal: true },
  { kind: 'call', sp: 'sp-indirect', spOffset: 8 },
  { kind: 'undefined' },
  { kind: 'call', sp: 'r10' },
];

function code(): Code {
  const memory = new FakeMemory();
  memory.bytes(TEXT, new Uint8Array(8192).fill(0x90));
  for (const name of FUNCTIONS) memory.bytes(at(name, 0x0b), [0xe8, 0, 0, 0, 0]);
  const symbols = FUNCTIONS.map((name): [string, bigint, number] => [name, at(name, 0), 0x100]);
  const entries = encodeOrc('signal', 'new', CODE);
  const places = Int32Array.from(CODE, (_, i) => 0x100 * i - 4 * i);
  const kernel = fakeKernel({ memory, symbols });
  return new Code(kernel, { table: new OrcTable(places, entries, orcFormat(entries)), at: TEXT });
}

const STACK = 0xffff_c900_0000_0000n;

function stack(words: Record<number, bigint | number>): StackCopy {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  for (const [offset, word] of Object.entries(words)) view.setBigUint64(Number(offset), BigInt(word), true);
  return new StackCopy(STACK, bytes);
}

const unwind = (
  words: Record<number, bigint | number>,
  start: Partial<Parameters<typeof unwindOrc>[3]> = {},
) => {
  const from = { ip: at('leaf'), sp: STACK, bp: 0n, signal: false, registers: null, ...start };
  const { frames, ...rest } = unwindOrc(code(), stack(words), X86_REGS, from);
  return { ...rest, names: frames.map(({ symbol }) => symbol), frames };
};

describe('unwindOrc', () => {
  test('calls, a saved frame pointer, and the end of a thread', () => {
    const { names, end, frames } = unwind({
      8: at('saves_bp'),
      // saves_bp: bp at cfa-16, return address at cfa-8, cfa = 16 + 24
      24: STACK + 0x80n,
      32: at('by_bp'),
      // by_bp: cfa = bp + 16
      0x80: 0,
      0x88: at('fork_end'),
    });
    expect(names).toEqual(['leaf', 'saves_bp', 'by_bp', 'fork_end']);
    expect(end).toEqual({ proper: true, why: 'end' });
    expect(frames.map(({ sp }) => Number(sp - STACK))).toEqual([0, 16, 40, 0x90]);
    expect(frames.map(({ called }) => called)).toEqual([true, true, true, null]);
    expect(frames[0]).toMatchObject({ offset: 0x10, size: 0x100, module: null, reliable: true });
  });

  test('the registers of user mode end a stack', () => {
    const { names, end, userRegs } = unwind({ 8: at('entry'), [16 + X86_REGS.cs]: 0x33 });
    expect(names).toEqual(['leaf', 'entry']);
    expect(end).toEqual({ proper: true, why: 'user' });
    expect(userRegs).toBe(STACK + 16n);
  });

  test('an interrupted function is looked up by its very instruction, and has no call before it', () => {
    const { names, frames } = unwind({
      8: at('entry'),
      [16 + X86_REGS.ip]: at('saves_bp', 0),
      [16 + X86_REGS.cs]: 0x10,
      [16 + X86_REGS.sp]: STACK + 0x200n,
      0x210: at('fork_end'),
    });
    expect(names).toEqual(['leaf', 'entry', 'saves_bp', 'fork_end']);
    expect(frames[2]).toMatchObject({ offset: 0, called: null });
  });

  test('what only the CPU pushed lies before the place of the other registers', () => {
    // cfa = sp + ip's offset, so that the registers' base is sp.
    const words = { 8: at('irq'), [16 + X86_REGS.ip]: at('leaf'), [16 + X86_REGS.cs]: 0x10 };
    const { names } = unwind({
      ...words,
      [16 + X86_REGS.sp]: STACK + 0x200n,
      0x208: at('fork_end'),
    });
    expect(names).toEqual(['leaf', 'irq', 'leaf', 'fork_end']);
  });

  test('a switch of stacks', () => {
    const { names } = unwind({ 8: at('stack_switch'), 16: STACK + 0x100n, 0x100: at('fork_end') });
    expect(names).toEqual(['leaf', 'stack_switch', 'fork_end']);
  });

  test('a register is known of what a vCPU runs, and of what was interrupted', () => {
    const words = { 0x1f8: at('fork_end') };
    const start = { ip: at('drap'), signal: true, registers: { r10: STACK + 0x200n } };
    expect(unwind(words, start).names).toEqual(['drap', 'fork_end']);
    expect(unwind(words, { ip: at('drap') }).end).toEqual({
      proper: false,
      why: 'a frame needs the register r10, which is not known',
    });
  });

  test.each([
    ['its frames leave the stack', { 8: at('saves_bp'), 24: 0n, 32: at('by_bp') }],
    ['a frame returns to nowhere', {}],
    ['its frames end in no_data', { 8: at('no_data') }],
    ['no unwind data covers 0xffff888012345678', { 8: 0xffff_8880_1234_5678n }],
  ])('broken: %s', (why, words: Record<number, bigint>) => {
    expect(unwind(words).end).toEqual({ proper: false, why });
  });

  test('frames that come back to where they were end', () => {
    const { end, names } = unwind({ 8: at('stack_switch'), 16: STACK + 8n, 0: 0n }, { sp: STACK });
    expect(end.proper).toBe(false);
    expect(names.length).toBeLessThanOrEqual(512);
  });

  test('code without unwind data: its frame pointer is followed, and the stack stays in doubt', () => {
    const words = { 8: 0xffff_ffff_c000_0123n, 0x80: 0n, 0x88: at('fork_end') };
    const { names, end } = unwind(words, { bp: STACK + 0x80n });
    expect(names).toEqual(['leaf', '0xffffffffc0000123', 'fork_end']);
    expect(end).toEqual({
      proper: false,
      why: 'no unwind data covers 0xffffffffc0000123: frame pointers were followed',
    });
  });
});

describe('unwindRecords', () => {
  const records = (
    arch: 'arm64' | 'x86-64',
    words: Record<number, bigint | number>,
    types: Record<string, number> = {},
  ) => {
    const memory = new FakeMemory();
    memory.bytes(TEXT, new Uint8Array(8192));
    const symbols = FUNCTIONS.map((name): [string, bigint, number] => [name, at(name, 0), 0x100]);
    const note: [string, bigint][] = [['NUMBER(KERNELPACMASK)', 0x7f_0000_0000_0000n]];
    const kernel = fakeKernel({ arch, memory, symbols, types, note });
    const start = { ip: at('leaf'), sp: STACK, bp: STACK, signal: false, registers: null };
    const trace = unwindRecords(new Code(kernel, null), stack(words), start);
    return { names: trace.frames.map(({ symbol }) => symbol), end: trace.end, userRegs: trace.userRegs };
  };

  test('arm64: records to the empty one, signatures taken off', () => {
    const signed = at('by_bp') & ~0x7f_0000_0000_0000n;
    const words = { 0: STACK + 0x40n, 8: signed, 0x40: STACK + 0x80n, 0x48: at('fork_end') };
    expect(records('arm64', words)).toMatchObject({
      names: ['leaf', 'by_bp', 'fork_end'],
      end: { proper: true, why: 'end' },
    });
  });

  const meta = {
    ...{
      'pt_regs.stackframe': 288,
      'pt_regs.stackframe.type': 304,
      'pt_regs.pc': 256,
      'pt_regs.pstate': 264,
    },
  };
  test('arm64 since 6.14: a record of registers leads on, and says where the stack ends', () => {
    const regs = 0x100;
    const base = { 0: STACK + BigInt(regs + 288), 8: at('entry'), [regs + 304]: 2, [regs + 256]: at('irq') };
    const on = { ...base, [regs + 264]: 5, [regs + 8 * 29]: STACK + 0x300n, 0x310: 1 };
    expect(records('arm64', on, meta)).toMatchObject({
      names: ['leaf', 'entry', 'irq'],
      end: { proper: true, why: 'end' },
    });
    expect(records('arm64', { ...base, [regs + 264]: 0 }, meta)).toMatchObject({
      end: { proper: true, why: 'user' },
      userRegs: STACK + BigInt(regs),
    });
    expect(records('arm64', { ...base, [regs + 304]: 9 }, meta).end.proper).toBe(false);
  });

  test('x86: records, and registers that the frame pointer marks', () => {
    const words = { 0: STACK + 0x40n, 8: at('by_bp'), 0x40: STACK + 0x101n, 0x48: at('entry') };
    const inKernel = {
      ...words,
      [0x100 + X86_REGS.cs]: 0x10,
      [0x100 + X86_REGS.ip]: at('irq'),
      [0x100 + X86_REGS.bp]: 0,
    };
    expect(records('x86-64', inKernel)).toMatchObject({
      names: ['leaf', 'by_bp', 'entry', 'irq'],
      end: { proper: true, why: 'end' },
    });
    const user = { ...words, [0x100 + X86_REGS.cs]: 0x33 };
    expect(records('x86-64', user)).toMatchObject({
      end: { proper: true, why: 'user' },
      userRegs: STACK + 0x100n,
    });
  });

  test.each(['arm64', 'x86-64'] as const)('%s: records in a circle end', (arch) => {
    const words = { 0: STACK + 0x40n, 8: at('by_bp'), 0x40: STACK, 0x48: at('irq') };
    expect(records(arch, words)).toMatchObject({
      names: ['leaf', 'by_bp'],
      end: { proper: false, why: 'its frames go back' },
    });
  });
});
