/** A report of ten thousand tasks: what a browser can still take, with what the verdict rests on. */
import { expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { excerptOf, placesOf, wantedPids } from '../../../src/core/report/dump-anchors.js';
import { renderReport } from '../../../src/core/report/html.js';
import { incident } from '../../fixtures/archive-sample.js';

const FRAMES = ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit_common', 'filemap_read', 'vfs_read'];

function task(pid: number): string[] {
  const state = pid % 10 === 0 ? 'D' : 'S';
  const comm = `task-${pid % 40}`;
  const own = `function_${pid % 700}`;
  return [
    `task:${comm.padEnd(15)} state:${state} stack:0     pid:${pid} ppid:1      flags:0x00000002`,
    'Call Trace:',
    ' <TASK>',
    ...[...FRAMES, own, 'do_syscall_64'].map((name) => ` ${name}+0x20/0x80`),
    ' </TASK>',
  ].map((line) => `[   99.000001] ${line}`);
}

const ALL = Array.from({ length: 10_000 }, (_, n) => task(n + 1)).flat();
const LOG = ['[   99.000000] sysrq: Show State', ...ALL, '[   99.000002] sysrq: HELP : loglevel(0-9)'];

it('has a bounded page, with the stacks that the verdict rests on and links to them', () => {
  const analysis = analyze(parseDumps(LOG), { secondsBetweenLooks: 3, shares: [], kernelCommandLine: null });
  const one = incident(analysis);
  const text = LOG.join('\n');
  const excerpt = excerptOf(text, wantedPids(one));
  const html = renderReport({
    incident: one,
    moments: [],
    marks: [],
    dumps: [{ file: 'sysrq-t.txt', bytes: text.length, text: excerpt, excerpt: true }],
    console: '',
    files: ['sysrq-t.txt'],
  });
  expect(one.dumps[0]?.tasks).toHaveLength(10_000);
  expect(html.length).toBeLessThan(5 << 20);
  const pid = one.verdict.culprit?.pid ?? 0;
  expect(placesOf([{ file: 'sysrq-t.txt', bytes: 0, text: excerpt }]).has(pid)).toBe(true);
  expect(html).toContain(`<b id="t-${pid}">`);
  expect(html).toContain(`href="#t-${pid}"`);
  expect(html).toContain('All tasks are in <a href="sysrq-t.txt">');
});

it('cuts an excerpt at whole tasks, and shows where something is left out', () => {
  const lines = [...task(10), ...task(11), ...task(12)];
  const excerpt = excerptOf(lines.join('\n'), new Set([11]));
  expect(excerpt.split('\n')).toEqual(['[…]', ...task(11), '[…]']);
  expect(excerptOf(lines.join('\n'), new Set())).toBe('');
});
