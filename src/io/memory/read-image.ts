/** The stacks and the verdict of a memory image, without the kernel's debug information. */
import { analyze } from '../../core/analysis/analysis.js';
import type { SnapshotTaken } from '../../core/memory/answers.js';
import { createBuilds } from '../../core/memory/builds.js';
import { KnownGuest } from '../../core/memory/known-guest.js';
import type { Analysis, Dump } from '../../core/model.js';
import { openImage } from './elf-file.js';

interface ReadImage {
  ok: true;
  analysis: Analysis;
  dump: Dump;
  log: SnapshotTaken['log'];
  release: string | null;
}

/** Or why it cannot be read. @throws an error of the system */
export function readImage(path: string): ReadImage | { ok: false; why: string } {
  const image = openImage(path);
  if (!image.ok) return image;
  try {
    const taken = new KnownGuest(image.ram, createBuilds()).snapshot(image.registers, 0);
    if (!taken.ok) return { ok: false, why: taken.why };
    const { dump, log } = taken;
    const analysis = analyze([dump], { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
    return { ok: true, analysis, dump, log, release: dump.memory?.release ?? null };
  } finally {
    image.ram.close();
  }
}
