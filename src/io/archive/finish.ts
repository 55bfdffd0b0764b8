/** Completes what a killed watchdog left behind. */
import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ConsolePosition } from '../../core/console/position.js';
import {
  type Accusation,
  type Incident,
  incompleteBecause,
  parseIncidentName,
} from '../../core/report/incident.js';
import { cutShortIncident, notAnalysed } from '../../core/report/cut-short.js';
import { accusationSchema } from '../../core/report/incident-schema.js';
import { readIncident } from '../../core/report/read-incident.js';
import { type Filed, fileIncident, type IncidentParts, isDumpFile, isEvidence, OPENING } from './contents.js';
import { errorCode, faultText, makeIncidentsDirectory } from './directory.js';
import { readOwn, syncPath, TORN } from '../files.js';
import { VERSION } from '../version.js';
import { HelperFailed } from '../helper-process.js';
import { ownUser } from '../trust.js';
import { ownerLives, ownPartial, parsePartial, type Partial } from './partial.js';

const KILLED = 'the watchdog was killed in the middle of this capture';

/** A capture that was cut short, as far as its files show. */
export interface CutShort {
  id: string;
  startedAtMs: number;
  accusation: Accusation;
  /** Paths of the sysrq-*.txt files, cleaned lines, and their names without `.txt`. Not necessarily whole. */
  dumps: { name: string; path: string }[];
  /** Path of console.raw, null if no byte came. */
  raw: string | null;
  /** What console.raw begins with: bytes from before the capture. */
  contextBytes: number;
}

/** A capture that was cut short, by the note from its start. */
export interface Interrupted {
  accusation: Accusation;
  startedAtMs: number;
  /** Up to where the console was read; null if that is not known. */
  position: ConsolePosition | null;
  /** What console.raw begins with: bytes from before that position. */
  contextBytes: number;
  /** Path of console.raw; the file may be missing. */
  raw: string;
}

/** Appends to console.raw what the console still showed of the capture. Returns why that is not all of it, or null. */
type Recover = (cut: Interrupted) => Promise<string | null>;

export type Analyse = (cut: CutShort) => Promise<{ incident: Incident; parts: IncidentParts }>;

/** Completes one partial; null if it held no evidence and was removed. It is analysed elsewhere: see `finishPartial`. */
export type FinishOne = (partial: { id: string; path: string }) => Promise<Filed | null>;

interface Finished {
  finished: Filed[];
  /** Partial directories without evidence, removed. */
  removed: string[];
  /** Left as they are, for the next start. */
  failed: { path: string; why: string }[];
}

/** So often its analysis may die. Then it is filed without, or it would end each start that follows. */
const ATTEMPTS = 2;

/**
 * Completes each partial incident whose process is gone, or removes it where it holds no evidence. Several may run
 * at once: each takes its partials over by a rename that only one of them can win. Throws ArchiveError if the
 * archive as a whole cannot be used.
 */
export async function finishPartials(
  root: string,
  finish: FinishOne,
  signal?: AbortSignal,
): Promise<Finished> {
  const parent = await makeIncidentsDirectory(root);
  const result: Finished = { finished: [], removed: [], failed: [] };
  for (const name of (await readdir(parent)).sort()) {
    if (signal?.aborted === true) break;
    const partial = parsePartial(name);
    if (!partial || (partial.owner !== null && (await ownerLives(partial.owner)))) continue;
    if (!(await isOwnDirectory(join(parent, name)))) {
      result.failed.push({ path: join(parent, name), why: 'it is not a directory of this user' });
      continue;
    }
    await finishFound(join(parent, name), partial, { finish, result, ...(signal && { signal }) });
  }
  return result;
}

interface Finishing {
  finish: FinishOne;
  result: Finished;
  signal?: AbortSignal;
}

async function finishFound(from: string, partial: Partial, finishing: Finishing): Promise<void> {
  const { finish, result, signal } = finishing;
  const { id, attempts } = partial;
  const parent = dirname(from);
  const spent = attempts >= ATTEMPTS;
  // Counted before it is tried: what kills this process kills the count with it.
  const path = join(parent, await ownPartial(id, spent ? attempts : attempts + 1));
  if (!(await takeOver(from, path))) return;
  try {
    const filed = spent ? await fileRaw(path, id) : await finish({ id, path });
    if (filed === null) result.removed.push(path);
    else result.finished.push(filed);
  } catch (error) {
    const died = error instanceof HelperFailed && signal?.aborted !== true;
    if (died) {
      await finishFound(path, { ...partial, attempts: attempts + 1 }, finishing);
      return;
    }
    // Neither a full disk nor our own end is its fault.
    await takeOver(path, join(parent, await ownPartial(id, attempts)));
    if (signal?.aborted !== true) result.failed.push({ path, why: faultText(error) });
  }
}

