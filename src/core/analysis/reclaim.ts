import type { Frame } from '../model.js';
import { firmSymbols } from './frames.js';
import { subjectOfSymbol } from './subjects.js';

const DIRECT_RECLAIM =
  /^(?:_*alloc_pages_direct_reclaim|(?:do_)?try_to_free_pages|try_to_free_mem_cgroup_pages|node_reclaim|_*node_reclaim)$/;

interface Layer {
  subject: string;
  frame: string;
}

/** A filesystem that asked for memory, and one that the search for memory came into. Null where that is not so. */
export function reclaimRecursion(frames: readonly Frame[]): { outer: Layer; inner: Layer } | null {
  const names = firmSymbols(frames);
  const first = names.findIndex((name) => DIRECT_RECLAIM.test(name));
  if (first < 0) return null;
  const last = names.findLastIndex((name) => DIRECT_RECLAIM.test(name));
  const inner = filesystemIn(names.slice(0, first));
  const outer = filesystemIn(names.slice(last + 1));
  return inner && outer ? { outer, inner } : null;
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
