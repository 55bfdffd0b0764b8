import { describe, expect, it } from 'vitest';
import {
  encryptedBy,
  memoriesOfNodes,
  parseHostAddress,
  parseMemoryTree,
  usualRegions,
} from '../../../src/core/memory/memory-map.js';

const row = (first: number, last: number, what: string) =>
  `  ${first.toString(16).padStart(16, '0')}-${last.toString(16).padStart(16, '0')} (prio 0, ${what}\r\n`;

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('parseMemoryTree', () => {
  const tree = [
    'FlatView #0\r\n AS "I/O", root: io\r\n',
    row(0, 7, 'i/o): dma-chan'),
    '\r\nFlatView #1\r\n AS "cpu-memory-0", root: memory\r\n',
    row(0, 0xc2fff, 'ram): mem'),
    row(0xc3000, 0xe7fff, 'rom): mem @00000000000c3000'),
    row(0xe8000, 0x7fff_ffff, 'ram): mem @00000000000e8000'),
    row(0xfd00_0000, 0xfdff_ffff - 8 * MIB, 'ram): vga.vram'),
    row(0xfffc_0000, 0xffff_ffff, 'rom): pc.bios'),
    row(4 * GIB, 5 * GIB - 1, 'ram): mem @0000000080000000'),
    row(8 * GIB, 9 * GIB - 1, 'nv-ram): dimm1'),
    '\r\nFlatView #2\r\n',
    row(0, GIB, 'ram): other'),
  ].join('');

  it('leaves out the memory of a display, however large', () => {
    const rows = [
      row(0, 256 * MIB - 1, 'ram): mem'),
      row(0xf800_0000, 0xf800_0000 + 64 * MIB - 1, 'ram): vga.vram'),
    ];
    expect(parseMemoryTree(rows.join('')).map(({ id }) => id)).toEqual(['mem']);
  });

  it('joins the parts of a memory that the firmware made read-only', () => {
    expect(parseMemoryTree(tree)).toEqual([
      { id: 'mem', first: 0, end: 2 * GIB, offset: 0 },
      { id: 'mem', first: 4 * GIB, end: 5 * GIB, offset: 2 * GIB },
      { id: 'dimm1', first: 8 * GIB, end: 9 * GIB, offset: 0 },
    ]);
  });

  it('leaves out what overlaps, runs backwards or is no memory', () => {
    const bad =
      row(0, GIB - 1, 'ram): mem') + row(MIB, 2 * GIB, 'ram): evil') + row(4 * GIB, 3 * GIB, 'ram): evil');
    expect(parseMemoryTree(bad)).toEqual([{ id: 'mem', first: 0, end: GIB, offset: 0 }]);
    expect(parseMemoryTree('')).toEqual([]);
    expect(parseMemoryTree('unknown command: info mtree')).toEqual([]);
  });
});

describe('usualRegions', () => {
  it.each([
    ['q35', 2 * GIB, [[0, 2 * GIB, 0]]],
    [
      'q35,accel=tcg',
      5 * GIB,
      [
        [0, 2 * GIB, 0],
        [4 * GIB, 7 * GIB, 2 * GIB],
      ],
    ],
    ['pc', 3 * GIB, [[0, 3 * GIB, 0]]],
    [
      'pc-i440fx-7.2',
      5 * GIB,
      [
        [0, 3 * GIB, 0],
        [4 * GIB, 6 * GIB, 3 * GIB],
      ],
    ],
    [
      'q35,max-ram-below-4g=1G',
      2 * GIB,
      [
        [0, GIB, 0],
        [4 * GIB, 5 * GIB, GIB],
      ],
    ],
    ['pc,max-ram-below-4g=1024m', GIB, [[0, GIB, 0]]],
  ])('%s with %i bytes', (machine, size, expected) => {
    const found = usualRegions(['qemu-system-x86_64', '-machine', machine], size);
    expect(found.map(({ first, end, offset }) => [first, end, offset])).toEqual(expected);
  });

  it('begins at 1 GiB on arm64', () => {
    expect(usualRegions(['/usr/bin/qemu-system-aarch64', '-M', 'virt'], GIB)).toEqual([
      { id: 'ram', first: GIB, end: 2 * GIB, offset: 0 },
    ]);
  });
});

it('takes the memories of the nodes in their order, or that of the machine', () => {
  const nodes = ['-numa', 'node,nodeid=1,memdev=b', '-numa', 'dist,src=0,dst=1,val=20'];
  expect(memoriesOfNodes(['qemu', ...nodes, '-numa', 'node,nodeid=0,memdev=a', '-M', 'q35'])).toEqual([
    'a',
    'b',
  ]);
  expect(memoriesOfNodes(['qemu', '-machine', 'q35,memory-backend=mem'])).toEqual(['mem']);
  expect(memoriesOfNodes(['qemu', '-numa', 'node,mem=1G'])).toEqual([]);
});

it('reads where QEMU has a memory', () => {
  expect(parseHostAddress('Host virtual address for 0x0 (mem) is 0x7f1234000000\n')).toBe(0x7f12_3400_0000);
  expect(parseHostAddress('No memory is mapped at address 0x0')).toBeNull();
  expect(parseHostAddress('Host virtual address for 0x0 (mem) is 0xffffffffffffffff')).toBeNull();
});

it('tells encrypted guests', () => {
  expect(encryptedBy(['qemu', '-object', 'sev-snp-guest,id=sev0,cbitpos=51'])).toBe('SEV');
  expect(encryptedBy(['qemu', '-object', '{"qom-type":"tdx-guest","id":"tdx"}'])).toBe('TDX');
  expect(encryptedBy(['qemu', '-object', 'memory-backend-memfd,id=sev,size=1G'])).toBeNull();
});
