/** Fills a partial incident and gives it its final name. */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderFolded, renderStacks } from '../../core/analysis/groups.js';
import { renderReport } from '../../core/report/html.js';
import { type DumpText, excerptOf, wantedPids } from '../../core/report/dump-anchors.js';
import {
  type HostEvidence,
  type Incident,
  incompleteBecause,
  type Moment,
} from '../../core/report/incident.js';
import type { Mark } from '../../core/report/marks.js';
import { incidentJson, safeJson } from '../../core/report/json.js';
import { printable } from '../../core/printable.js';
import { speedscope } from '../../core/report/speedscope.js';
import { shownTasks } from '../../core/report/tasks.js';
import { DMESG_TEXT, FILES, MEMORY_TEXT, renderVerdict } from '../../core/report/text.js';
import { archiveError, faultText } from './directory.js';
import { putFile, syncPath } from '../files.js';
import { noteInIndex } from './row-index.js';

/** What is filed beside the incident itself. A part that is left out is not written. */
export interface IncidentParts {
  /** Cleaned lines around the stall. */
  console?: string;
  /** The events decided on, each as JSON. */
  timeline?: readonly unknown[];
  host?: HostEvidence;
  /** Moments of the decision, for the report. */
  moments?: readonly Moment[];
  /** What was seen of the guest and done to it, for the report. */
  marks?: readonly Mark[];
  /** Dumps that were read again after a kill; those of a capture are there already, as they landed. */
  dumps?: readonly { name: string; lines: readonly string[] }[];
}

export interface Missing {
  file: string;
  why: string;
}

export interface Filed {
  /** The finished directory. */
  path: string;
  /** Files that could not be written in full. Empty if all is well. */
  missing: Missing[];
}

/** What a daemon notes down at the start of a capture; gone from a finished incident. */
export const OPENING = 'opening.json';
/** Space held back, so that a console which fills the disk leaves room for the verdict. */
export const RESERVE = 'reserve';
export const RESERVE_BYTES = 48 << 10;

const LINE_MAX = 8192;
/** Of dumps beyond this the report shows what the verdict rests on; of those beyond the other only the name. */
const REPORT_DUMPS_MAX = 1 << 20;
const EXCERPT_FROM_MAX = 24 << 20;
const SPEEDSCOPE = 'stacks.speedscope.json';
/** Without one of these a directory is no incident. */
const RECORDS = ['verdict.txt', 'incident.json'];
/** Made from other files: without them no evidence is lost. */
const DERIVED = new Set(['stacks.txt', 'stacks.folded', SPEEDSCOPE, 'report.html', ...RECORDS]);

/**
 * Writes the rest of an incident into its partial directory, the most valuable first, and renames that to the
 * incident's id. `before` are files that are torn already. Throws ArchiveError only if not even the verdict could be
 * written; the partial directory then stays, with all that is in it.
 */
export async function fileIncident(
  partial: string,
  incident: Incident,
  parts: IncidentParts,
  before: readonly Missing[],
): Promise<Filed> {
  const missing: Missing[] = [...before];
  const put = async (file: string, content: () => ReturnType<Content>): Promise<boolean> => {
    try {
      await putFile(join(partial, file), await content());
      return true;
    } catch (error) {
      missing.push({ file, why: faultText(error) });
      return false;
    }
  };
  const recorded: Incident[] = [];
  const putRecord = async (what: Incident): Promise<boolean> => {
    const done = await put('incident.json', () => incidentJson(what));
    if (done) recorded.push(what);
    return done;
  };
  const record = async (): Promise<void> => {
    const known = withMissing(incident, missing);
    const later = missing.length === before.length ? contents(known, parts).map(([file]) => file) : [];
    const files = await filesOf(partial, [...later, ...RECORDS]);
    await put('verdict.txt', () => renderVerdict(known, files));
    if (await putRecord(known)) return;
    await putRecord(withoutStacks(withMissing(incident, missing)));
  };

  await rm(join(partial, RESERVE), { force: true }).catch(() => undefined);
  await record();
  const written = missing.length;
  for (const [file, content] of contents(withMissing(incident, missing), parts)) {
    await put(file, () => content(partial));
  }
  // What is missing belongs into the record; if that fails as well, the first one stays.
  if (missing.length > written) await record();

  const path = join(dirname(partial), incident.id);
  await finish(partial, path, missing);
  const last = recorded.at(-1);
  if (last !== undefined) await noteInIndex(path, last);
  return { path, missing: unique(missing) };
}

