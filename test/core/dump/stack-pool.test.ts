import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { StackPool } from '../../../src/core/dump/stack-pool.js';
import { dump, stacks, task } from '../../support/stacks.js';

describe('equal stacks', () => {
  it('are kept once, over all dumps of a log', () => {
    const tasks = [task('a', 1, 'D', stacks.mutex), task('b', 2, 'D', stacks.mutex)];
    const [w, t] = parseDumps([...dump('w', 1, ...tasks), ...dump('t', 2, ...tasks)]);
    const [first, ...others] = [...(w?.tasks ?? []), ...(t?.tasks ?? [])].map(({ frames }) => frames);
    expect(first?.length).toBeGreaterThan(2);
    expect(others).toHaveLength(3);
    for (const frames of others) expect(frames).toBe(first);
  });

  it('are not those that differ in an offset', () => {
    const other = stacks.mutex.map((line) => line.replace('+0x', '+0x1'));
    const [w] = parseDumps(dump('w', 1, task('a', 1, 'D', stacks.mutex), task('b', 2, 'D', other)));
    expect(w?.tasks[0]?.frames).not.toEqual(w?.tasks[1]?.frames);
  });

  it('are forgotten where a guest prints others for ever', () => {
    const pool = new StackPool();
    const first = pool.read('foo+0x1/0x2', true) ?? [];
    expect(pool.known('foo+0x1/0x2')).toBe(first);
    expect(pool.shared([...first])).toEqual(first);
    for (let n = 0; n < 20_000; n += 1) pool.read(`foo${n}+0x1/0x2`, true);
    expect(pool.known('foo+0x1/0x2')).toBeUndefined();
    const alone = [...first];
    expect(pool.shared(alone)).toBe(alone);
  });
});
