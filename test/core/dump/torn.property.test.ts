/** Properties: how a log is cut, torn or glued does not change what is found in it, or is said. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanRow } from '../../../src/core/console/clean.js';
import { RowSplitter } from '../../../src/core/console/rows.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, stacks, task } from '../../support/stacks.js';

const log = readFileSync(new URL('../../fuzz/formats.log', import.meta.url));

function dumpsOf(chunks: readonly Uint8Array[]) {
  const splitter = new RowSplitter();
  const rows = chunks.flatMap((chunk) => splitter.push(chunk));
  const last = splitter.flush();
  return parseDumps([...rows, ...(last ? [last] : [])].flatMap(cleanRow));
}

const COMMS = ['kworker/u8:3', 'a b', 'systemd-journal', '(sd-pam)', 'x'];
const tasks = COMMS.map((comm, index) => task(comm, 1000 + index, 'D', stacks.pageIn));
const whole = dump('w', 1, ...tasks);
const headers = whole.flatMap((line, index) => (line.includes('task:') ? [index] : []));
const STATUS = fc.constantFrom(
  '[  OK  ] Started Foo.',
  '         Starting Bar...',
  'hello from a program',
  '[ ***  ] A start job is running (1s / no limit)',
);

describe('cut, torn, glued', () => {
  it('finds the same in any chunks', () => {
    const expected = dumpsOf([log]);
    const property = fc.property(fc.array(fc.nat(log.length), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), log.length];
      expect(dumpsOf(at.slice(1).map((end, index) => log.subarray(at[index], end)))).toEqual(expected);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('keeps every task and its stack, or says so, where another writer tears a header', () => {
    const property = fc.property(
      fc.constantFrom(...headers),
      fc.nat(90),
      STATUS,
      fc.boolean(),
      (row, cut, status, newline) => {
        const line = whole[row] ?? '';
        const at = line.indexOf('task:') + 5 + (cut % (line.length - line.indexOf('task:') - 5));
        const torn = newline ? [line.slice(0, at), status] : [line.slice(0, at) + status];
        const [found] = parseDumps([
          ...whole.slice(0, row),
          ...torn,
          line.slice(at),
          ...whole.slice(row + 1),
        ]);
        expect(found!.tasks).toHaveLength(COMMS.length);
        expect(found!.tasks.every(({ frames }) => frames.length === stacks.pageIn.length)).toBe(true);
        const complete = found!.tasks.every(({ pid, comm }) => pid !== null && COMMS.includes(comm));
        expect(complete || found!.incompleteBecause.length > 0 || (found!.mended ?? 0) > 0).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  it('loses nothing where a status line is glued before or after any line', () => {
    const property = fc.property(fc.nat(whole.length - 2), STATUS, fc.boolean(), (row, status, before) => {
      const line = whole[row] ?? '';
      const glued = before && line.startsWith('[') ? `${status} ${line}` : `${line}${status}`;
      const lines = whole.with(row, glued).flatMap((text) => cleanRow(Buffer.from(text)));
      const [found] = parseDumps(lines);
      expect(found!.tasks.map(({ comm, pid }) => [comm, pid])).toEqual(
        COMMS.map((comm, index) => [comm, 1000 + index]),
      );
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('counts what it could not place, and shows some of it', () => {
    const property = fc.property(fc.array(STATUS, { minLength: 1, maxLength: 30 }), (noise) => {
      const [found] = parseDumps([...whole.slice(0, 3), ...noise, ...whole.slice(3)]);
      expect(found!.unplaced).toEqual({
        lines: noise.length,
        examples: noise.map((line) => line.trim()).slice(0, 5),
      });
      expect(found!.tasks).toHaveLength(COMMS.length);
    });
    fc.assert(property, { numRuns: 50 });
  });
});
