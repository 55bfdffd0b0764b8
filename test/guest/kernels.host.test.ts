import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { demoRecipe } from '../../src/guest/assemble.js';
import { recipeHash } from '../../src/guest/build.js';
import { buildKernelGuest, kernelNames, withKernel, type KernelName } from '../../src/guest/kernels.js';

let cache: string;
let said: string[];

const build = (kernel: KernelName = '6.12') =>
  buildKernelGuest(cache, kernel, { log: (line) => said.push(line) });

async function fake(program: string, script: string): Promise<void> {
  await writeFile(join(cache, 'bin', program), `#!/bin/sh\n${script}\n`);
  await chmod(join(cache, 'bin', program), 0o755);
}

/** An image that was made so many hours ago. */
async function made(release: string, hours: number): Promise<void> {
  const hash = await recipeHash(withKernel('6.12', demoRecipe));
  const directory = join(cache, `guest-${release}-${hash}`);
  await mkdir(directory);
  const at = Date.now() / 1000 - hours * 3600;
  await utimes(directory, at, at);
}

beforeEach(async () => {
  said = [];
  cache = await mkdtemp(join(tmpdir(), 'kernels-'));
  await mkdir(join(cache, 'bin'));
  vi.stubEnv('PATH', `${join(cache, 'bin')}:${process.env['PATH'] ?? ''}`);
  await fake(
    'apt-get',
    'case "$*" in indextargets*) echo http://mirror.test/debian;; *update) ;; *) exit 100;; esac',
  );
  await fake('apt-cache', 'echo " Depends: linux-image-6.12.9-cloud-amd64"'); // prettier-ignore
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

test('the image of the newest release is used again', async () => {
  await made('6.12.8-cloud-amd64', 1);
  await made('6.12.9-cloud-amd64', 2);
  expect((await build()).release).toBe('6.12.9-cloud-amd64');
  expect(said.at(-1)).toBe('Guest kernel 6.12: 6.12.9-cloud-amd64');
});

test('where the archive cannot be reached, the image made last is used, and that is said', async () => {
  await fake('apt-get', 'case "$*" in indextargets*) echo x;; *) echo "E: no way"; exit 100;; esac');
  await made('6.12.7-cloud-amd64', 9);
  await made('6.12.8-cloud-amd64', 1);
  expect((await build()).release).toBe('6.12.8-cloud-amd64');
  expect(said.join('\n')).toMatch(/cannot check for a newer kernel .*: E: no way/i);
});

test('where there is no image either, it fails', async () => {
  await fake('apt-get', 'case "$*" in indextargets*) echo x;; *) echo "E: no way"; exit 100;; esac');
  await expect(build('newest')).rejects.toThrow('no way');
});

test('no two kernels share images', async () => {
  const hashes = await Promise.all(kernelNames.map((name) => recipeHash(withKernel(name, demoRecipe))));
  expect(new Set(hashes).size).toBe(kernelNames.length);
});
