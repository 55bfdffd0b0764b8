import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { demoRecipe, type Recipe } from './assemble.js';
import { assets } from './build.js';

/** Where a file of guest/wedges lies in the guest: a script to be sourced, or a program made of a C source. */
const inGuest = (file: string): string =>
  file.endsWith('.c') ? `bin/${file.slice(0, -'.c'.length)}` : `wedges/${file}`;

/** The demo guest, with all that guest/wedges holds and what that needs. */
export async function wedgeRecipe(): Promise<Recipe> {
  const files = (await readdir(join(assets, 'wedges'))).sort();
  return {
    ...demoRecipe,
    packages: [...demoRecipe.packages, 'dmsetup', 'libdevmapper1.02.1', 'udev', 'libkmod2'],
    programs: ['sbin/dmsetup', 'bin/udevadm'],
    spareModules: [
      ...demoRecipe.spareModules,
      'virtio_blk',
      'dm_mod',
      'loop',
      'nbd',
      'nfsv3',
      'fuse',
      'autofs4',
    ],
    assets: {
      ...demoRecipe.assets,
      ...Object.fromEntries(files.map((file) => [`wedges/${file}`, inGuest(file)])),
    },
    hostPackages: ['gcc', 'libc6-dev'],
  };
}

/** The wedges there are, as wedge.mode= on the kernel's command line takes them. */
export async function wedgeNames(): Promise<string[]> {
  const { assets: all } = await wedgeRecipe();
  return Object.keys(all).flatMap((file) => /^wedges\/(?!common)(.*)\.sh$/.exec(file)?.[1] ?? []);
}
