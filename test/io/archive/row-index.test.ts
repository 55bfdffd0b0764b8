/** Whatever happens to the archive and to its index: the list is what a reading of every incident says. */
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { incidentId, parseIncidentName } from '../../../src/core/report/incident.js';
import { incidentJson } from '../../../src/core/report/json.js';
import { type IncidentRow, incidentRow, inOrder } from '../../../src/core/report/row.js';
import { readIncidentOf, readIncidents, readVerdict } from '../../../src/io/archive/read.js';
import { retain } from '../../../src/io/archive/retain.js';
import { updateIncident } from '../../../src/io/archive/update.js';
import { openIncident } from '../../../src/io/archive/writer.js';
import { incident, STARTED_AT_MS } from '../../fixtures/archive-sample.js';
import { temporaryDirectory } from '../../support/temporary.js';

const index = (root: string) => join(root, 'index.jsonl');
const incidents = (root: string) => join(root, 'incidents');

/** The list, made without the index. */
async function fullScan(root: string): Promise<IncidentRow[]> {
  const rows = [];
  for (const name of await readdir(incidents(root)).catch(() => [])) {
    const path = join(incidents(root), name);
    if (parseIncidentName(name) === null || !(await stat(path)).isDirectory()) continue;
    const read = await readIncidentOf(path);
    const verdict = read.ok ? null : await readVerdict(path);
    rows.push(incidentRow(name, read, verdict?.split('\n')[0] ?? null));
  }
  return inOrder(rows, (id) => join(incidents(root), id));
}

const names = async (root: string) => (await readdir(incidents(root)).catch(() => [])).sort();

async function put(root: string, n: number, title = `by hand ${n}`): Promise<string> {
  const id = incidentId(STARTED_AT_MS + n * 60_000, 'store', '00c0ffee');
  const path = join(incidents(root), id);
  await mkdir(path, { recursive: true });
  const verdict = { ...incident().verdict, title };
  await writeFile(
    join(path, 'incident.json'),
    incidentJson(incident({ id, verdict, fingerprint: `${n % 3}` })),
  );
  // Whole seconds: another file can be given the same.
  await utimes(join(path, 'incident.json'), 1e9 + n, 1e9 + n);
  return path;
}

type Operation = (root: string, n: number) => Promise<unknown>;
/** On the n-th of those there are. */
const onOne =
  (work: (path: string, root: string, n: number) => Promise<unknown>): Operation =>
  async (root, n) => {
    const there = (await names(root)).filter((name) => parseIncidentName(name) !== null);
    const name = there[n % Math.max(1, there.length)];
    if (name !== undefined) await work(join(incidents(root), name), root, n).catch(() => undefined);
  };

