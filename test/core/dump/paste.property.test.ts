/** A log says the same however it was broken, turned round, quoted or marked on its way into a bug report. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { cleanRow } from '../../../src/core/console/clean.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { readPaste } from '../../../src/core/dump/paste/paste.js';
import { readGolden } from '../../golden/golden.mjs';

const encoder = new TextEncoder();
const cleaned = (rows: readonly string[]) => rows.flatMap((row) => cleanRow(encoder.encode(row)));

/** The beginning of a recorded console: a dump of blocked tasks is in it, and lines of programs. */
const consoleOf = (name: string) =>
  cleaned(readGolden(name).log.toString('latin1').split('\n').slice(0, 260));

function verdictOn(rows: readonly string[]) {
  const dumps = parseDumps(readPaste(cleaned(rows)), { pasted: true });
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  const { verdict, waits } = analyze(dumps, context);
  return { title: verdict.title, class: verdict.class, confidence: verdict.confidence, waits };
}

/** As a mailer does: at blanks, which are lost. */
function atBlanks(line: string, columns: number): string[] {
  const rows: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const last = rest.lastIndexOf(' ', columns);
    const at = last > rest.search(/\S/) ? last : rest.indexOf(' ', columns);
    if (at < 0) break;
    rows.push(rest.slice(0, at));
    rest = rest.slice(at + 1).trimStart();
  }
  return [...rows, rest];
}

/** As a terminal does. */
function atColumns(line: string, columns: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < line.length; at += columns) rows.push(line.slice(at, at + columns));
  return rows;
}

const LOGS = ['dm-suspended', 'inode-lock', 'exec', 'page-in-7.3'];
const WIDTHS = Array.from({ length: 81 }, (_, index) => 40 + index);

describe.each(LOGS)('%s', (name) => {
  const lines = consoleOf(name);
  const told = verdictOn(lines);

  it.each([
    ['a mailer', atBlanks],
    ['a terminal', atColumns],
  ])('broken by %s at any width', (_who, broken) => {
    const wrong = WIDTHS.filter((columns) => {
      const found = verdictOn(lines.flatMap((line) => broken(line, columns)));
      return JSON.stringify(found) !== JSON.stringify(told);
    });
    expect(wrong).toEqual([]);
  });

  it('the newest line first', () => {
    expect(verdictOn([...lines].reverse())).toEqual(told);
  });

  it.each([
    '| ',
    '# ',
    '> > ',
    'vm-1: ',
    '00204 ',
    '[Sa 2 Mär 2024 07:12:40] ',
    'févr. 03 09:14:22 hôte noyau: ',
  ])('behind %j', (prefix) => {
    expect(verdictOn(lines.map((line) => prefix + line))).toEqual(told);
  });
});

describe('what must not be joined or learned', () => {
  it('takes no throw for a prefix of any characters', () => {
    const prefix = '-./\\^$*+?()[]{}|=!<>:,#&~`@"\' 7-';
    const [first] = readPaste([`${prefix}INFO: task a:1 blocked for more than 120 seconds.`]);
    expect(first).toBe('INFO: task a:1 blocked for more than 120 seconds.');
  });

  it('takes no throw for a number in a prefix that is longer than any', () => {
    for (const digits of [19, 20, 21, 40]) {
      const line = `[ 1.${'0'.repeat(digits)}] node: INFO: task a:1 blocked for more than 120 seconds.`;
      expect(readPaste([line]).join(' ')).toContain('INFO: task a:1');
    }
  });

  it('takes one full row for no sign of a terminal', () => {
    const mail = [
      '[Tue Mar  5 07:12:40 2024] INFO: task dd:911 blocked for more than a few',
      '122 words',
      '[Tue Mar  5 07:12:40 2024] "echo 0 >',
      '/proc/sys/kernel/hung_task_timeout_secs" disables this message.',
      '[Tue Mar  5 07:12:41 2024] INFO: task md7_raid5:911 blocked for more',
      'than 122 seconds.',
    ];
    expect(readPaste(mail).at(-1)).toMatch(/for more than 122 seconds\.$/);
  });

  it('leaves a headline alone whose rest does not come', () => {
    const lines = ['INFO: task a:1 blocked for', 'no good reason', 'that I know of'];
    expect(readPaste(lines)).toEqual(lines);
  });

  it('reads no part of a report live', () => {
    const half = ['INFO: task a:1 blocked for more than 120 seconds.', 'foo_wait+0x1/0x2', 'bar+0x1/0x2'];
    expect(parseDumps(half)[0]?.tasks[0]?.frames).toEqual([]);
    expect(parseDumps(half, { pasted: true })[0]?.tasks[0]?.frames).toHaveLength(2);
  });

  it('ends on beginnings without an end: what grew with the square would outlast the test', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `INFO: task ${index}`);
    expect(readPaste(lines)).toHaveLength(lines.length);
    const rests = Array.from({ length: 100_000 }, () => '#1: x');
    expect(readPaste(rests)).toHaveLength(rests.length);
  });
});
