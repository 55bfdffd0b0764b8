/** Doctor's check of a guest's memory: whether it can be read, how, and else what opens it. */
import type { GuestSettings } from '../core/config/schema.js';
import type { HowFound } from '../core/memory/model.js';
import { type Check, ok, warning } from './check.js';
import { ProcessMemoryReader } from './process-memory-reader.js';

const SNAPSHOT_MS = 20_000;
const NOTHING = 'nothing opens it: dumps are asked for with keys';

export async function checkMemory({ vm, qmpSocket, memory }: GuestSettings): Promise<Check> {
  if (memory === 'off')
    return warning('memory', 'is not read: the configuration says memory: off', 'set memory: on');
  const reader = new ProcessMemoryReader();
  try {
    const taken = await reader.snapshot({ vm, qmpSocket, pid: null }, SNAPSHOT_MS);
    if (!taken.ok) return warning('memory', `cannot be read: ${taken.why}`, taken.fix ?? NOTHING);
    const { dump, instead } = taken;
    const found = dump.memory;
    const kernel = found === undefined ? '' : `; Linux ${found.release}, ${howText(found.how)}`;
    const read = `${dump.tasks.length} tasks read from ${found?.way ?? 'its RAM'}${kernel}`;
    if (instead === undefined) return ok('memory', read);
    return warning(
      'memory',
      `${read}; it is not watched through them: ${instead.why}`,
      instead.fix ?? NOTHING,
    );
  } finally {
    reader.close();
  }
}

function howText({ kernel, types, stacks }: HowFound): string {
  const by = kernel === 'page tables of a vCPU' ? 'by the page tables of a vCPU' : 'by its note';
  return `found ${by}, types ${types === 'btf' ? 'by BTF' : 'learned'}, stacks by ${stacks === 'orc' ? 'ORC' : stacks}`;
}
