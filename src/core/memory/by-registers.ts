/** A kernel's image and page tables by a vCPU's CR3, for kernels whose note is not there or not yet. x86-64 only. */
import type { PagedSpace } from './address-space.js';
import { findText, readImage, x86ImageArea, type Image } from './image.js';
import type { Ram, VcpuRegisters } from './model.js';
import { spacesOf, x86Space, type X86Root } from './paging.js';
import { stringAt } from './reading.js';

interface Running {
  space: PagedSpace;
  image: Image;
  /** `uname -r` */
  release: string;
}

const pageWords = 1024;
/** The kernel's half of a first-level table, in words. */
const kernelHalf = 512;

/** How many entries of the upper half a page shares with a table. */
function shared(words: Int32Array, page: number, table: Int32Array): number {
  let same = 0;
  for (let word = kernelHalf; word < pageWords; word += 2) {
    if (table[word] === 0) continue;
    if (words[page + word] === table[word] && words[page + word + 1] === table[word + 1]) same += 1;
  }
  return same;
}

/**
 * The kernel's own first table, which outlives every process: the page of the image whose upper half is that of the
 * table a vCPU runs on and whose lower half is empty. Gaps of the image are used for processes' tables. Null where there
 * is none.
 */
function ownTable(ram: Ram, { words }: Image, imageAt: number, running: number): number | null {
  const bytes = new Uint8Array(4096);
  if (!ram.read(running, bytes)) return null;
  const table = new Int32Array(bytes.buffer);
  let best = { at: 0, same: 1 };
  for (let page = 0; page + pageWords <= words.length; page += pageWords) {
    if (words[page + pageWords - 2] !== table[pageWords - 2]) continue;
    const same = shared(words, page, table);
    const isEmptyBelow = words.subarray(page, page + kernelHalf).every((word) => word === 0);
    if (same > best.same && isEmptyBelow) best = { at: page, same };
  }
  return best.same > 1 ? imageAt + best.at * 4 : null;
}

const banner = 'Linux version ';

function releaseOf({ bytes }: Image): string | null {
  for (const at of findText(bytes, banner, banner.indexOf('v'))) {
    const release = /^[\x21-\x7e]{3,64}(?= )/.exec(stringAt(bytes, at + banner.length, 80))?.[0];
    if (release !== undefined && /^\d+\.\d+/.test(release)) return release;
  }
  return null;
}

function runningAt(ram: Ram, { space, root, levels }: X86Root): Running | null {
  const image = readImage(ram, space, x86ImageArea.first, x86ImageArea.size);
  const at = image === null ? null : space.translate(image.first);
  const release = image === null ? null : releaseOf(image);
  if (image === null || at === null || release === null) return null;
  const own = ownTable(ram, image, at, root);
  const ownSpace = own === null ? null : x86Space(ram, own, levels);
  const isRight = ownSpace?.translate(image.first) === at;
  return { space: ownSpace !== null && isRight ? ownSpace : space, image, release };
}

/** The first kernel that a vCPU runs on; null where none of them has one mapped. */
export function runningKernel(ram: Ram, registers: readonly VcpuRegisters[]): Running | null {
  const tried = new Set<number>();
  for (const root of registers.flatMap((vcpu) => spacesOf(ram, vcpu))) {
    if (tried.has(root.root)) continue;
    tried.add(root.root);
    const running = runningAt(ram, root);
    if (running !== null) return running;
  }
  return null;
}
