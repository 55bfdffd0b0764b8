/** Kernel modules of test/world/modules, built with Debian's headers and this host's compiler: nothing is installed. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { GuestImage } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import { headerPackages, unpackPackages, type ProgressOptions } from '../../src/guest/packages.js';

const sources = join(import.meta.dirname, 'modules');
const BUILD_MS = 300_000;

/**
 * The module NAME.c for the demo guest's kernel, which is of this host's suite as its compiler is; built once into the
 * cache directory. @returns the path of NAME.ko @throws CallError with the output of apt or make
 */
export async function buildModule(
  name: string,
  image: Pick<GuestImage, 'directory'>,
  cache: string,
  options: ProgressOptions,
): Promise<string> {
  const release = /^guest-(.*)-[0-9a-f]{12}$/.exec(basename(image.directory))?.[1] ?? '';
  const source = await readFile(join(sources, `${name}.c`));
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const built = join(cache, `module-${name}-${release}-${hash}.ko`);
  if (existsSync(built)) return built;
  const partial = await mkdtemp(join(cache, '.partial-'));
  try {
    const packages = await headerPackages(release, options);
    options.log(`Downloading ${packages.join(', ')}`);
    await unpackPackages(packages, partial, options);
    await make(name, release, partial, options);
    await rename(join(partial, 'module', `${name}.ko`), built);
    return built;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function make(name: string, release: string, root: string, { signal }: ProgressOptions): Promise<void> {
  const headers = join(root, 'usr/src', `linux-headers-${release}`);
  const makefile = join(headers, 'Makefile');
  await writeFile(makefile, (await readFile(makefile, 'utf8')).replaceAll('/usr/src', join(root, 'usr/src')));
  const module = join(root, 'module');
  await mkdir(module);
  await copyFile(join(sources, `${name}.c`), join(module, `${name}.c`));
  await writeFile(join(module, 'Kbuild'), `obj-m := ${name}.o\n`);
  // Debian names the compiler of its own suite.
  const words = ['-C', headers, `M=${module}`, 'CC=gcc', 'modules'];
  await call('make', words, { timeoutMs: BUILD_MS, signal });
}
