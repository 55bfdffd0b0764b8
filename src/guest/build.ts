import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { assembleImage, demoRecipe, type Recipe } from './assemble.js';
import { CallError } from './call.js';
import { packagesHere } from './host-packages.js';
import {
  dependencyOf,
  hostArchives,
  installPackages,
  kernelPackages,
  unpackPackages,
  type Archives,
  type ProgressOptions,
} from './packages.js';
import { suiteArchives } from './suites.js';

/** The files that a guest is started from. */
export interface GuestImage {
  directory: string;
  kernel: string;
  initrd: string;
  /** Directory that the guest mounts as `store`. */
  store: string;
  /** Private key that root of the guest accepts. */
  sshKey: string;
}

/** The guest's own files. */
export const assets = join(import.meta.dirname, '../../guest');

/** The directory of the images: `wedgewatch` in $XDG_CACHE_HOME, else in ~/.cache. */
export function guestCache(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'wedgewatch');
}

/** The files of an image in its directory. */
export function imageIn(directory: string): GuestImage {
  return {
    directory,
    kernel: join(directory, 'vmlinuz'),
    initrd: join(directory, 'initrd.gz'),
    store: join(directory, 'store'),
    sshKey: join(directory, 'id_ed25519'),
  };
}

/** Names the images of a recipe. */
export async function recipeHash(recipe: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (const name of Object.keys(recipe.assets)) hash.update(await readFile(join(assets, name)));
  return hash.digest('hex').slice(0, 12);
}

/** The images in the cache that were made by the recipe of that hash, the latest first. */
async function imagesOf(hash: string, cache: string): Promise<string[]> {
  const names = (await readdir(cache)).filter(
    (name) => name.startsWith('guest-') && name.endsWith(`-${hash}`),
  );
  const dated = names.map(async (name) => ({ name, at: (await stat(join(cache, name))).mtimeMs }));
  return (await Promise.all(dated)).sort((a, b) => b.at - a.at).map(({ name }) => join(cache, name));
}

interface Kernel {
  /** Its package, linux-image-RELEASE. */
  name: string;
  archives: Archives;
}

async function findKernel(cache: string, recipe: Recipe, options: ProgressOptions): Promise<Kernel> {
  const { kernel, kernelPattern, kernelSuites } = recipe;
  const archives =
    kernelSuites === undefined
      ? hostArchives
      : await suiteArchives(join(cache, `apt-${kernelSuites.join('-')}`), kernelSuites, options);
  return { name: await dependencyOf(kernel, kernelPattern, options, archives), archives };
}

async function buildInto(
  cache: string,
  target: string,
  recipe: Recipe,
  kernel: Kernel,
  options: ProgressOptions,
): Promise<void> {
  const partial = await mkdtemp(join(cache, '.partial-'));
  try {
    const [packages, image] = [join(partial, 'packages'), join(partial, 'image')];
    for (const directory of [packages, image]) await mkdir(directory);
    const ofKernel = await kernelPackages(kernel.name, options, kernel.archives);
    options.log(`Downloading ${[...ofKernel, ...recipe.packages].join(', ')}`);
    await unpackPackages(ofKernel, packages, options, kernel.archives);
    await unpackPackages(recipe.packages, packages, options);
    options.log('Building the guest image');
    await assembleImage({ recipe, packages, assets, image, signal: options.signal });
    await rename(image, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // else another build was faster
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * A guest's image in the cache directory, that of the demo if no recipe is given: built from Debian packages at its first
 * use, at about 32 MB of downloads, and reused after; with suites of its own, until those have a newer kernel. Installs
 * what the host lacks to run it.
 * @throws Error if this is not Debian on x86-64, if packages cannot be had, or when aborted
 */
export async function buildGuest(
  cache: string,
  options: ProgressOptions,
  recipe: Recipe = demoRecipe,
): Promise<GuestImage> {
  if (process.arch !== 'x64') {
    throw new Error(
      `The demo guest needs x86-64; this host is ${process.arch}. wedgewatch itself does not need it.`,
    );
  }
  await installPackages([...packagesHere(), ...recipe.hostPackages], options);
  await mkdir(cache, { recursive: true });
  const hash = await recipeHash(recipe);
  const [made] = await imagesOf(hash, cache);
  if (made !== undefined && recipe.kernelSuites === undefined) return imageIn(made);
  let kernel: Kernel;
  try {
    kernel = await findKernel(cache, recipe, options);
  } catch (error) {
    if (made === undefined || !(error instanceof CallError)) throw error;
    const why = /^E: .*/m.exec(error.message)?.[0] ?? error.message;
    options.log(`Cannot check for a newer kernel than that of ${basename(made)}: ${why}`);
    return imageIn(made);
  }
  const target = join(cache, `guest-${kernel.name.replace('linux-image-', '')}-${hash}`);
  if (!existsSync(target)) await buildInto(cache, target, recipe, kernel, options);
  return imageIn(target);
}
