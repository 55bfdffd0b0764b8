import type { Frame } from '../model.js';
import { firmSymbols } from './frames.js';
import { subjectOfSymbol } from './subjects.js';

const DIRECT_RECLAIM =
  /^(?:_*alloc_pages_direct_reclaim|(?:do_)?try_to_free_pages|try_to_free_mem_cgroup_pages|node_reclaim|_*node_reclaim)$/;

/** Subjects of the layers that reclaim writes through; a swap's or a page's own are the search itself. */
const BELOW = /^(?:the block layer|a stacked block device|NVMe|SCSI or ATA|MMC)$/;

interface Layer {
  subject: string;
  frame: string;
}

/**
 * A filesystem or a block device that asked for memory, and the one that the search for memory came into. Null where that
 * is not so: what a filesystem asks for may have to be written to a disk.
 */
export function reclaimRecursion(frames: readonly Frame[]): { outer: Layer; inner: Layer } | null {
  const names = firmSymbols(frames);
  const first = names.findIndex((name) => DIRECT_RECLAIM.test(name));
  if (first < 0) return null;
  const last = names.findLastIndex((name) => DIRECT_RECLAIM.test(name));
  const inside = names.slice(0, first);
  const outside = names.slice(last + 1);
  const outer = filesystemIn(outside);
  const inner = filesystemIn(inside);
  if (inner && outer) return { outer, inner };
  const device = deviceIn(outside);
  const entered = inner ?? deviceIn(inside);
  return device && entered ? { outer: device, inner: entered } : null;
}

/** The innermost function of the block layer, or of a device below it. */
function deviceIn(names: readonly string[]): Layer | null {
  for (const frame of names) {
    const subject = subjectOfSymbol(frame);
    if (subject && BELOW.test(subject.name)) return { subject: subject.name, frame };
  }
  return null;
}

/** The innermost function of a filesystem or its journal. */
function filesystemIn(names: readonly string[]): Layer | null {
  for (const frame of names) {
    const subject = subjectOfSymbol(frame);
    const own = subject?.layer === 'filesystem' || subject?.layer === 'journal';
    if (subject && own && subject.general !== true && subject.name !== 'writeback')
      return { subject: subject.name, frame };
  }
  return null;
}
