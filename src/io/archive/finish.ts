/** Completes what a killed watchdog left behind. */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type Accusation,
  type Incident,
  incompleteBecause,
  parseIncidentName,
} from '../../core/report/incident.js';
import { readIncident } from '../../core/report/read-incident.js';
import { type Filed, fileIncident, type IncidentParts, isDumpFile, OPENING } from './contents.js';
import { errorCode, faultText, makeIncidentsDirectory } from './directory.js';
import { syncPath, TORN } from './files.js';
import { isAlive, ownPartial, parsePartial } from './partial.js';

const KILLED = 'the watchdog was killed in the middle of this capture';

/** A capture that was cut short, as far as its files tell. */
export interface CutShort {
  id: string;
  startedAtMs: number;
  accusation: Accusation;
  /** Paths of the sysrq-*.txt files, cleaned lines, and their names without `.txt`. Not necessarily whole. */
  dumps: { name: string; path: string }[];
  /** Path of console.raw, null where no byte came. */
  raw: string | null;
}

export type Analyse = (cut: CutShort) => Promise<{ incident: Incident; parts: IncidentParts }>;

interface Finished {
  finished: Filed[];
  /** Partial directories without evidence, removed. */
  removed: string[];
  /** Left as they are, for the next start. */
  failed: { path: string; why: string }[];
}

/**
 * Completes each partial incident whose process is gone, or removes it where it holds no evidence. Several may run
 * at once: each takes its partials over by a rename that only one of them can win. Throws ArchiveError where the
 * archive as a whole cannot be used.
 */
export async function finishPartials(root: string, analyse: Analyse): Promise<Finished> {
  const parent = await makeIncidentsDirectory(root);
  const result: Finished = { finished: [], removed: [], failed: [] };
  for (const name of (await readdir(parent)).sort()) {
    const partial = parsePartial(name);
    if (!partial || (partial.owner !== null && (await isAlive(partial.owner)))) continue;
    const path = join(parent, await ownPartial(partial.id));
    if (!(await takeOver(join(parent, name), path))) continue;
    try {
      const filed = await finishOne(path, partial.id, analyse);
      if (filed === null) result.removed.push(path);
      else result.finished.push(filed);
    } catch (error) {
      result.failed.push({ path, why: faultText(error) });
    }
  }
  return result;
}

async function takeOver(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function finishOne(path: string, id: string, analyse: Analyse): Promise<Filed | null> {
  const present: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.endsWith(TORN)) await rm(join(path, name), { force: true });
    else present.push(name);
  }
  const analysed = await readFile(join(path, 'incident.json'), 'utf8').then(readIncident, () => null);
  if (analysed?.ok === true) return finishAnalysed(path, analysed.incident, present);

  const held: string[] = [];
  for (const name of present) {
    const evidence = name === 'console.raw' || isDumpFile(name);
    if (evidence && (await stat(join(path, name))).size > 0) held.push(name);
  }
  if (held.length === 0) {
    await rm(path, { recursive: true, force: true });
    return null;
  }
  // What a killed process wrote is in the cache only.
  for (const name of held) await syncPath(join(path, name));
  const { incident, parts } = await analyse({
    id,
    ...(await openingOf(path, id)),
    dumps: held.filter(isDumpFile).map((name) => ({ name: name.slice(0, -4), path: join(path, name) })),
    raw: held.includes('console.raw') ? join(path, 'console.raw') : null,
  });
  return fileIncident(path, incompleteBecause({ ...incident, id }, [KILLED]), parts, []);
}

/** The kill came after the analysis: only what had not been written yet is lost. */
function finishAnalysed(path: string, incident: Incident, present: readonly string[]): Promise<Filed> {
  const lost = ['console.txt', 'host.json', 'timeline.jsonl'].filter((file) => !present.includes(file));
  const reasons = lost.map((file) => `${KILLED}: ${file} is missing`);
  return fileIncident(path, incompleteBecause(incident, reasons), {}, []);
}

const openingSchema = z.object({
  vm: z.string(),
  unit: z.string(),
  invocation: z.string().nullable(),
  wedgedSince: z.string().nullable(),
  why: z.array(z.string()),
  lastProgress: z.object({ at: z.string(), text: z.string() }).nullable(),
  awaiting: z.string().nullable(),
  note: z.string().nullable().default(null),
  test: z.object({ at: z.string(), text: z.string() }).nullable().default(null),
  startedAtMs: z.number(),
});

/** From the note made at the start; where that was lost, what the directory's name says. */
async function openingOf(path: string, id: string): Promise<{ startedAtMs: number; accusation: Accusation }> {
  try {
    const { startedAtMs, ...accusation } = openingSchema.parse(
      JSON.parse(await readFile(join(path, OPENING), 'utf8')),
    );
    return { startedAtMs, accusation };
  } catch {
    const { startedAtMs, vm } = parseIncidentName(id) ?? { startedAtMs: 0, vm: '' };
    const unknown = {
      invocation: null,
      wedgedSince: null,
      lastProgress: null,
      awaiting: null,
      test: null,
      note: null,
    };
    return { startedAtMs, accusation: { vm, unit: 'unknown unit', why: [], ...unknown } };
  }
}
