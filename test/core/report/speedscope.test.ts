import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { speedscope } from '../../../src/core/report/speedscope.js';
import { dump, stacks, task } from '../../support/stacks.js';

/** What speedscope's file-format-schema.json asks of a sampled profile. */
const file = z.strictObject({
  $schema: z.literal('https://www.speedscope.app/file-format-schema.json'),
  exporter: z.string(),
  name: z.string(),
  activeProfileIndex: z.number(),
  profiles: z.array(
    z.strictObject({
      type: z.literal('sampled'),
      name: z.string(),
      unit: z.enum(['none', 'nanoseconds', 'microseconds', 'milliseconds', 'seconds', 'bytes']),
      startValue: z.number(),
      endValue: z.number(),
      samples: z.array(z.array(z.int().nonnegative())),
      weights: z.array(z.number()),
    }),
  ),
  shared: z.strictObject({ frames: z.array(z.strictObject({ name: z.string() })) }),
});

it('makes a profile of each dump that has tasks, weighted by tasks, the root first', () => {
  const readers = [1, 2, 3].map((pid) => task('reader', pid, 'D', stacks.pageIn));
  const dumps = parseDumps([
    ...dump('w', 1, ...readers),
    ...dump('w', 2),
    ...dump('t', 3, ...readers, task('bare', 9, 'S', [])),
  ]);
  const made = file.parse(speedscope('an incident', dumps, '1.0.0'));
  const names = made.shared.frames.map(({ name }) => name);
  expect(made.profiles.map(({ name, weights, endValue }) => [name, weights, endValue])).toEqual([
    ['dump w.1, in tasks', [3], 3],
    ['dump t, in tasks', [3, 1], 4],
  ]);
  expect(made.activeProfileIndex).toBe(1);
  const [stack, bare] = made.profiles[1]!.samples.map((sample) => sample.map((index) => names[index]));
  expect([stack![0], stack!.at(-1), bare]).toEqual(['asm_exc_page_fault', '__schedule', ['(no stack)']]);
  for (const { samples, weights } of made.profiles) expect(weights).toHaveLength(samples.length);
});

it('of no dump is still a file', () => {
  expect(file.parse(speedscope('x', [], '1')).profiles).toEqual([]);
});
