/** The stacks and the verdict of a memory image, without the kernel's debug information. */
import { analyze } from '../../core/analysis/analysis.js';
import { imageDumps } from '../../core/analysis/image-dumps.js';
import { createBuilds } from '../../core/memory/builds.js';
import { KnownGuest } from '../../core/memory/known-guest.js';
import type { Analysis } from '../../core/model.js';
import { openImage } from './elf-file.js';

interface ReadImage {
  ok: true;
  analysis: Analysis;
  release: string | null;
  /** What a file that was cut lacks. */
  cut: string | null;
}

/** Or why it cannot be read. @throws an error of the system */
export function readImage(path: string): ReadImage | { ok: false; why: string } {
  const image = openImage(path);
  if (!image.ok) return image;
  const { ram, registers, cut } = image;
  try {
    const taken = new KnownGuest(ram, createBuilds()).snapshot(registers, 0);
    if (!taken.ok) return { ok: false, why: cut === null ? taken.why : `${cut}; ${taken.why}` };
    const dumps = imageDumps(taken, cut);
    const analysis = analyze(dumps, { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
    return { ok: true, analysis, cut, release: taken.dump.memory?.release ?? null };
  } finally {
    ram.close();
  }
}
