import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listIncidents, type ListOptions } from '../../src/cli/list.js';
import { showIncident } from '../../src/cli/show.js';
import { type Incident, incidentId } from '../../src/core/report/incident.js';
import { incidentJson } from '../../src/core/report/json.js';
import { incident, STARTED_AT_MS } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from './temporary.js';

const MINUTE = 60_000;
export const NOW = STARTED_AT_MS + 60 * MINUTE;

/** Puts an incident into an archive, so many minutes after the first one. */
export async function put(
  root: string,
  minute: number,
  hex: string,
  changes: Partial<Incident> = {},
): Promise<string> {
  const at = STARTED_AT_MS + minute * MINUTE;
  const id = incidentId(at, changes.vm ?? 'store', hex);
  const path = join(root, 'incidents', id);
  await mkdir(path, { recursive: true });
  const whole = incident({ id, startedAt: new Date(at).toISOString(), ...changes });
  await writeFile(join(path, 'incident.json'), incidentJson(whole));
  await writeFile(join(path, 'verdict.txt'), `${whole.verdict.title}\n`);
  return path;
}

/** Three incidents: ids aa000001, aa000002 (incomplete, of another VM) and bb000003. */
export async function archive(): Promise<string> {
  const root = await temporaryDirectory();
  const { evidence } = incident();
  await put(root, 0, 'aa000001');
  await put(root, 10, 'aa000002', {
    vm: 'build',
    fingerprint: 'ffff',
    evidence: { ...evidence, complete: false, incompleteBecause: ['no fence in t'] },
  });
  await put(root, 20, 'bb000003');
  return root;
}

/** What a verb writes, and its exit code. */
export async function run(
  verb: (terminal: Parameters<typeof listIncidents>[2]) => Promise<number>,
  columns: number | null = null,
  colour = false,
) {
  const written = { out: '', err: '' };
  const code = await verb({
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    columns,
    colour,
  });
  return { code, ...written };
}

export const list = (root: string, options: ListOptions = {}, columns: number | null = null) =>
  run((terminal) => listIncidents(root, options, terminal, NOW), columns);
export const show = (root: string, wanted?: string, json = false) =>
  run((terminal) => showIncident(root, wanted, { json }, terminal));
