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

const fail = (message: string) => expect.unreachable(message);
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

it('writes at most every 5 s, and tells of a position that could not be saved', async () => {
  await writeFile(directory, 'a file, no directory');
  const errors: string[] = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const saver = new PositionSaver(directory, (message) => errors.push(message));
    saver.note(position(1));
    vi.advanceTimersByTime(4_999);
    saver.note(position(2));
    vi.advanceTimersByTime(1);
    await saver.flush();
    expect(errors).toEqual([
      expect.stringMatching(/the journal position was not saved: .*(?:EEXIST|ENOTDIR)/),
    ]);
    saver.note(position(3));
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(errors).toHaveLength(2));
  } finally {
    vi.useRealTimers();
  }
});
