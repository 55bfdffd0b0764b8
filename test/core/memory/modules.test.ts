import { describe, expect, test } from 'vitest';
import { Code } from '../../../src/core/memory/code.js';
import { readModules, type Budget } from '../../../src/core/memory/modules.js';
import { MODULE_TYPES } from './fake-guest.js';
import { encodeOrc, FakeMemory, fakeKernel, TEXT } from './fake-kernel.js';

const HEAD = TEXT + 0x9_2000n;
const structAt = (n: number) => 0xffff_ffff_c010_0000n + BigInt(n) * 0x1000n;
const textAt = (n: number) => 0xffff_ffff_c000_0000n + BigInt(n) * 0x4000n;
const INIT = 0xffff_ffff_c080_0000n;
const OLD_TYPES = {
  ...{ 'module.list.next': 8, 'module.name': 24, 'module.kallsyms': 96, 'module.core_layout.base': 104 },
  ...{
    'module.core_layout.text_size': 116,
    'module.init_layout.base': 136,
    'module.init_layout.text_size': 148,
  },
  ...{ 'module.arch.num_orcs': 240, 'module.arch.orc_unwind_ip': 248, 'module.arch.orc_unwind': 256 },
};

type Symbol = [string, bigint, number?];

/** Modules with their symbols; `old`: as up to 6.3. */
function guest(modules: { name: string; symbols: Symbol[]; state?: number; init?: boolean }[], old = false) {
  const memory = new FakeMemory();
  memory.bytes(TEXT, new Uint8Array(0x1000));
  const chain = [HEAD, ...modules.map((_, n) => structAt(n) + 8n)];
  chain.forEach((at, i) => memory.u64(at, chain[(i + 1) % chain.length]!));
  modules.forEach(({ name, symbols, state = 0, init = false }, n) => {
    const at = structAt(n);
    memory.u32(at, state);
    memory.text(at + 24n, name);
    const base = old ? 104n : 104n;
    const size = old ? 116n : 112n;
    memory.u64(at + base, textAt(n));
    memory.u32(at + size, 0x2000);
    if (init) memory.u64(at + (old ? 136n : 168n), INIT);
    memory.u32(at + (old ? 148n : 176n), init ? 0x1000 : 0);
    memory.bytes(textAt(n), new Uint8Array(0x2000).fill(0xe8));
    writeSymbols(memory, at, symbols);
    const orc = at + 0x800n;
    [textAt(n), textAt(n) + 0x100n].forEach((from, i) =>
      memory.u32(orc + BigInt(4 * i), Number(BigInt.asUintN(32, from - orc) - BigInt(4 * i))),
    );
    const entry = { kind: 'call', sp: 'sp', spOffset: 8 } as const;
    memory.bytes(orc + 0x100n, encodeOrc('signal', 'new', [entry, { ...entry, spOffset: 24 }]));
    memory.u32(at + 240n, 2);
    memory.u64(at + 248n, orc);
    memory.u64(at + 256n, orc + 0x100n);
  });
  const types = old ? OLD_TYPES : MODULE_TYPES;
  return { memory, kernel: fakeKernel({ memory, types, symbols: [['modules', HEAD]] }) };
}

function writeSymbols(memory: FakeMemory, module: bigint, symbols: readonly Symbol[]): void {
  const [kallsyms, table, strings] = [module + 0x200n, module + 0x300n, module + 0x600n];
  memory.u64(module + 96n, kallsyms);
  memory.u64(kallsyms, table);
  memory.u32(kallsyms + 8n, symbols.length + 1);
  memory.u64(kallsyms + 16n, strings);
  let name = 1n;
  symbols.forEach(([text, value, section = 1], i) => {
    const at = table + BigInt(24 * (i + 1));
    memory.u32(at, Number(name));
    memory.bytes(at + 6n, [section, 0]);
    memory.u64(at + 8n, value);
    memory.text(strings + name, text);
    name += BigInt(text.length + 1);
  });
}

const budget = (): Budget => ({ left: 1_000_000 });
const SYMBOLS: Symbol[] = [
  ['second', textAt(0) + 0x100n],
  ['.Lmapping', textAt(0) + 0x180n],
  ['first', textAt(0)],
  ['alias', textAt(0)],
  ['undefined', textAt(0) + 0x50n, 0],
  ['', textAt(0) + 0x60n],
  ['data', textAt(0) + 0x8000n],
  ['mod_init', INIT + 0x10n],
];

