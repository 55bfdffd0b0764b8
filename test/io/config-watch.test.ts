import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/io/config-file.js';
import { reloader, watchConfig, type WatchOptions } from '../../src/io/config-watch.js';

let home: string;
let path: string;
let abort: AbortController;
/** The failures setting of each new configuration, or the paths of its problems. */
let seen: (number | string)[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'config-watch-'));
  path = join(home, '.config', 'wedgewatch', 'config.yaml');
  abort = new AbortController();
  seen = [];
});

afterEach(() => {
  abort.abort();
  rmSync(home, { recursive: true, force: true });
});

const write = (text: string, to = path) => {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, text);
};

const failures = (count: number) => `ssh: {failures: ${count}}\n`;

const options = (text: string | null, required = false): WatchOptions => ({
  file: { path, required },
  text,
  onChange: (config) => seen.push(config.ssh.failures),
  onBroken: (problems) => seen.push(problems.map((problem) => problem.path || problem.message).join()),
  signal: abort.signal,
});

async function watch(before: { edit?: () => void; required?: boolean } = {}): Promise<void> {
  const { text } = await loadConfig({ path, required: false });
  before.edit?.();
  await watchConfig(options(text, before.required));
}

const until = (expected: (number | string)[]) =>
  vi.waitFor(() => expect(seen).toEqual(expected), { timeout: 8000, interval: 20 });

describe('watchConfig', () => {
  it('sees a file come whose directories do not exist yet, change and go', async () => {
    await watch();
    write(failures(4));
    await until([4]);
    write(failures(5));
    await until([4, 5]);
    rmSync(dirname(path), { recursive: true });
    await until([4, 5, 2]);
    write(failures(6));
    await until([4, 5, 2, 6]);
  });

  it('sees editors that write a new file and rename it', async () => {
    write(failures(4));
    await watch();
    for (const count of [5, 6, 7]) {
      write(failures(count), `${path}.new`);
      renameSync(path, `${path}~`);
      renameSync(`${path}.new`, path);
      await until([5, 6, 7].slice(0, count - 4));
    }
  });

  it('sees a symbolic link that is turned elsewhere, as configuration managers do', async () => {
    const [old, other, next] = ['old', 'other', 'next'].map((name) => join(home, name));
    write(failures(4), old);
    write(failures(5), other);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(old!, path);
    await watch();
    symlinkSync(other!, next!);
    renameSync(next!, path);
    await until([5]);
  });

  it('sees edits below a linked directory, and that it is turned elsewhere', async () => {
    const [old, other, next] = ['old', 'other', 'next'].map((name) => join(home, name));
    mkdirSync(dirname(dirname(path)), { recursive: true });
    write(failures(4), join(old!, 'config.yaml'));
    write(failures(6), join(other!, 'config.yaml'));
    symlinkSync(old!, dirname(path));
    await watch();
    write(failures(5));
    await until([5]);
    symlinkSync(other!, next!);
    renameSync(next!, dirname(path));
    await until([5, 6]);
    write(failures(7));
    await until([5, 6, 7]);
  });

  it('tells of a broken edit, and of its end', async () => {
    write(failures(4));
    await watch();
    write('ssh: {failures: x}');
    await until(['ssh.failures']);
    write(failures(4));
    await until(['ssh.failures', 4]);
  });

  it('misses no edit between the first reading and the watch', async () => {
    write(failures(4));
    await watch({ edit: () => write(failures(9)) });
    await until([9]);
  });

  it('tells once that a named file is gone', async () => {
    write(failures(4));
    await watch({ required: true });
    rmSync(path);
    await until([expect.stringContaining('no such file') as string]);
    write('', join(dirname(path), 'other'));
    write(failures(5));
    await until([expect.stringContaining('no such file') as string, 5]);
  });

  it('passes over the moment in which an editor has emptied or removed the file', async () => {
    write(failures(4));
    const reload = reloader(options(failures(4)));
    write('');
    expect(await reload()).toBe(false);
    write(failures(5));
    expect(await reload()).toBe(true);
    rmSync(path);
    expect(await reload()).toBe(false);
    expect(seen).toEqual([5]);
    expect(await reload()).toBe(true);
    expect(seen).toEqual([5, 2]);
  });

  it('is silent and lets go of everything after the abort', async () => {
    write(failures(4));
    await watch();
    const watchers = () => process.getActiveResourcesInfo().filter((kind) => kind.includes('FSEvent'));
    expect(watchers()).not.toEqual([]);
    write(failures(5));
    abort.abort();
    await vi.waitFor(() => {
      expect(watchers()).toEqual([]);
    });
    // Longer than the settling time.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(seen).toEqual([]);
  });

  it('does not start when it is aborted already', async () => {
    abort.abort();
    await watch();
    expect(seen).toEqual([]);
  });
});
