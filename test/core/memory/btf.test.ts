import { describe, expect, it } from 'vitest';
import { btfLayouts } from '../../../src/core/memory/btf-layouts.js';
import { createBuilds } from '../../../src/core/memory/builds.js';
import { writeBtf } from './machine.js';

const bytes = writeBtf({
  list_head: {
    size: 16,
    members: [
      ['next', 0, 'u64'],
      ['prev', 8, 'u64'],
    ],
  },
  anonymous: { size: 8, members: [['inner', 4, 'u16']] },
  outer: {
    size: 40,
    members: [
      ['flag', 0, 'u8'],
      ['', 8, 'anonymous'],
      ['list', 16, 'list_head'],
    ],
  },
});

describe('layouts by BTF', () => {
  const layouts = btfLayouts(bytes, createBuilds())!;

  it('tell members by dotted paths, through anonymous structs, and the first of those that exist', () => {
    expect(layouts.offset('outer', 'list.prev')).toBe(24);
    expect(layouts.offset('outer', 'inner')).toBe(12);
    expect(layouts.offset('outer', 'none|flag')).toBe(0);
    expect([
      layouts.memberSize('outer', 'inner'),
      layouts.memberSize('outer', 'list'),
      layouts.size('outer'),
    ]).toEqual([2, 16, 40]);
  });

  it('are null for what is not there', () => {
    expect([
      layouts.offset('outer', 'none'),
      layouts.offset('outer', 'flag.x'),
      layouts.size('none'),
    ]).toEqual([null, null, null]);
  });

  it('end where a struct holds itself without a name', () => {
    const forged = writeBtf({
      anonymous: { size: 8, members: Array.from({ length: 40 }, () => ['', 0, 'anonymous']) },
      top: { size: 8, members: [['', 0, 'anonymous']] },
    });
    expect(btfLayouts(forged, createBuilds())!.offset('top', 'deep')).toBeNull();
  });

  it('are of no bytes that are cut short', () => {
    expect(btfLayouts(bytes.slice(0, -1), createBuilds())).toBeNull();
    expect(btfLayouts(bytes.slice(0, 20), createBuilds())).toBeNull();
  });
});
