import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analyze.js';
import { cleanRow } from '../../../src/core/console/clean.js';
import { parseDumps } from '../../../src/core/dump/parse.js';
import type { Share } from '../../../src/core/model.js';

const store: Share = { tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'T' } };

/** Each log is from a real guest; its first line says how it was made. */
const table = [
  {
    log: 'page-in',
    title:
      'pagein:109 stuck ≥5 s in page fault → page-in of a mapped file (filemap_fault) → filesystem virtiofs:store (inferred; virtiofsd stopped)',
    verdict: {
      class: 'blocked',
      confidence: 'high',
      frame: 'filemap_fault',
      culprit: { comm: 'pagein', pid: 109, state: 'D' },
    },
    dumps: ['w true 1', 'w true 1', 't true 54'],
  },
  {
    log: 'exec',
    title:
      'init:109 waiting in execve → FUSE request of fuse_permission (request_wait_answer) → filesystem virtiofs:store (inferred; virtiofsd stopped)',
    verdict: {
      class: 'waiting',
      confidence: 'high',
      frame: 'request_wait_answer',
      culprit: { comm: 'init', pid: 109, state: 'S' },
    },
    dumps: ['w true 0', 'w true 0', 't true 53'],
  },
  {
    log: 'inode-lock',
    title:
      'init:108 waiting in openat → FUSE request of fuse_atomic_open (request_wait_answer) → filesystem virtiofs:store (inferred; virtiofsd stopped) (+2 others)',
    verdict: {
      class: 'waiting',
      confidence: 'high',
      frame: 'request_wait_answer',
      culprit: { comm: 'init', pid: 108, state: 'S' },
    },
    dumps: ['hung_task true 2', 'hung_task true 2', 'w true 2', 'hung_task true 2', 'w true 2', 't true 56'],
  },
  {
    log: 'hidden',
    title:
      'pagein:107 blocked in page fault → page-in of a mapped file (filemap_fault) → filesystem virtiofs:store (inferred; virtiofsd stopped)',
    verdict: {
      class: 'blocked',
      confidence: 'medium',
      frame: 'filemap_fault',
      culprit: { comm: 'pagein', pid: 107, state: 'D' },
    },
    dumps: ['w false 0', 't false 0', 'w true 1'],
  },
  {
    log: 'idle',
    title: 'nothing is stuck in these dumps',
    verdict: { class: 'none', confidence: 'high', frame: null, culprit: null },
    dumps: ['w true 0', 't true 60', 'l true 0'],
  },
];

function read(log: string): string[] {
  const bytes = readFileSync(new URL(`../../golden/${log}.log`, import.meta.url));
  return bytes
    .toString('latin1')
    .split('\n')
    .flatMap((row) => cleanRow(Buffer.from(row, 'latin1')));
}

describe('real guests', () => {
  it.each(table)('$log', ({ log, title, verdict, dumps }) => {
    const analysis = analyze(parseDumps(read(log)), {
      secondsBetweenLooks: null,
      shares: [store],
      kernelCommandLine: null,
    });
    expect(analysis.verdict.title).toBe(title);
    expect(analysis.verdict).toMatchObject(verdict);
    expect(analysis.dumps.map(({ key, complete, tasks }) => `${key} ${complete} ${tasks.length}`)).toEqual(
      dumps,
    );
  });

  it('has no verdict where the bodies are hidden', () => {
    const hidden = parseDumps(read('hidden')).slice(0, 2);
    const { verdict } = analyze(hidden, {
      secondsBetweenLooks: null,
      shares: [store],
      kernelCommandLine: null,
    });
    expect(verdict).toMatchObject({
      class: 'unknown',
      title: 'no verdict: w: the bodies are hidden: the console loglevel is below 7.',
    });
  });

  it('tells who waits for the inode lock', () => {
    const { waits } = analyze(parseDumps(read('inode-lock')), {
      secondsBetweenLooks: null,
      shares: [],
      kernelCommandLine: null,
    });
    const low = { owner: 'init:108', through: 'an inode lock', confidence: 'low' };
    const reason = 'it is in the same code, and waits for the server';
    const parent = { through: 'the end of its child', confidence: 'medium', reason: 'it is its child' };
    expect(waits).toEqual([
      { waiter: 'rm:1562', ...low, reason },
      { waiter: 'rm:1563', ...low, reason },
      { waiter: 'init:109', owner: 'rm:1562', ...parent },
      { waiter: 'init:107', owner: 'rm:1563', ...parent },
    ]);
  });

  it('folds the idle kernel threads', () => {
    const { groups } = analyze(parseDumps(read('idle')), {
      secondsBetweenLooks: null,
      shares: [],
      kernelCommandLine: null,
    });
    const busy = groups.filter(({ idle }) => !idle);
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(60);
    expect(new Set(busy.flatMap(({ comms }) => comms))).toEqual(
      new Set(['init', 'dropbear', 'sh', 'sleep', 'cat']),
    );
  });
});
