import { chmod, mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { suiteArchives } from '../../src/guest/suites.js';

const options = { log: () => undefined };
let directory: string;

async function fakeApt(script: string): Promise<void> {
  await writeFile(join(directory, 'bin/apt-get'), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, 'bin/apt-get'), 0o755);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'suites-'));
  await mkdir(join(directory, 'bin'));
  vi.stubEnv('PATH', `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`);
  await fakeApt(
    `case "$*" in indextargets*) echo http://mirror.test/debian;; *) echo "$*" >>${directory}/calls;; esac`,
  );
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

const calls = async () => (await readFile(join(directory, 'calls'), 'utf8')).trim().split('\n');

test("are looked up at the host's mirror, in lists of their own", async () => {
  const own = join(directory, 'own');
  const { options: ours } = await suiteArchives(own, ['sid', 'experimental'], options);
  const sources = await readFile(join(own, 'sources.list'), 'utf8');
  expect(sources.replaceAll(/ \[signed-by=\S+\]/g, '')).toBe(
    'deb http://mirror.test/debian sid main\ndeb http://mirror.test/debian experimental main\n',
  );
  const [update] = await calls();
  for (const option of ours) expect(update).toContain(option);
  for (const place of ['Dir::State::Lists', 'Dir::Cache', 'Dir::Etc::SourceList'])
    expect(ours.some((option) => option.startsWith(`-o${place}=${own}/`))).toBe(true);
});

test('are those of another architecture, if one is named', async () => {
  const { options: ours } = await suiteArchives(join(directory, 'own'), ['trixie'], options, 'arm64');
  expect(ours).toEqual(expect.arrayContaining(['-oAPT::Architecture=arm64', '-oAPT::Architectures=arm64']));
});

test('are asked again after a day, not before', async () => {
  const own = join(directory, 'own');
  const again = () => suiteArchives(own, ['sid'], options);
  await again();
  await again();
  expect(await calls()).toHaveLength(1);
  const stamp = join(own, 'refreshed');
  const { mtimeMs } = await stat(stamp);
  await utimes(stamp, mtimeMs / 1000 - 86_401, mtimeMs / 1000 - 86_401);
  await again();
  expect(await calls()).toHaveLength(2);
});

test('a host whose apt knows no Debian is told how it does', async () => {
  await fakeApt('exit 0');
  await expect(suiteArchives(join(directory, 'own'), ['sid'], options)).rejects.toThrow('apt-get update');
});