const OPERATIONS: Record<string, Operation> = {
  file: async (root, n) => {
    const writer = await openIncident(root, { vm: `vm${n % 2}`, startedAtMs: STARTED_AT_MS + n * 1000 });
    const evidence = { ...incident().evidence, complete: n % 2 === 0 };
    await writer.file(incident({ vm: `vm${n % 2}`, kernel: `6.${n}`, evidence }), { console: 'x' });
  },
  put: (root, n) => put(root, n),
  recover: onOne((path, _, n) => updateIncident(path, { recoveredAt: new Date(n).toISOString() })),
  remove: onOne((path) => rm(path, { recursive: true })),
  damage: onOne((path) => writeFile(join(path, 'incident.json'), '{"schema')),
  lose: onOne((path) => rm(join(path, 'incident.json'))),
  verdict: onOne((path, _, n) => writeFile(join(path, 'verdict.txt'), `verdict ${n}\n`)),
  // Of the same size and time as before.
  replace: onOne(async (path) => {
    const file = join(path, 'incident.json');
    const { atime, mtime } = await stat(file);
    const text = (await readFile(file, 'utf8')).replace(/"vm": "..../, '"vm": "othe');
    await writeFile(`${file}.other`, text);
    await utimes(`${file}.other`, atime, mtime);
    await rename(`${file}.other`, file);
  }),
  swap: onOne(async (path, root) => {
    const other = join(incidents(root), (await names(root))[0] ?? '');
    await rename(join(path, 'incident.json'), join(other, 'incident.json'));
  }),
  prune: (root) => retain(root, { maxIncidents: 3, maxAge: 1e12, maxSize: 1e9 }, STARTED_AT_MS),
  cut: async (root, n) => {
    const text = await readFile(index(root), 'utf8').catch(() => '');
    if (text !== '') await writeFile(index(root), text.slice(0, n * 40));
  },
  spoil: async (root, n) => {
    const text = await readFile(index(root), 'utf8').catch(() => '');
    const bytes = Buffer.from(text.repeat(1 + (n % 2)));
    for (let at = n; at < bytes.length; at += 97) bytes[at] = n;
    if (text !== '') await writeFile(index(root), bytes);
  },
  older: async (root) => {
    const text = await readFile(index(root), 'utf8').catch(() => '');
    if (text !== '') await writeFile(index(root), text.replace(/"index":\d+/, '"index":0'));
  },
  drop: (root) => rm(index(root), { recursive: true, force: true }),
  occupy: async (root, n) => {
    await rm(index(root), { recursive: true, force: true });
    if (n % 2 === 0) await mkdir(index(root));
    else {
      // Other operations write through it.
      await writeFile(join(root, 'elsewhere'), 'of somebody else');
      await symlink(join(root, 'elsewhere'), index(root));
    }
  },
  abandon: async (root, n) => {
    await writeFile(`${index(root)}.new`, '');
    if (n % 2 === 0) await utimes(`${index(root)}.new`, 1, 1);
  },
  readers: (root) => Promise.all([readIncidents(root), readIncidents(root), readIncidents(root)]),
};

it('the list with an index is the list without one, after anything', { timeout: 120_000 }, async () => {
  const operation = fc.tuple(fc.constantFrom(...Object.keys(OPERATIONS)), fc.nat(30));
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
      const root = await temporaryDirectory();
      for (let n = 0; n < 4; n += 1) await put(root, n);
      for (const [name, n] of operations) {
        await OPERATIONS[name]!(root, n);
        if (n % 3 > 0) expect(await readIncidents(root)).toEqual(await fullScan(root));
      }
      expect(await readIncidents(root)).toEqual(await fullScan(root));
      expect(await readIncidents(root)).toEqual(await fullScan(root));
    }),
    { numRuns: 25 },
  );
});

it('reads no incident that it knows, and those that were filed since are known', async () => {
  const root = await temporaryDirectory();
  await put(root, 1);
  await readIncidents(root);
  const writer = await openIncident(root, { vm: 'store', startedAtMs: STARTED_AT_MS + 1e6 });
  const { path } = await writer.file(incident(), {});
  await updateIncident(path, { recoveredAt: '2026-09-18T10:20:00.000Z' });
  const before = await readFile(index(root), 'utf8');
  const rows = await readIncidents(root);
  expect(rows).toEqual(await fullScan(root));
  expect(rows[1]).toMatchObject({ recoveredAt: '2026-09-18T10:20:00.000Z', seen: 1 });
  // A row that had to be read would have been written into it.
  expect(await readFile(index(root), 'utf8')).toBe(before);
  expect((await stat(index(root))).mode & 0o777).toBe(0o600);
  const marked = before.replaceAll('by hand 1', 'from index');
  await writeFile(index(root), marked);
  expect((await readIncidents(root))[0]?.verdict).toBe('from index');
});

it('takes no other file for the one that it knows, of the same size and time either', async () => {
  const root = await temporaryDirectory();
  await put(root, 1);
  await readIncidents(root);
  await OPERATIONS['replace']!(root, 0);
  expect((await readIncidents(root))[0]?.vm).toBe('othee');
});

it('is not made for an archive without incidents', async () => {
  const root = await temporaryDirectory();
  await readIncidents(root);
  expect(await readdir(root)).toEqual([]);
});

it('forgets what is gone once that is most of it', async () => {
  const root = await temporaryDirectory();
  const path = await put(root, 1);
  await readIncidents(root);
  for (let n = 0; n < 110; n += 1) await updateIncident(path, { recoveredAt: new Date(n).toISOString() });
  const lines = async () => (await readFile(index(root), 'utf8')).split('\n').length;
  expect(await lines()).toBeGreaterThan(110);
  await readIncidents(root);
  expect(await lines()).toBe(3);
});
