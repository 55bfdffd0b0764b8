import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { assembleImage, demoRecipe, type Recipe } from './assemble.js';
import { packagesHere } from './host.js';
import { dependencyOf, installPackages, unpackPackages, type ProgressOptions } from './packages.js';

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

/** Where images are kept: `wedgewatch` in $XDG_CACHE_HOME, else in ~/.cache. */
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

async function recipeHash(recipe: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (const name of Object.keys(recipe.assets)) hash.update(await readFile(join(assets, name)));
  return hash.digest('hex').slice(0, 12);
}

async function buildInto(
  cache: string,
  recipe: Recipe,
  hash: string,
  options: ProgressOptions,
): Promise<string> {
  const kernel = await dependencyOf(recipe.kernel, recipe.kernelPattern, options);
  const target = join(cache, `guest-${kernel.replace('linux-image-', '')}-${hash}`);
  const partial = await mkdtemp(join(cache, '.partial-'));
  try {
    const [packages, image] = [join(partial, 'packages'), join(partial, 'image')];
    for (const directory of [packages, image]) await mkdir(directory);
    options.log(`Downloading ${kernel}, ${recipe.packages.join(', ')}`);
    await unpackPackages([kernel, ...recipe.packages], packages, options);
    options.log('Making the guest image');
    await assembleImage({ recipe, packages, assets, image, signal: options.signal });
    await rename(image, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // else another build was faster
    });
    return target;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * A guest's image in the cache directory, that of the demo if no recipe is given: built from Debian packages at its first use, at about 32 MB
 * of downloads, and reused after. Installs what the host lacks to run it.
 * @throws Error where this is not Debian on x86-64, where packages cannot be had, or when aborted
 */
export async function buildGuest(
  cache: string,
  options: ProgressOptions,
  recipe: Recipe = demoRecipe,
): Promise<GuestImage> {
  if (process.arch !== 'x64') {
    throw new Error(
      `The demo guest is for x86-64; this host is ${process.arch}. wedgewatch itself does not mind.`,
    );
  }
  await installPackages([...packagesHere(), ...recipe.hostPackages], options);
  await mkdir(cache, { recursive: true });
  const hash = await recipeHash(recipe);
  const cached = (await readdir(cache)).find(
    (name) => name.startsWith('guest-') && name.endsWith(`-${hash}`),
  );
  return imageIn(cached === undefined ? await buildInto(cache, recipe, hash, options) : join(cache, cached));
}
