import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { findConfig, loadConfig } from '../../src/io/config-file.js';

const directory = mkdtempSync(join(tmpdir(), 'config-file-'));
const path = join(directory, 'config.yaml');
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('findConfig', () => {
  it.each([
    [null, { XDG_CONFIG_HOME: '/x' }, { path: '/x/wedgewatch/config.yaml', required: false }],
    [
      null,
      { XDG_CONFIG_HOME: 'x' },
      { path: join(homedir(), '.config/wedgewatch/config.yaml'), required: false },
    ],
    [null, {}, { path: join(homedir(), '.config/wedgewatch/config.yaml'), required: false }],
    ['a/../b.yaml', { XDG_CONFIG_HOME: '/x' }, { path: join(process.cwd(), 'b.yaml'), required: true }],
  ])('%j in %j', (explicit, env, expected) => {
    expect(findConfig(explicit, env)).toEqual(expected);
  });
});

describe('loadConfig', () => {
  const load = (required: boolean) => loadConfig({ path, required });
  const message = async (required = true) => {
    const loaded = await load(required);
    return loaded.ok ? null : loaded.problems.map((problem) => problem.message);
  };

  it('takes the defaults where the default file is missing, but misses a file that was named', async () => {
    expect(await load(false)).toEqual({ ok: true, config: configSchema.parse({}), text: null });
    expect(await message()).toEqual([expect.stringContaining('no such file')]);
  });

  it('gives the values with the text, or the problems with their place', async () => {
    writeFileSync(path, 'ssh: {failures: 5}\n');
    expect(await load(false)).toMatchObject({
      ok: true,
      config: { ssh: { failures: 5 } },
      text: 'ssh: {failures: 5}\n',
    });
    writeFileSync(path, 'ssh: {failures: x}\n');
    expect(await load(false)).toMatchObject({
      ok: false,
      problems: [{ file: path, position: { line: 1, column: 17 }, path: 'ssh.failures' }],
      text: 'ssh: {failures: x}\n',
    });
  });

  it('reads UTF-8 only, and not without bound', async () => {
    writeFileSync(path, Buffer.from([0x23, 0xff, 0xfe]));
    expect(await message()).toEqual([expect.stringContaining('not UTF-8')]);
    writeFileSync(path, '#'.repeat(1024 * 1024 + 1));
    expect(await message()).toEqual([expect.stringContaining('longer than 1 MiB')]);
  });

  it('says that a directory is none', async () => {
    const loaded = await loadConfig({ path: directory, required: false });
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ message: 'not a regular file', position: null }],
    });
  });
});
