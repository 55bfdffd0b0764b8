/** A short run of what fuzz.mjs does at length. */
import { expect, it } from 'vitest';
import { mutated, numbers } from './mutate.mjs';
import { TARGETS } from './targets.mjs';

type Name = keyof typeof TARGETS;

const load = (module: string): Promise<unknown> =>
  import(/* @vite-ignore */ new URL(`../../src/${module}.ts`, import.meta.url).pathname);

/** What must be among the inputs, so that they are not all rubbish. */
const RUNS: [name: Name, inputs: number, kinds: string[]][] = [
  ['export', 1000, ['entries', 'left out']],
  ['console', 1000, ['more lines than rows', 'as many']],
  ['qmp', 1000, ['messages', 'messages, then none']],
  ['config', 150, ['accepted', 'refused']],
  ['dump', 2000, ['blocked', 'unknown', 'spinning']],
  ['paste', 500, ['blocked', 'unknown', 'spinning']],
  ['memory', 60, ['blocked', 'unknown']],
];

it.each(RUNS)('%s: survives %i mutated inputs and keeps its word', async (name, inputs, kinds) => {
  const target = await TARGETS[name](load);
  const seen = new Set<string>();
  for (let index = 0; index < inputs; index += 1)
    seen.add(target.run(mutated(target.material, 1, index), numbers(2, index)));
  expect([...seen]).toEqual(expect.arrayContaining(kinds));
});
