/** However much a log holds: what is kept of it is bounded, and what is missing is said. */
import { expect, it } from 'vitest';
import { DumpParser } from '../../../src/core/dump/parse-dumps.js';

const LINE = 'x'.repeat(1_400);
const TASK = 'task:sh state:D stack:0 pid:7 tgid:7 ppid:1 flags:0x00004000';

/** Pushes a dump with a task, and lines of 1,400 characters behind it. */
function push(parser: DumpParser, lines: number): void {
  for (const line of ['sysrq: Show Blocked State', TASK, ' io_schedule+0x46/0x80']) parser.push(line);
  for (let line = 0; line < lines; line += 1) parser.push(LINE);
}

it('keeps the newest of several long dumps', () => {
  const parser = new DumpParser();
  for (let dump = 0; dump < 3; dump += 1) push(parser, 16_500);
  expect(parser.finish().length).toBe(2);
});

it('says that the rest of one that is too long by itself is missing', () => {
  const parser = new DumpParser();
  push(parser, 50_000);
  const [dump] = parser.finish();
  expect(dump?.tasks).toHaveLength(1);
  expect(dump?.incompleteBecause.join('; ')).toMatch(/lost|dropped/);
});
