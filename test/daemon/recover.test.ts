import { appendFile, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { recover } from '../../src/daemon/recover.js';
import type { Interrupted } from '../../src/io/archive/finish.js';
import { incident } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from '../support/temporary.js';

const limits = { calm: 0, silence: 0, dump: 60_000 };
const BEFORE = 'before\n';
const ROWS = ['[    1.000000] sysrq: Show State', '[    1.000000] task:a', '[    1.000000] sysrq: HELP : x'];
const TRUTH = ROWS.map((row) => `${row}\n`).join('');
const AFTER = Array.from({ length: 500 }, (_, n) => `hours later ${n}\n`).join('');

let console: string;
let cut: Interrupted;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  console = join(directory, 'console');
  await writeFile(console, `old\n${BEFORE}${TRUTH}${AFTER}`);
  // It has not grown for a while.
  await utimes(console, 1, 1);
  const { dev, ino } = await stat(console);
  const position = { kind: 'file', path: console, dev, ino, offset: 4 + BEFORE.length } as const;
  const { vm, unit, invocation, wedgedSince, why, lastProgress, awaiting, test, note } = incident();
  const accusation = { vm, unit, invocation, wedgedSince, why, lastProgress, awaiting, test, note };
  const raw = join(directory, 'console.raw');
  cut = { accusation, startedAtMs: 0, position, contextBytes: BEFORE.length, raw };
});

const archived = (text: string) => writeFile(cut.raw, text);
const result = () => readFile(cut.raw, 'utf8');

it.each([0, 1, 20, 33, 34, 60, TRUTH.length])(
  'goes on behind %d bytes of a capture, to its end, and not twice',
  async (bytes) => {
    await archived(BEFORE + TRUTH.slice(0, bytes));
    expect(await recover(cut, limits)).toBeNull();
    const once = await result();
    expect(once.startsWith(BEFORE + TRUTH)).toBe(true);
    expect((BEFORE + TRUTH + AFTER).startsWith(once)).toBe(true);
    expect(once.length).toBeLessThan((BEFORE + TRUTH + AFTER).length);
    // Killed in the middle of this, it is done again.
    await archived(once.slice(0, -3));
    await recover(cut, limits);
    expect((BEFORE + TRUTH + AFTER).startsWith(await result())).toBe(true);
  },
);

it('appends nothing to bytes that are not the console’s', async () => {
  await archived(`${BEFORE}[    1.000000] something else\n`);
  expect(await recover(cut, limits)).toMatch(/it does not contain what was archived from it/);
  expect(await result()).toBe(`${BEFORE}[    1.000000] something else\n`);
});

it('appends nothing where even the first bytes were not taken', async () => {
  await archived(BEFORE.slice(1));
  expect(await recover(cut, limits)).toBe('the disk did not store its first bytes');
  expect(await result()).toBe(BEFORE.slice(1));
});

it('says where the console is gone, was rewritten, or is not known', async () => {
  await archived(BEFORE + TRUTH.slice(0, 20));
  await writeFile(`${console}.new`, 'x');
  const { position } = cut;
  const other = { ...position, ino: 1 } as typeof position;
  expect(await recover({ ...cut, position: other }, limits)).toMatch(/console was rewritten since/);
  await rm(console);
  expect(await recover(cut, limits)).toMatch(/could not read its console again: ENOENT/);
  expect(await recover({ ...cut, position: null }, limits)).toMatch(/is unknown/);
  expect(await result()).toBe(BEFORE + TRUTH.slice(0, 20));
});

it('waits for a dump that is still printing', async () => {
  const [header = '', ...rest] = ROWS;
  await writeFile(console, `old\n${BEFORE}${header}\n`);
  await archived(BEFORE);
  const done = recover({ ...cut, startedAtMs: Date.now() }, { calm: 60_000, silence: 5_000, dump: 60_000 });
  await expect.poll(result).toBe(`${BEFORE}${header}\n`);
  await appendFile(console, `${rest.join('\n')}\n${AFTER}`);
  expect(await done).toBeNull();
  expect((await result()).startsWith(BEFORE + TRUTH)).toBe(true);
});
