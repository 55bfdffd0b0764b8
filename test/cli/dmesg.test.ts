import { describe, expect, it } from 'vitest';
import { LogFollower } from '../../src/cli/dmesg.js';
import type { SnapshotAnswer } from '../../src/core/memory/answers.js';
import { memoryAt } from '../support/memory-dumps.js';

const said = (...lines: string[]): SnapshotAnswer => ({
  ok: true,
  dump: memoryAt([], 1_000, { since: null }),
  text: '',
  log: { text: lines.map((line) => `${line}\n`).join(''), lost: 0, leftOut: 2 },
});
const GONE: SnapshotAnswer = { ok: false, why: 'no QEMU of this guest is running', fix: 'start the guest' };
const [FIRST, SECOND, THIRD] = [
  '[    0.000000] Linux version 6.1.0',
  '[   12.500000] sd 0:0:0:0: [sda] tag#3 timing out command',
  '[   13.000000] blk_update_request: I/O error, dev sda',
];

/** What is printed for each of the answers, and the code of the last one. */
function shown(options: ConstructorParameters<typeof LogFollower>[1], ...answers: SnapshotAnswer[]) {
  let [out, err, code] = ['', '', -1];
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    ...{ columns: null, colour: false },
  };
  const log = new LogFollower('lab', options, terminal);
  for (const answer of answers) code = log.show(answer);
  return { out, err, code };
}

describe('dmesg', () => {
  it('prints the whole log once, and says what it lacks', () => {
    expect(shown({}, said(FIRST, SECOND))).toEqual({
      out: `${FIRST}\n${SECOND}\n`,
      err: 'wedgewatch: 2 older records are left out: the log is that large\n',
      code: 4,
    });
    expect(JSON.parse(shown({ json: true }, said(FIRST)).out)).toEqual([
      { seconds: 0, text: 'Linux version 6.1.0' },
    ]);
  });

  it('with --watch prints each line once, as it comes', () => {
    const answers = [said(FIRST), said(FIRST, SECOND), said(FIRST, SECOND), said(SECOND, THIRD)];
    expect(shown({ watch: true }, ...answers)).toEqual({
      out: `${FIRST}\n${SECOND}\n${THIRD}\n`,
      err: '',
      code: 0,
    });
    const { out } = shown({ watch: true, json: true }, ...answers);
    expect(out.split('\n').map((line) => (line === '' ? null : (JSON.parse(line) as object)))).toEqual([
      { seconds: 0, text: 'Linux version 6.1.0' },
      { seconds: 12.5, text: 'sd 0:0:0:0: [sda] tag#3 timing out command' },
      { seconds: 13, text: 'blk_update_request: I/O error, dev sda' },
      null,
    ]);
  });

  it('with --watch says once that the guest is gone, and that it was started anew', () => {
    const { out, err, code } = shown({ watch: true }, said(FIRST, SECOND), GONE, GONE, said(THIRD), GONE);
    expect(out).toBe(`${FIRST}\n${SECOND}\n${THIRD}\n`);
    expect(err.match(/no QEMU of this guest is running\n {2}to read it: start the guest\n/g)).toHaveLength(2);
    expect(err).toContain('the guest was started anew, or printed more than its log holds');
    expect(code).toBe(5);
  });
});
