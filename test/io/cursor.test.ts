import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadPosition, PositionSaver } from '../../src/io/cursor.js';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'wedgewatch-cursor-')), 'state');
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

const fail = (_: string, text: string) => expect.unreachable(text);
const position = (i: number) => ({ cursor: `s=1;i=${i}`, realtimeMs: 1_700_000_000_000.25 + i });

it('has no position at first, and no warning', async () => {
  expect(await loadPosition(directory)).toEqual({ position: null, warning: null });
});

it('saves the last position, for its user only', async () => {
  const saver = new PositionSaver(directory, fail);
  saver.note(position(1));
  saver.note(position(2));
  expect(await readdir(join(directory, '..'))).toEqual([]);
  await saver.flush();
  expect(await loadPosition(directory)).toEqual({ position: position(2), warning: null });
  expect((await stat(join(directory, 'journal-position.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  saver.note(position(3));
  await saver.flush();
  expect((await loadPosition(directory)).position).toEqual(position(3));
});

it.each(['', '{"cursor":', '{"cursor":"a b","realtimeMs":1}', '{"cursor":"x"}', '[]'])(
  'ignores a damaged file and says so: %j',
  async (content) => {
    await mkdir(directory);
    await writeFile(join(directory, 'journal-position.json'), content);
    const { position, warning } = await loadPosition(directory);
    expect(position).toBeNull();
    expect(warning).toMatch(/journal-position\.json is ignored: it is damaged/);
  },
);

it('writes at most every 5 s, and tells once that it cannot, and once that it can again', async () => {
  await writeFile(directory, 'a file, no directory');
  const said: string[] = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const saver = new PositionSaver(directory, (level, text) => said.push(`${level}: ${text}`));
    saver.note(position(1));
    vi.advanceTimersByTime(4_999);
    saver.note(position(2));
    vi.advanceTimersByTime(1);
    await saver.flush();
    const failed = expect.stringMatching(
      /^warning: the journal position is not saved: .*(?:EEXIST|ENOTDIR).*; a restart reads/,
    ) as string;
    expect(said).toEqual([failed]);
    saver.note(position(3));
    vi.advanceTimersByTime(5_000);
    await saver.flush();
    expect(said).toEqual([failed]);
    await rm(directory);
    for (const n of [4, 5]) {
      saver.note(position(n));
      await saver.flush();
    }
    expect(said).toEqual([failed, 'notice: the journal position is saved again']);
    expect((await loadPosition(directory)).position).toEqual(position(5));
  } finally {
    vi.useRealTimers();
  }
});
