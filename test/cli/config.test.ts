import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configCheck, configSchemaText, configShow } from '../../src/cli/config.js';
import { parseConfig } from '../../src/core/config/parse-config.js';

const directory = mkdtempSync(join(tmpdir(), 'cli-config-'));
const good = join(directory, 'good.yaml');
const bad = join(directory, 'bad.yaml');
writeFileSync(good, "ssh: {interval: 90s}\noverrides: [{match: 'slow-*', ssh: {timeout: 10s}}]\n");
writeFileSync(bad, 'ssh:\n  intervall: 3s\n  failures: 0\n');
afterAll(() => {
  rmSync(directory, { recursive: true });
});

type Options = Parameters<typeof configShow>[0];

async function run(verb: (options: Options) => number | Promise<number>, given: Partial<Options> = {}) {
  let [out, err] = ['', ''];
  const code = await verb({
    ...{ file: good, json: false, quiet: false, vm: null, ...given },
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

describe('config check', () => {
  it('accepts a good file', async () => {
    expect(await run(configCheck)).toEqual({ code: 0, out: `${good}: ok\n`, err: '' });
    expect(await run(configCheck, { quiet: true })).toEqual({ code: 0, out: '', err: '' });
    expect(await run(configCheck, { json: true })).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('prints every problem, one a line', async () => {
    expect(await run(configCheck, { file: bad, quiet: true })).toEqual({
      code: 2,
      out:
        `${bad}:2:3: ssh.intervall: unknown key; did you mean ssh.interval?\n` +
        `${bad}:3:13: ssh.failures: expected a whole number from 1 to 20; found 0\n`,
      err: '',
    });
    const { code, out } = await run(configCheck, { file: bad, json: true });
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject([
      { file: bad, position: { line: 2, column: 3 }, path: 'ssh.intervall' },
      { path: 'ssh.failures', found: '0' },
    ]);
  });

  it('misses a file that was named', async () => {
    const missing = join(directory, 'none.yaml');
    expect(await run(configCheck, { file: missing })).toMatchObject({
      code: 2,
      out: expect.stringMatching(/no such file/) as string,
    });
  });
});

describe('config schema', () => {
  it('prints JSON', async () => {
    const { code, out } = await run(configSchemaText);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: 'object', properties: { ssh: {} } });
  });
});

describe('config show', () => {
  it('prints what is in force, to be read back', async () => {
    const { code, out } = await run(configShow);
    expect(code).toBe(0);
    expect(out).toMatch(/^ssh:\n {2}enabled: true\n {2}host: '%v'\n(.*\n)* {2}interval: 1min 30s\n/);
    expect(parseConfig(out, 'f')).toMatchObject({
      ok: true,
      config: { ssh: { interval: 90_000, failures: 2 } },
    });
    const json = await run(configShow, { json: true });
    expect(JSON.parse(json.out)).toEqual(parse(out));
  });

  it('prints one guest', async () => {
    const { code, out } = await run(configShow, { vm: 'slow-1' });
    expect(code).toBe(0);
    expect(parse(out)).toMatchObject({
      guests: [
        {
          name: 'slow-1',
          unit: 'qemu-system@slow-1.service',
          qmp: expect.stringMatching(/\/qemu-system\/slow-1\/qmp\.sock$/) as string,
          console: 'journal',
        },
      ],
      ssh: { host: '%v', interval: '1min 30s', timeout: '10s' },
      arm: 'report',
    });
    expect(parseConfig(out, 'f')).toMatchObject({ ok: true, config: { ssh: { timeout: 10_000 } } });
    const json = await run(configShow, { vm: 'slow-1', json: true });
    expect(JSON.parse(json.out)).toMatchObject({
      vm: 'slow-1',
      unit: 'qemu-system@slow-1.service',
      qmpSocket: expect.stringMatching(/\/qemu-system\/slow-1\/qmp\.sock$/) as string,
      console: 'journal',
      ssh: { host: 'slow-1', timeout: '10s' },
      arm: 'report',
    });
  });

  it('refuses what is no name, and a broken file', async () => {
    expect(await run(configShow, { vm: '../x' })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/without \//) as string,
    });
    expect(await run(configShow, { file: bad, json: true })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/:2:3: /) as string,
    });
  });
});
