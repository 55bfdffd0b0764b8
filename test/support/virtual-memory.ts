/** What a reader of memory would answer for a virtual guest. */
import type { Dump } from '../../src/core/model.js';
import type { Effect } from '../../src/core/watch/events.js';
import {
  type SampledEvent,
  sampledOf,
  snapshotSeen,
  type SnapshotEvent,
} from '../../src/core/watch/memory-view.js';

type Answer = { type: 'snapshot'; seen: SnapshotEvent } | { type: 'sampled'; seen: SampledEvent };

/** `dump`: what its memory shows now; null where that cannot be read. */
export function memoryAnswer(
  effect: Extract<Effect, { type: 'snapshot' | 'sample' }>,
  dump: Dump | null,
): Answer {
  const closed = { ok: false as const, why: 'the test does not let it be read', fix: null };
  if (effect.type === 'snapshot') {
    const seen = dump === null ? closed : snapshotSeen({ dump, text: 'memory\n' }, { whole: effect.keep });
    return { type: 'snapshot', seen };
  }
  if (dump === null) return { type: 'sampled', seen: closed };
  const { tasks, memory } = dump;
  const standing = tasks.filter(({ offCpuSeconds = 0 }) => offCpuSeconds >= effect.seconds);
  const taken = {
    ok: true as const,
    clock: memory?.clock ?? 0,
    tasks: tasks.length,
    broken: false,
    standing,
  };
  return { type: 'sampled', seen: sampledOf(taken) };
}
