import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analyze.js';
import { cleanRow } from '../../../src/core/console/clean.js';
import { parseDumps } from '../../../src/core/dump/parse.js';
import type { Share, VerdictClass } from '../../../src/core/model.js';

const store: Share = { tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'T' } };

interface Row {
  log: string;
  class: VerdictClass;
  title: string;
  /** What runs on each CPU, and the real-time task that waits there. */
  onCpus: string[];
  dumps: string[];
}

/** The same wedge on other kernels than 6.1; made by record.mjs, with the release in the log's name. */
const pageIn = (release: string, culprit: string, tasks: number, onCpus: Row['onCpus']): Row => ({
  log: `page-in-${release}`,
  class: 'blocked',
  title: `${culprit} stuck ≥8 s in page fault → page-in of a mapped file (filemap_fault) → filesystem virtiofs:store (inferred; virtiofsd stopped)`,
  onCpus,
  dumps: ['w true 1', 'w true 1', `t true ${tasks}`],
});

const idle = ['nobody', 'nobody'];

const table: Row[] = [
  pageIn('6.12', 'ash:197', 66, idle),
  pageIn('7.3', 'awk:153', 66, idle),
  // The keyboard's interrupt is a task there, and prints the dump.
  pageIn('7.3-rt', 'awk:168', 85, ['nobody', 'irq/1-i8042 before ktimers/1']),
  {
    log: 'rt-starvation-7.3',
    class: 'starved',
    title: 'hog:120, hog:118 hold every CPU at real-time priority; 1 runnable task waits in vain',
    onCpus: ['hog', 'hog'],
    dumps: ['w true 0', 'w true 0', 't true 68'],
  },
  {
    // CPU 1 runs dropbear just then, and hog waits there: that is its 5 %, and no way out.
    log: 'rt-fair-server',
    class: 'starved',
    title: 'hog:141, hog:138 hold every CPU at real-time priority; 15 runnable tasks wait in vain',
    onCpus: ['hog', 'dropbear before hog'],
    dumps: ['w true 0', 'w true 0', 't true 77'],
  },
];

describe('guests of other kernels', () => {
  it.each(table)('$log', ({ log, title, class: kind, dumps, onCpus }) => {
    const rows = readFileSync(new URL(`../../golden/${log}.log`, import.meta.url), 'latin1').split('\n');
    const parsed = parseDumps(rows.flatMap((row) => cleanRow(Buffer.from(row, 'latin1'))));
    const context = { secondsBetweenLooks: null, shares: [store], kernelCommandLine: null };
    const { verdict } = analyze(parsed, context);
    expect(verdict).toMatchObject({ title, class: kind });
    const whole = parsed.filter(({ key }) => key === 'w' || key === 't');
    expect(whole.map(({ key, complete, tasks }) => `${key} ${complete} ${tasks.length}`)).toEqual(dumps);
    const cpus = parsed
      .at(-1)
      ?.onCpu?.map(
        ({ running, preempted }) =>
          (running?.comm ?? 'nobody') + (preempted ? ` before ${preempted.comm}` : ''),
      );
    expect(cpus).toEqual(onCpus);
  });
});
