/** One owner: of a user's guests, and of an archive. */
import { chown, link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { askStatus } from '../../src/daemon/control.js';
import { takeLock } from '../../src/io/lock.js';
import { compiled } from '../support/compiled.js';
import { ended, HEALTHY, Lab } from '../support/lab.js';

const built = compiled();

async function lab(): Promise<Lab> {
  const started = await Lab.start(built.main, { lab: HEALTHY });
  onTestFinished(() => started.end());
  return started;
}

const RUNNING = /another wedgewatch is already running \(pid (\d+), wedgewatch run, since 20\S+Z\)/;

describe('the owner', () => {
  it('keeps what it owns while it is stopped, and the second one is told who it is', async () => {
    const here = await lab();
    const first = await here.daemon();
    first.kill('SIGSTOP');
    const second = here.run(['run']);
    expect(await ended(second, 10_000)).toBe(5);
    expect(RUNNING.exec(second.said())?.[1]).toBe(String(first.pid));
    expect(second.said()).toContain(`which is stopped; continue it with: kill -CONT ${first.pid};`);
    first.kill('SIGCONT');
    expect((await askStatus(here.control)).pid).toBe(first.pid);
  });

  it('leaves nothing behind that blocks the next one when it is killed', async () => {
    const here = await lab();
    const first = await here.daemon();
    first.kill('SIGKILL');
    await ended(first, 5_000);
    const second = await here.daemon();
    expect((await askStatus(here.control)).pid).toBe(second.pid);
  });

  it('is the only one in its archive, from whatever runtime directory another comes', async () => {
    const here = await lab();
    const first = await here.daemon();
    const second = here.run(['run'], { XDG_RUNTIME_DIR: join(here.place, 'elsewhere') });
    expect(await ended(second, 10_000)).toBe(5);
    expect(RUNNING.exec(second.said())?.[1]).toBe(String(first.pid));
  });

  it('may be a capture by hand, and a daemon that starts meanwhile does not press keys beside it', async () => {
    const here = await lab();
    const capture = here.run(['capture', 'lab']);
    await expect
      .poll(() => readFile(join(here.place, 'wedgewatch/daemon.lock'), 'utf8').catch(() => ''), {
        timeout: 10_000,
      })
      .not.toBe('');
    const daemon = here.run(['run']);
    expect(await ended(daemon, 10_000)).toBe(5);
    expect(daemon.said()).toMatch(
      /\(pid \d+, wedgewatch capture lab, since \S+\); it ends by itself: try again then/,
    );
    expect(await ended(capture, 15_000)).toBe(1);
    await here.daemon();
  });

  it('is not stood in for by a capture by hand while it is stopped', async () => {
    const here = await lab();
    const daemon = await here.daemon();
    daemon.kill('SIGSTOP');
    const capture = here.run(['capture', 'lab']);
    expect(await ended(capture, 18_000)).toBe(5);
    expect(capture.said()).toMatch(/the daemon does not answer .*systemctl --user status wedgewatch/);
    expect(here.keys.get('lab')).toEqual([]);
  }, 30_000);
});

describe('a lock', () => {
  let place = '';
  let path = '';
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'wedgewatch-lock-'));
    onTestFinished(() => rm(place, { recursive: true, force: true }));
    path = join(place, 'own/daemon.lock');
  });

  it('is taken once', async () => {
    await takeLock(path, 'wedgewatch run');
    await expect(takeLock(path, 'wedgewatch run')).rejects.toThrow(
      `already running (pid ${process.pid}, wedgewatch run, since`,
    );
  });

  it('is held although its note is of no use, by somebody who left no name', async () => {
    await takeLock(path, 'wedgewatch run');
    await writeFile(path, '{"pid": "1; rm -rf"}');
    await expect(takeLock(path, 'x')).rejects.toThrow(`left no name; find it with: fuser -v ${path}`);
  });

  it('names no process that only has the number of the holder', async () => {
    await takeLock(path, 'wedgewatch run');
    const note = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...note, pid: 1 }));
    await expect(takeLock(path, 'x')).rejects.toThrow(
      /which is not to be seen from here, perhaps in a container/,
    );
    await writeFile(path, JSON.stringify({ ...note, boot: 'another', host: 'hall\u202e9000' }));
    await expect(takeLock(path, 'x')).rejects.toThrow(/on the host hall.{1,8}9000: .* is locked/);
  });

  it.each([
    ['a link', (to: string) => symlink(join(place, 'victim'), to)],
    ['a second name of a file', async (to: string) => link(await victim(), to)],
    ['a directory', (to: string) => mkdir(to)],
    ['a file of another user', async (to: string) => writeFile(to, '').then(() => chown(to, 12_345, 12_345))],
  ])('is not taken of what somebody else prepared: %s', async (_what, prepare) => {
    await mkdir(dirname(path), { mode: 0o700 });
    await prepare(path);
    await expect(takeLock(path, 'wedgewatch run')).rejects.toThrow(path);
    expect(await readFile(join(place, 'victim'), 'utf8').catch(() => 'untouched')).toBe('untouched');
  });

  it('is not taken in a directory of another user', async () => {
    await mkdir(dirname(path));
    await chown(dirname(path), 12_345, 12_345);
    await expect(takeLock(path, 'wedgewatch run')).rejects.toThrow(
      `${dirname(path)} belongs to uid 12345, not to you`,
    );
  });

  it('is refused with its fix where there is no flock', async () => {
    const { PATH } = process.env;
    onTestFinished(() => void (process.env['PATH'] = PATH));
    process.env['PATH'] = place;
    await expect(takeLock(path, 'wedgewatch run')).rejects.toThrow(
      'flock is not in PATH; install util-linux',
    );
  });

  async function victim(): Promise<string> {
    await writeFile(join(place, 'victim'), 'untouched');
    return join(place, 'victim');
  }
});
