import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { prune } from '../../src/cli/prune.js';
import { STARTED_AT_MS } from '../fixtures/archive-sample.js';
import { archive, run } from '../support/archive.js';

let root: string;
let config: string;

beforeEach(async () => {
  root = await archive();
  config = join(root, 'config.yaml');
  await writeFile(config, `archive: {directory: ${root}, maxIncidents: 2, maxAge: 3650d}\n`);
});

const pruned = (options: Parameters<typeof prune>[0], quiet = false) =>
  run((terminal) => prune(options, { config, quiet, terminal }));
const incidents = async () => (await readdir(join(root, 'incidents'))).map((name) => name.slice(-8)).sort();
const oldest = `${new Date(STARTED_AT_MS).toISOString().slice(0, 10).replaceAll('-', '')}T101502Z.store.aa000001`;

it('says what it would remove, removes it, and then finds nothing', async () => {
  const line = (verb: string) =>
    expect.stringMatching(
      new RegExp(`^${verb} ${oldest}, [\\d.]+ KiB: beyond archive.maxIncidents, 2\n$`),
    ) as string;
  expect(await pruned({ dryRun: true })).toEqual({ code: 0, err: '', out: line('would remove') });
  expect(await incidents()).toEqual(['aa000001', 'aa000002', 'bb000003']);
  expect(await pruned({})).toEqual({ code: 0, err: '', out: line('removed') });
  expect(await incidents()).toEqual(['aa000002', 'bb000003']);
  const none = { code: 0, out: '', err: 'wedgewatch: no incident is beyond the limits\n' };
  expect(await pruned({})).toEqual(none);
  expect(await pruned({}, true)).toEqual({ ...none, err: '' });
});

it('as JSON', async () => {
  const { code, out } = await pruned({ dryRun: true, json: true });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual([
    { id: oldest, bytes: expect.any(Number) as number, why: 'beyond archive.maxIncidents, 2' },
  ]);
});

it('ends with 5 where the archive cannot be used', async () => {
  await writeFile(join(root, 'file'), '');
  await writeFile(config, `archive: {directory: ${root}/file}\n`);
  expect(await pruned({})).toMatchObject({
    code: 5,
    err: expect.stringMatching(/a part of the path is a file/) as string,
  });
});
