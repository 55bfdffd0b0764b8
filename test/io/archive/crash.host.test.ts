import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finishPartials } from '../../../src/io/archive/finish.js';
import { readIncidentOf, readIncidents } from '../../../src/io/archive/read.js';
import { finish, incident, opening, partsOf, rawRow } from '../../fixtures/archive-sample.js';
import { compiled } from '../../support/compiled.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ALL_RAW = Buffer.concat([0, 1, 2, 3].map(rawRow));
const AT_ONCE = 3;
const MOST_STEPS = 400;

const built = compiled('archive-crash.js');

/** Runs the built.fixture until it kills itself after k steps; false if it came to its end before. */
function killedAfter(mode: 'write' | 'finish', root: string, k: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [built.fixture, mode, root, String(k)],
      { timeout: 30_000 },
      (error) => {
        if (child.signalCode === 'SIGKILL' && error?.killed === false) resolve(true);
        else if (error) reject(new Error(`k=${k}`, { cause: error }));
        else resolve(false);
      },
    );
  });
}

/** Calls `check` for k = 1, 2, … until the built.fixture comes to its end. Returns how often it was killed. */
async function forEachStep(check: (k: number) => Promise<boolean>): Promise<number> {
  let kills = 0;
  let next = 1;
  let ended = false;
  const worker = async () => {
    while (!ended && next <= MOST_STEPS) {
      const k = next;
      next += 1;
      if (await check(k)) kills += 1;
      else ended = true;
    }
  };
  // All of them end before the test does, also where one has failed.
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return kills;
}

/** Everything below a directory that a finished archive may not hold, or not with these rights. */
async function faultsIn(incidents: string): Promise<string[]> {
  const faults: string[] = [];
  for (const entry of await readdir(incidents, { recursive: true, withFileTypes: true })) {
    const { mode } = await lstat(join(entry.parentPath, entry.name));
    if ((mode & 0o777) !== (entry.isDirectory() ? 0o700 : 0o600))
      faults.push(`${entry.name} ${mode.toString(8)}`);
    if (/\.partial$|\.new$|^opening\.json$|^reserve$/.test(entry.name)) faults.push(entry.name);
  }
  return faults;
}

/** What has its name in a finished incident is there from its first byte to its last. */
async function expectWhole(path: string): Promise<void> {
  const { timeline = [], console } = partsOf();
  const text = async (file: string) => await readFile(join(path, file), 'utf8').catch(() => null);
  const host = await text('host.json');
  if (host !== null) JSON.parse(host);
  const events = await text('timeline.jsonl');
  if (events !== null) expect(events.split('\n')).toHaveLength(timeline.length + 1);
  // Made anew from the bytes where the analysis was; the kill may have come before the first of them.
  const raw = await text('console.raw');
  expect([null, console, ...(raw === null ? [''] : [])]).toContainEqual(
    (await text('console.txt'))?.replace(/^row [^]*/, console ?? '') ?? null,
  );
  expect(await text('report.html')).toMatch(/<\/html>\n$/);
  expect(await text('verdict.txt')).toMatch(/this text\n$/);
}

describe('a watchdog that is killed', () => {
  it('in the middle of a capture leaves one whole incident or none, after any step', async () => {
    const outcomes = new Set<string>();
    const kills = await forEachStep(async (k) => {
      const root = await temporaryDirectory();
      if (!(await killedAfter('write', root, k))) return false;
      const left = await finishPartials(root, finish);
      expect(left.failed).toEqual([]);
      expect(await finishPartials(root, finish)).toEqual({
        finished: [],
        removed: [],
        failed: [],
      });

      const rows = await readIncidents(root);
      expect(rows.length, `k=${k}`).toBeLessThanOrEqual(1);
      expect(await faultsIn(join(root, 'incidents')), `k=${k}`).toEqual([]);
      const row = rows[0];
      outcomes.add(row === undefined ? 'none' : row.evidence.replace(/: .*/, ''));
      if (row === undefined) return true;

      const files = await readdir(row.path);
      expect(files, `k=${k}`).toEqual(
        expect.arrayContaining(['verdict.txt', 'incident.json', 'report.html']),
      );
      const raw = await readFile(join(row.path, 'console.raw')).catch(() => Buffer.alloc(0));
      expect(ALL_RAW.subarray(0, raw.length).equals(raw), `k=${k}`).toBe(true);
      if (row.complete) expect(raw.equals(ALL_RAW), `k=${k}`).toBe(true);
      await expectWhole(row.path);
      const read = await readIncidentOf(row.path);
      expect(read.ok && read.incident.id).toBe(row.id);
      return true;
    });
    expect(kills).toBeGreaterThan(60);
    expect(outcomes).toEqual(new Set(['none', 'incomplete', 'w w t']));
  }, 240_000);

  it('while it completes another one’s capture loses nothing, after any step', async () => {
    const kills = await forEachStep(async (k) => {
      const root = await temporaryDirectory();
      const partial = join(root, 'incidents', `${incident().id}.999999999-1.partial`);
      await mkdir(partial, { recursive: true, mode: 0o700 });
      await chmod(join(root, 'incidents'), 0o700);
      await writeFile(join(partial, 'console.raw'), ALL_RAW, { mode: 0o600 });
      await writeFile(join(partial, 'opening.json'), JSON.stringify(opening()), { mode: 0o600 });
      if (!(await killedAfter('finish', root, k))) return false;
      expect((await finishPartials(root, finish)).failed).toEqual([]);

      const rows = await readIncidents(root);
      expect(rows.length, `k=${k}`).toBe(1);
      expect(rows[0]?.evidence).toBe('incomplete: the watchdog was killed in the middle of this capture');
      expect(await faultsIn(join(root, 'incidents')), `k=${k}`).toEqual([]);
      expect((await stat(join(rows[0]!.path, 'console.raw'))).size).toBe(ALL_RAW.length);
      return true;
    });
    expect(kills).toBeGreaterThan(30);
  }, 240_000);
});
