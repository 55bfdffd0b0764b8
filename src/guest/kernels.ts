import { basename } from 'node:path';
import { demoRecipe, type Recipe } from './assemble.js';
import { buildGuest, type GuestImage } from './build.js';
import type { ProgressOptions } from './packages.js';

/** Debian's kernels that guests are tried on, besides that of the host's own suite. */
export const kernelNames = ['6.1', '6.12', 'newest', 'newest-rt'] as const;
export type KernelName = (typeof kernelNames)[number];

const newestSuites = ['sid', 'experimental'];
const suites: Record<KernelName, readonly string[]> = {
  '6.1': ['bookworm'],
  '6.12': ['trixie'],
  newest: newestSuites,
  'newest-rt': newestSuites,
};

/**
 * The recipe of the same guest with another kernel. The cloud flavour is the smallest and has what a guest needs; the
 * one with PREEMPT_RT has no such flavour, and its packages are 120 MB.
 */
export function withKernel(kernel: KernelName, recipe: Recipe): Recipe {
  const flavour = kernel === 'newest-rt' ? 'rt-amd64' : 'cloud-amd64';
  return {
    ...recipe,
    kernel: `linux-image-${flavour}`,
    kernelPattern: new RegExp(`^linux-image-\\d.*-${flavour}$`),
    kernelSuites: suites[kernel],
  };
}

/**
 * The image of a guest with that kernel in the cache directory, as buildGuest makes it, and the kernel's release, e.g.
 * 6.12.117+deb13-cloud-amd64.
 */
export async function buildKernelGuest(
  cache: string,
  kernel: KernelName,
  options: ProgressOptions,
  recipe: Recipe = demoRecipe,
): Promise<GuestImage & { release: string }> {
  const image = await buildGuest(cache, options, withKernel(kernel, recipe));
  const release = /^guest-(.*)-[0-9a-f]{12}$/.exec(basename(image.directory))?.[1] ?? '';
  options.log(`Guest kernel ${kernel}: ${release}`);
  return { ...image, release };
}
