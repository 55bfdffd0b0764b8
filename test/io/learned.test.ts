import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LearnedBoots } from '../../src/io/learned.js';
import { temporaryDirectory } from '../support/temporary.js';

const fail = (message: string) => expect.unreachable(message);

it('is there again after a restart, for each guest', async () => {
  const directory = join(await temporaryDirectory(), 'state');
  const boots = await LearnedBoots.load(directory, fail);
  expect(boots.of('vm1')).toEqual({});
  await Promise.all([boots.keep('vm1', { kernel: [2_000] }), boots.keep('vm2', { initrd: [1, 2] })]);
  const again = await LearnedBoots.load(directory, fail);
  expect([again.of('vm1'), again.of('vm2')]).toEqual([{ kernel: [2_000] }, { initrd: [1, 2] }]);
});

it('remembers a thousand guests, and forgets the one that booted longest ago', async () => {
  const directory = await temporaryDirectory();
  const boots = await LearnedBoots.load(directory, fail);
  const kept = Array.from({ length: 1_001 }, (_, index) => boots.keep(`vm${index}`, { kernel: [index] }));
  await Promise.all(kept);
  expect([boots.of('vm0'), boots.of('vm1')]).toEqual([{}, { kernel: [1] }]);
  const { guests } = JSON.parse(await readFile(join(directory, 'learned-boots.json'), 'utf8')) as {
    guests: object;
  };
  expect(Object.keys(guests)).toHaveLength(1_000);
});

it.each(['', '{"schemaVersion":2,"guests":{}}', '{"schemaVersion":1,"guests":{"vm1":{"kernel":["x"]}}}'])(
  'says that a damaged file is ignored: %j',
  async (text) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'learned-boots.json'), text);
    const said: string[] = [];
    const boots = await LearnedBoots.load(directory, (message) => said.push(message));
    expect(boots.of('vm1')).toEqual({});
    expect(said).toEqual([expect.stringMatching(/learned-boots\.json is ignored: it is damaged/)]);
  },
);
