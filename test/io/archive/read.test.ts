import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { incidentId } from '../../../src/core/report/incident.js';
import { incidentJson } from '../../../src/core/report/json.js';
import { readIncidents } from '../../../src/io/archive/read.js';
import { incident, STARTED_AT_MS } from '../../fixtures/archive-sample.js';
import { temporaryDirectory } from '../../support/temporary.js';

async function archive(directories: Record<string, Record<string, string>>): Promise<string> {
  const root = await temporaryDirectory();
  for (const [name, files] of Object.entries(directories)) {
    await mkdir(join(root, 'incidents', name), { recursive: true });
    for (const [file, text] of Object.entries(files))
      await writeFile(join(root, 'incidents', name, file), text);
  }
  return root;
}

const id = (minute: number) => incidentId(STARTED_AT_MS + minute * 60_000, 'store', '00c0ffee');
const whole = (minute: number, fingerprint: string, fingerprintVersion = 1) => ({
  'incident.json': incidentJson(incident({ id: id(minute), fingerprint, fingerprintVersion })),
});

it('lists the newest last and counts what was seen before', async () => {
  const root = await archive({
    [id(3)]: whole(3, 'aa'),
    [id(1)]: whole(1, 'aa'),
    [id(2)]: whole(2, 'bb'),
    [id(4)]: whole(4, 'aa', 2),
  });
  const rows = await readIncidents(root);
  expect(rows.map((row) => [row.id, row.seen])).toEqual([
    [id(1), 1],
    [id(2), 1],
    [id(3), 2],
    [id(4), 1],
  ]);
  expect(rows[0]).toMatchObject({
    shortId: '00c0ffee',
    evidence: 'w w t',
    complete: true,
    tasks: { stuck: 1, all: 3 },
  });
});

it.each([
  [
    { 'incident.json': '{"schema', 'verdict.txt': 'stuck in \u001b[31mexecve\nmore' },
    'stuck in  [31mexecve',
    'is not JSON',
  ],
  [{ 'incident.json': '{"schemaVersion":9}', 'verdict.txt': 'stuck\n' }, 'stuck', 'has schemaVersion 9'],
  [{ 'verdict.txt': 'stuck\n' }, 'stuck', 'is missing'],
  [{}, '(no verdict)', 'is missing'],
])('still lists a damaged one: %j', async (files, verdict, problem) => {
  const root = await archive({ [id(0)]: files, 'lost+found': {}, [`${id(1)}.partial`]: {} });
  expect(await readIncidents(root)).toEqual([
    expect.objectContaining({
      id: id(0),
      vm: 'store',
      startedAt: '2026-09-18T10:15:02.000Z',
      verdict,
      complete: false,
      tasks: null,
      evidence: expect.stringMatching(new RegExp(`^damaged: incident.json ${problem}`)) as string,
    }),
  ]);
});

it('finds none where there is no archive, and says where it may not look', async () => {
  const root = await temporaryDirectory();
  expect(await readIncidents(root)).toEqual([]);
  await writeFile(join(root, 'incidents'), '');
  await expect(readIncidents(root)).rejects.toThrow('incidents cannot be read: a part of the path is a file');
});