describe.each([
  ['since 6.4', false],
  ['up to 6.3', true],
])('modules %s', (_, old) => {
  const ext4 = { name: 'ext4', symbols: SYMBOLS, init: true };

  test('their symbols as the kernel names them', () => {
    const { kernel } = guest([ext4, { name: 'jbd2', symbols: [] }], old);
    const { list, broken } = readModules(kernel, [], budget());
    expect(broken).toBeNull();
    expect(list.map(({ name }) => name)).toEqual(['ext4', 'jbd2']);
    const at = (va: bigint) => list[0]?.at(va);
    expect(at(textAt(0) + 0x70n)).toEqual({ name: 'first', offset: 0x70, size: 0x100 });
    expect(at(textAt(0) + 0x1ffn)).toEqual({ name: 'second', offset: 0xff, size: 0x1f00 });
    expect(at(INIT + 0x20n)).toEqual({ name: 'mod_init', offset: 0x10, size: 0xff0 });
    expect(at(textAt(0) + 0x2000n)).toBeNull();
    expect(list[1]?.at(textAt(1))).toBeNull();
  });

  test('their frames, and how to unwind from them', () => {
    const { kernel } = guest([ext4], old);
    const code = new Code(kernel, null);
    code.use(readModules(kernel, [], code.budget));
    const place = code.after(textAt(0) + 0x120n);
    expect(place.frame).toEqual({
      symbol: 'second',
      offset: 0x20,
      size: 0x1f00,
      module: 'ext4',
      reliable: true,
    });
    expect(place.orc).toMatchObject({ kind: 'call', spOffset: 24n });
    expect(place.called).toBe(true);
    expect(code.after(0xffff_ffff_c0f0_0000n)).toMatchObject({
      frame: { symbol: '0xffffffffc0f00000', module: null, offset: null },
      orc: null,
    });
  });
});

test('a module that is still loaded is not read again, and a changed one is', () => {
  const { kernel, memory } = guest([{ name: 'ext4', symbols: SYMBOLS }]);
  const [first] = readModules(kernel, [], budget()).list;
  expect(readModules(kernel, [first!], budget()).list[0]).toBe(first);
  memory.u64(structAt(0) + 104n, textAt(5));
  expect(readModules(kernel, [first!], budget()).list[0]).not.toBe(first);
});

test('one that is not linked yet is skipped', () => {
  const { kernel } = guest([
    { name: 'new', symbols: [], state: 3 },
    { name: 'ext4', symbols: [] },
  ]);
  expect(readModules(kernel, [], budget()).list.map(({ name }) => name)).toEqual(['ext4']);
});

test.each([
  ['does not end', structAt(0) + 8n],
  ['leads nowhere', 0x1000n],
])('a list that %s', (why, to) => {
  const { kernel, memory } = guest([{ name: 'ext4', symbols: [] }]);
  memory.u64(structAt(0) + 8n, to);
  expect(readModules(kernel, [], budget())).toMatchObject({ broken: `the list of modules ${why}` });
});

test('names are made fit to print, and tables are not read beyond their budget', () => {
  const { kernel } = guest([{ name: 'ev\x1bil', symbols: SYMBOLS }]);
  const [module] = readModules(kernel, [], { left: 10 }).list;
  expect(module?.name).toBe('ev?il');
  expect(module?.at(textAt(0))).toBeNull();
});

test('kernels without modules, and types without them', () => {
  const none = fakeKernel({ memory: new FakeMemory() });
  expect(readModules(none, [], budget())).toEqual({ list: [], broken: null });
  const hidden = fakeKernel({ memory: new FakeMemory(), symbols: [['load_module', TEXT]] });
  expect(readModules(hidden, [], budget()).broken).toBe('the list of modules was not found');
  const { kernel } = guest([{ name: 'ext4', symbols: [] }]);
  const blind = { ...kernel, layouts: { ...kernel.layouts, offset: () => null } };
  expect(readModules(blind, [], budget()).broken).toBe('the types of its modules are not known');
});
