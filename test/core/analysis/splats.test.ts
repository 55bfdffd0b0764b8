/** Warnings of lockdep and its like: an answer for whoever pastes one, and nobody accused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { goldenNames, readGolden } from '../../golden/golden.mjs';

const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
const linesOf = (name: string) => readGolden(name).log.toString().split('\n');
const told = (lines: string[]) => analyze(parseDumps(lines, { pasted: true }), context).verdict;

describe.each(goldenNames().filter((name) => name.startsWith('paste-splat-')))('%s', (name) => {
  it('is not read on a live console, and none of its tasks is blocked', () => {
    const live = parseDumps(linesOf(name));
    expect(live.map(({ key }) => key)).not.toContain('splat');
    const pasted = parseDumps(linesOf(name), { pasted: true }).filter(({ key }) => key === 'splat');
    expect(pasted.flatMap(({ tasks, cpus }) => [...tasks, ...cpus])).toEqual([]);
  });

  it('survives any cut', () => {
    const lines = linesOf(name);
    fc.assert(
      fc.property(fc.nat(lines.length), fc.nat(lines.length), (from, to) => {
        const { title, class: kind } = told(lines.slice(Math.min(from, to), Math.max(from, to)));
        expect(title.length).toBeLessThanOrEqual(160);
        if (name !== 'paste-splat-before-hang')
          expect(['none', 'unknown', 'spinning', 'blocked']).toContain(kind);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what a warning says', () => {
  it('names it beside the hang that came later', () => {
    const { reasons, culprit } = told(linesOf('paste-splat-before-hang'));
    expect(culprit?.comm).toBe('fictowork');
    expect(reasons.join(' ')).toContain('warned of this: possible deadlock: fictoctl:1622 takes &ring->lock');
  });

  it('names it beside a CPU that spins, of which no task is known', () => {
    const { reasons, culprit } = told([
      ...linesOf('paste-splat-circular'),
      ...linesOf('stall-cpu-without-name'),
    ]);
    expect(culprit).toBeNull();
    expect(reasons.join(' ')).toContain('The kernel also warned of this: possible deadlock');
  });

  it('reads the function that a mailer put into the next line', () => {
    const { frame } = told(
      `WARNING: possible recursive locking detected
fictod/7 is trying to acquire lock:
ffff88810b0b8448 (&node->lock/1){+.+.}-{3:3}, at:
ficto_merge+0x2b/0x150 [ficto]
but task is already holding lock:
ffff88810b0b8100 (&node->lock){+.+.}-{3:3}, at: ficto_walk+0x5b/0x3d0 [ficto]`.split('\n'),
    );
    expect(frame).toBe('ficto_merge');
  });

  it('does not take a sentence about a warning for one', () => {
    const prose = ['WARNING: possible circular locking dependency detected', 'is what I saw, and no more.'];
    expect(parseDumps(prose, { pasted: true })).toEqual([]);
  });

  it('leaves a dump that it breaks into as it was', () => {
    const dump = linesOf('exec');
    const at = dump.findIndex((line) => line.includes('task:'));
    const mixed = [...dump.slice(0, at), ...linesOf('paste-splat-circular'), ...dump.slice(at)];
    expect(told(mixed).title).toBe(told(dump).title);
  });
});
