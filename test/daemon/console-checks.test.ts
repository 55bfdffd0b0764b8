import { expect, it } from 'vitest';
import { compareRead } from '../../src/daemon/console-checks.js';

const unit = 'qemu-system@vm-1.service';
const held = Date.parse('2026-01-01T10:00:00.500Z') + 0.25;

it('the daemon has read up to the newest line that the journal holds', () => {
  expect(compareRead(unit, held, { rows: 812, newestMs: held })).toMatchObject({
    result: 'ok',
    detail: `in the journal of ${unit}; the daemon has read 812 lines of it`,
  });
});

it.each([
  ['not one', { rows: 0, newestMs: null }, /and the daemon has read none of them$/],
  ['none for a minute', { rows: 9, newestMs: held - 60_000 }, /read none after 2026-01-01T09:59:00\.500Z$/],
])(
  'lines are there, and the daemon has read %s: blind, whatever the reader says of itself',
  (_, read, says) => {
    const check = compareRead(unit, held, read);
    expect(check).toMatchObject({
      result: 'fault',
      fix: expect.stringContaining(`--user-unit=${unit}`) as string,
    });
    expect(check.detail).toMatch(
      /^blind: the journal holds lines of qemu-system@vm-1\.service up to 2026-01-01T10:00:00/,
    );
    expect(check.detail).toMatch(says);
  },
);