/** One that is gone by now is another's who completed it: `takeOver` will see. */
async function isOwnDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found === null || (found.isDirectory() && found.uid === ownUser());
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

/** Completes the partial incident in a directory. Rejects if it cannot be written. */
export async function finishPartial(
  { id, path }: Parameters<FinishOne>[0],
  { analyse, recover }: { analyse: Analyse; recover: Recover },
): Promise<Filed | null> {
  await removeTorn(path);
  const analysed = await readOwn(join(path, 'incident.json')).then(readIncident, () => null);
  if (analysed?.ok === true) return finishAnalysed(path, analysed.incident, await readdir(path));

  const opening = await openingOf(path, id);
  const lost = await recover({ ...opening, raw: join(path, 'console.raw') });
  const held: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (isEvidence(name) && (await stat(join(path, name))).size > 0) held.push(name);
  }
  if (held.length === 0) {
    await rm(path, { recursive: true, force: true });
    return null;
  }
  // What a killed process wrote is in the cache only.
  for (const name of held) await syncPath(join(path, name));
  const { incident, parts } = await analyse({
    id,
    startedAtMs: opening.startedAtMs,
    accusation: opening.accusation,
    contextBytes: opening.contextBytes,
    dumps: held.filter(isDumpFile).map((name) => ({ name: name.slice(0, -4), path: join(path, name) })),
    raw: held.includes('console.raw') ? join(path, 'console.raw') : null,
  });
  const { evidence } = incident;
  const reasons = [KILLED, ...(lost === null ? [] : [lost]), ...evidence.incompleteBecause];
  const cut = { ...incident, id, evidence: { ...evidence, incompleteBecause: [] } };
  return fileIncident(path, incompleteBecause(cut, reasons), parts, []);
}

async function removeTorn(path: string): Promise<void> {
  for (const name of await readdir(path))
    if (name.endsWith(TORN)) await rm(join(path, name), { force: true });
}

/** The analysis of what is there has died more than once: it is filed as it is. */
async function fileRaw(path: string, id: string): Promise<Filed> {
  await removeTorn(path);
  const { startedAtMs, accusation } = await openingOf(path, id);
  const why = `its analysis failed ${ATTEMPTS} times`;
  const fix = 'Fix: run wedgewatch analyze on its console.raw';
  const cut = {
    ...{ id, startedAtMs, accusation, filedAtMs: Date.now(), kernel: null, version: VERSION },
    incompleteBecause: [KILLED, `${why}. ${fix}`],
    dumps: [],
  };
  return fileIncident(path, cutShortIncident(cut, notAnalysed(why)), {}, []);
}

/** The kill came after the analysis: only what had not been written yet is lost. */
function finishAnalysed(path: string, incident: Incident, present: readonly string[]): Promise<Filed> {
  const lost = ['console.txt', 'host.json', 'timeline.jsonl'].filter((file) => !present.includes(file));
  const reasons = lost.map((file) => `${KILLED}: ${file} is missing`);
  return fileIncident(path, incompleteBecause(incident, reasons), {}, []);
}

const positionSchema = z.discriminatedUnion('kind', [
  // It becomes an argument of journalctl.
  z.object({
    kind: z.literal('journal'),
    cursor: z.string().regex(/^[!-~]{0,1024}$/),
    realtimeMs: z.number().positive(),
  }),
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    dev: z.number(),
    ino: z.number(),
    offset: z.number().nonnegative(),
  }),
]);

const openingSchema = accusationSchema.extend({
  startedAtMs: z.number(),
  position: positionSchema.nullable().default(null),
  contextBytes: z.number().default(0),
});

/** From the note made at the start; if that was lost, from the directory's name. */
async function openingOf(path: string, id: string): Promise<Omit<Interrupted, 'raw'>> {
  try {
    const { startedAtMs, position, contextBytes, ...accusation } = openingSchema.parse(
      JSON.parse(await readOwn(join(path, OPENING))),
    );
    return { startedAtMs, position, contextBytes, accusation };
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
    const accusation = { vm, unit: 'unknown unit', why: [], ...unknown };
    return { startedAtMs, position: null, contextBytes: 0, accusation };
  }
}