async function finish(partial: string, path: string, missing: readonly Missing[]): Promise<void> {
  const present = await readdir(partial);
  const lost = missing.find(({ file }) => RECORDS.includes(file));
  if (!RECORDS.some((file) => present.includes(file))) {
    throw archiveError(partial, new Error(lost?.why ?? 'no verdict'));
  }
  try {
    await rm(join(partial, OPENING), { force: true });
    await syncPath(partial);
    await rename(partial, path);
    await syncPath(dirname(path));
  } catch (error) {
    throw archiveError(partial, error);
  }
}

type Content = (directory: string) => string | Iterable<string> | Promise<string>;

/** A guest that floods has hundreds of thousands of events: they are never in one string. */
function* jsonLines(values: readonly unknown[]): Generator<string> {
  for (const value of values) yield `${safeJson(value)}\n`;
}

/** The files besides the records, in the order in which they are written. */
function contents(incident: Incident, parts: IncidentParts): [file: string, content: Content][] {
  const { console, timeline, host, dumps = [] } = parts;
  const files: [string, Content | undefined][] = [
    ...dumps.map(({ name, lines }): [string, Content] => [
      `${name}.txt`,
      () => lines.map((line) => `${printable(line, LINE_MAX)}\n`).join(''),
    ]),
    ['console.txt', console === undefined ? undefined : () => cleanText(console)],
    ['host.json', host && (() => `${safeJson(host, 2)}\n`)],
    ['timeline.jsonl', timeline && (() => jsonLines(timeline))],
    ['stacks.txt', () => renderStacks(incident.groups)],
    ['stacks.folded', () => renderFolded(shownTasks(incident.dumps))],
    ['report.html', (directory) => report(directory, incident, parts)],
    [SPEEDSCOPE, () => `${safeJson(speedscope(incident.id, incident.dumps, incident.version))}\n`],
  ];
  return files.flatMap(([file, content]) => (content ? [[file, content]] : []));
}

/** The lines arrive clean; a file that people cat is worth a second check. */
const cleanText = (text: string): string =>
  text
    .split('\n')
    .map((line) => printable(line, LINE_MAX))
    .join('\n');

async function report(directory: string, incident: Incident, parts: IncidentParts): Promise<string> {
  const names = await readdir(directory);
  const order = incident.evidence.dumps.map(({ name }) => `${name}.txt`);
  const dumps: DumpText[] = [];
  let room = REPORT_DUMPS_MAX;
  const shown = names.filter((name) => isDumpFile(name) || name === MEMORY_TEXT);
  for (const file of shown.sort((a, b) => order.indexOf(a) - order.indexOf(b))) {
    const dump = await dumpText(join(directory, file), room, incident);
    room -= dump.text?.length ?? 0;
    dumps.push({ file, ...dump });
  }
  const files = await filesOf(directory);
  const { moments = [], marks = [], console = '' } = parts;
  return renderReport({ incident, moments, marks, dumps, console, files });
}

async function dumpText(path: string, room: number, incident: Incident): Promise<Omit<DumpText, 'file'>> {
  const { size: bytes } = await stat(path);
  if (bytes <= room) return { bytes, text: await readFile(path, 'utf8') };
  if (bytes > EXCERPT_FROM_MAX) return { bytes, text: null };
  const text = excerptOf(await readFile(path, 'utf8'), wantedPids(incident));
  return text === '' || text.length > room ? { bytes, text: null } : { bytes, text, excerpt: true };
}

export const isDumpFile = (name: string): boolean => /^sysrq-[a-z](?:\.\d+)?\.txt$/.test(name);

/** What no later reading brings back. */
export const isEvidence = (name: string): boolean =>
  name === 'console.raw' || name === MEMORY_TEXT || name === DMESG_TEXT || isDumpFile(name);

/** Existing files and those still to write, in the order in which one would open them. */
export async function filesOf(directory: string, later: readonly string[] = []): Promise<string[]> {
  const present = await readdir(directory);
  const known = Object.keys(FILES);
  const all = new Set([...present, ...later].filter((name) => known.includes(name) || isDumpFile(name)));
  const rank = (name: string) => (isDumpFile(name) ? 1.5 : known.indexOf(name));
  return [...all].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function withMissing(incident: Incident, missing: readonly Missing[]): Incident {
  const lost = unique(missing).filter(({ file }) => !DERIVED.has(file) || file === 'incident.json');
  return incompleteBecause(
    incident,
    lost.map(({ file, why }) => `${file} was not written in full: ${why}`),
  );
}

/** Small enough for a full disk, and still listed and shown; the stacks are in the files of the dumps. */
const withoutStacks = (incident: Incident): Incident => ({ ...incident, groups: [], waits: [], dumps: [] });

const unique = (missing: readonly Missing[]): Missing[] =>
  missing.filter(({ file }, index) => missing.findIndex((other) => other.file === file) === index);
