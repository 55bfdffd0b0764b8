import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { renderFolded, renderStacks } from '../../../src/core/analysis/groups.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { goldenNames, readGolden } from '../../golden/golden.mjs';
import { dump, stacks, task } from '../../support/stacks.js';

const logs = goldenNames().map((name) => readGolden(name).log.toString('latin1').split('\n'));
const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
// eslint-disable-next-line no-control-regex -- what must not come out
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/;

function survives(lines: string[]): void {
  const dumps = parseDumps(lines);
  const { verdict, groups } = analyze(dumps, context);
  for (const text of [verdict.title, ...verdict.reasons, ...verdict.inferred])
    expect(text).not.toMatch(CONTROL);
  expect(verdict.title.length).toBeLessThanOrEqual(240);
  const shown = renderStacks(groups) + renderFolded(dumps.flatMap(({ tasks }) => tasks));
  expect(shown.replaceAll('\n', '')).not.toMatch(CONTROL);
}

const fragment = fc.constantFrom(
  'sysrq: Show State', 'sysrq: Show Blocked State', 'sysrq: HELP : ', 'task:', ' state:D', ' stack:0 pid:7 ppid:2', 'Call Trace:', ' <TASK>', '</TASK>',
  '[   1.000000] ', '[  T12]', ' schedule+0x1/0x2', '? ', 'INFO: task ', ':7 blocked for more than 120 seconds', 'is blocked on a mutex likely owned by task b:7',
  '1 lock held by a/7:', '#0: ffff0000c028d138 (x){+}', 'Showing busy workqueues', 'Workqueue: a b (c)', 'NMI backtrace for cpu 1', 'CPU: 1 PID: 7 Comm: a Not tainted',
  'Kernel panic - not syncing: x', ' from ', '** 3 printk messages dropped **', 'a D 0 7 2 0x00000000',
); // prettier-ignore
const hostileLine = fc
  .array(fc.oneof(fragment, fc.string(), fc.string({ unit: 'binary' })), { maxLength: 6 })
  .map((parts) => parts.join(''));

describe('hostile input', () => {
  it('survives any text', () => {
    fc.assert(fc.property(fc.array(hostileLine, { maxLength: 60 }), survives), { numRuns: 400 });
  });

  it('survives real dumps with lines cut, lost, doubled, mixed and made of other bytes', () => {
    const edit = fc.record({ at: fc.nat(), kind: fc.nat(5), with: hostileLine });
    const mutated = fc.tuple(fc.constantFrom(...logs), fc.nat(), fc.array(edit, { maxLength: 40 }));
    const property = fc.property(mutated, ([log, from, edits]) => {
      const lines = log.slice(from % log.length).slice(0, 600);
      for (const { at, kind, with: text } of edits) {
        const index = at % lines.length;
        const line = lines[index] ?? '';
        if (kind === 0) lines.splice(index, 1);
        else if (kind === 1) lines[index] = line.slice(0, at % (line.length + 1));
        else if (kind === 2) lines[index] = line.slice(0, at % (line.length + 1)) + text;
        else if (kind === 3) lines.splice(index, 0, text);
        else if (kind === 4) lines[index] = line + (lines[index + 1] ?? '');
        else lines.push(line);
      }
      survives(lines);
    });
    fc.assert(property, { numRuns: 150 });
  });

  it('finds a task that is stuck in spite of hostile neighbours', () => {
    const property = fc.property(
      fc.array(
        hostileLine.filter((line) => !/sysrq|task:|printk|INFO/i.test(line)),
        { maxLength: 10 },
      ),
      (noise) => {
        const dumps = parseDumps([...noise, ...dump('w', 1, task('cat', 9, 'D', stacks.pageIn)), ...noise]);
        expect(
          dumps
            .flatMap(({ tasks }) => tasks)
            .some(({ pid, frames }) => pid === 9 && frames.length >= stacks.pageIn.length),
        ).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it.each([
    ['a long line', ['sysrq: Show State', `task:${'a'.repeat(2_000_000)}`, `INFO: task ${'x:1 '.repeat(500_000)}`]],
    ['torn headers', ['sysrq: Show State', ...Array<string>(50_000).fill(`task:abc[  OK  ] ${'p'.repeat(90)}`)]],
    ['torn headers with rests', ['sysrq: Show State', ...Array.from({ length: 50_000 }, (_, n) => (n % 2 ? `task:abc[ OK ] ${'p'.repeat(90)}` : 'x ppid:1'))]],
    ['reports', Array.from({ length: 50_000 }, (_, n) => `INFO: task a:${n} blocked for more than 9 seconds`)],
    ['frames', ['sysrq: Show State', 'task:a               state:D stack:0 pid:1 ppid:0', ...Array<string>(100_000).fill(' schedule+0x1/0x2')]],
    ['a waiting chain', ['INFO: task a:0 blocked for more than 9 seconds', ...Array.from({ length: 5_000 }, (_, n) => [...task('a', n, 'D', stacks.mutex), `INFO: task a:${n} is blocked on a mutex likely owned by task a:${n + 1}`]).flat()]],
  ])('ends on %s: what grew with the square would outlast the test', (_case, lines) => {
    survives(lines);
  }); // prettier-ignore
});
