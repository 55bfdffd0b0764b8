import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryDump } from '../../../src/core/memory/dump.js';
import { memoryText } from '../../../src/core/memory/text.js';
import { DIRECT, HandMade, LAYOUT, VMEMMAP } from '../../support/hand-made-memory.js';

const PAGES = 4;
const stack = [
  '__mutex_lock.constprop.0',
  'rwsem_down_write_slowpath',
  'request_wait_answer',
  'process_one_work',
] as const;

it('bounds what it reads of any memory, and throws on none: lists without end, pointers to everywhere', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 64, maxLength: 512 }), fc.boolean(), (seeds, ring) => {
      const layout = structuredClone(LAYOUT);
      if (ring) layout['mutex'] = { owner: 0, first_waiter: 16 };
      layout['task_struct'] = { pi_blocked_on: 8, worker_private: 24, prio: 32, 'se.sum_exec_runtime': 40 };
      layout['rt_mutex_waiter'] = { lock: 8 };
      layout['rt_mutex_base'] = { owner: 16 };
      const made = new HandMade(layout);
      const words: bigint[] = [];
      const next = (index: number): bigint => BigInt(seeds[index % seeds.length] ?? 0);
      // Most words point at others, so that every structure seems to be there, and lists go round without their heads.
      for (let index = 0; index < 512 * PAGES; index += 1) {
        const to = DIRECT + 0x10000n + ((next(index) * 8n) % (4096n * BigInt(PAGES)));
        const word = next(index + 1) % 5n === 0n ? VMEMMAP + (next(index) % 64n) * 64n : to;
        made.put(DIRECT + 0x10000n + BigInt(index) * 8n, next(index + 2) % 7n === 0n ? next(index) : word);
        words.push(word);
      }
      made.make(4096 * PAGES);
      made.symbol('super_blocks', DIRECT + 0x10000n);
      for (const pid of [1, 2, 3]) {
        const task = made.task(
          'x',
          pid,
          stack.map((name, at) => [name, ...words.slice(at * 40, at * 40 + 40)]),
        );
        task.flags = 0x20;
        task.kernelThread = true;
        task.blocker = pid === 1 ? (words[pid] ?? null) : null;
      }
      made.reads = 0;
      memoryText(memoryDump(made.snapshot));
      expect(made.reads).toBeLessThan(500_100);
    }),
    { numRuns: 60 },
  );
}, 60_000);
