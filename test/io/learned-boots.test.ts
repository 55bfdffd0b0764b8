import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LearnedBoots } from '../../src/io/learned-boots.js';
import { temporaryDirectory } from '../support/temporary.js';

const fail = (_level: string, message: string) => expect.unreachable(message);

it('is there again after a restart, for each kernel and machine', async () => {
  const directory = join(await temporaryDirectory(), 'state');
  const boots = await LearnedBoots.load(directory, fail);
  expect(boots.of('a')).toEqual({});
  // Two guests of one kind boot beside each other.
  const added = [
    boots.add('a', { initrd: 1 }),
    boots.add('b', { kernel: 2_000 }),
    boots.add('a', { initrd: 2 }),
  ];
  await Promise.all(added);
  const again = await LearnedBoots.load(directory, fail);
  expect([again.of('a'), again.of('b')]).toEqual([{ initrd: [1, 2] }, { kernel: [2_000] }]);
});

it('remembers a thousand kinds, and forgets the one that booted longest ago', async () => {
  const directory = await temporaryDirectory();
  const boots = await LearnedBoots.load(directory, fail);
  const kept = Array.from({ length: 1_001 }, (_, index) => boots.add(`vm${index}`, { kernel: index }));
  await Promise.all(kept);
  expect([boots.of('vm0'), boots.of('vm1')]).toEqual([{}, { kernel: [1] }]);
  const { machines } = JSON.parse(await readFile(join(directory, 'learned-boots.json'), 'utf8')) as {
    machines: object;
  };
  expect(Object.keys(machines)).toHaveLength(1_000);
});

it('begins anew where boots were known by names, and says so once and quietly', async () => {
  const directory = await temporaryDirectory();
  await writeFile(
    join(directory, 'learned-boots.json'),
    '{"schemaVersion":1,"guests":{"vm1":{"kernel":[5]}}}',
  );
  const said: string[][] = [];
  const boots = await LearnedBoots.load(directory, (...words) => said.push(words));
  expect([boots.of('vm1'), said]).toEqual([{}, [['info', expect.stringMatching(/names of VMs/)]]]);
  expect((await LearnedBoots.load(directory, fail)).of('vm1')).toEqual({});
});

it.each(['', '{"schemaVersion":3,"machines":{}}', '{"schemaVersion":2,"machines":{"a":{"kernel":["x"]}}}'])(
  'says that a damaged file is ignored: %j',
  async (text) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'learned-boots.json'), text);
    const said: string[] = [];
    const boots = await LearnedBoots.load(directory, (_level, message) => said.push(message));
    expect(boots.of('vm1')).toEqual({});
    expect(said).toEqual([expect.stringMatching(/learned-boots\.json is ignored: it is damaged/)]);
  },
);
