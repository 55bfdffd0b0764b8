/** Finds the evidence that a verb shows: an incident by its id or directory, or a console log; and one dump of it. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nameDump } from '../core/analysis/dump-names.js';
import type { Analysis, Dump } from '../core/model.js';
import { printable } from '../core/printable.js';
import type { Incident } from '../core/report/incident.js';
import type { IncidentRow } from '../core/report/row.js';
import { shownDump } from '../core/report/tasks.js';
import { ArchiveError } from '../io/archive/directory.js';
import { readIncidentOf, readIncidents } from '../io/archive/read.js';
import { LogError, readLogFile } from '../io/console-log.js';
import { EXIT } from './globals.js';

/** Ends a verb: its message for standard error, and its exit code. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
  constructor(
    message: string,
    readonly code: number,
  ) {
    super(message);
  }
}

/** Stacks to show, and their source. */
export interface Evidence {
  /** For headings: an incident's id, or a file's name. */
  name: string;
  /** Names one run of a guest: if two are equal, equal pids are the same tasks. */
  run: string;
  analysis: Analysis;
  /** The dump named with `:w.1`, else the one that shows most. */
  dump: Dump | null;
  /** False if the dump, or the incident's evidence, is known not to be whole. */
  complete: boolean;
  /** Null for a console log. */
  incident: Incident | null;
  directory: string | null;
}

/**
 * The incident of the archive in `root` whose id or directory begins with `wanted`; the newest without one. Throws
 * NotFound: 2 if several match, 3 if none does, 5 for an unusable archive.
 */
export async function findIncident(root: string, wanted: string | undefined): Promise<IncidentRow> {
  const rows = await readIncidents(root).catch((error: unknown) => {
    if (error instanceof ArchiveError) throw new NotFound(error.message, EXIT.environment);
    throw error;
  });
  const found = wanted === undefined ? rows.slice(-1) : matching(rows, wanted);
  const [row] = found;
  if (row === undefined) {
    const what = wanted === undefined ? 'there is no incident yet' : `no incident ${printable(wanted, 100)}`;
    const hint = rows.length > 0 ? '; wedgewatch list shows those there are' : '';
    throw new NotFound(`${what}${hint}`, EXIT.noMatch);
  }
  if (found.length > 1) {
    const names = found.map(({ id, verdict }) => `\n  ${id}  ${verdict}`);
    throw new NotFound(`${printable(wanted ?? '', 100)} could be any of${names.join('')}`, EXIT.usage);
  }
  return row;
}

function matching(rows: readonly IncidentRow[], wanted: string): IncidentRow[] {
  const name = wanted.replace(/\/+$/, '').replace(/^.*\//, '');
  if (name === '') return [];
  return rows.filter(({ id, shortId }) => id.startsWith(name) || shortId.startsWith(name));
}

/**
 * Reads an incident (its id, or a path to its directory) or a console log; `:w.1`, `:t` and the like behind it name
 * one of its dumps. Throws NotFound as `findIncident` does, and 5 for what cannot be read.
 */
export async function findEvidence(root: string, wanted: string | undefined): Promise<Evidence> {
  const { name, dump } = await parts(wanted);
  const evidence = await evidenceOf(root, name);
  if (dump === null) return evidence;
  const { dumps } = evidence.analysis;
  const names = dumps.map((_, index) => nameDump(dumps, index));
  const named = dumps[names.indexOf(dump)];
  if (named === undefined) {
    const there = names.length === 0 ? 'it holds none' : `there are ${names.join(', ')}`;
    throw new NotFound(`no dump ${printable(dump, 40)} in ${evidence.name}; ${there}`, EXIT.noMatch);
  }
  return { ...evidence, name: `${evidence.name}:${dump}`, dump: named, complete: named.complete };
}

const SUFFIX = /^(.+):([^/:]+)$/;
const DUMP_NAME = /^[A-Za-z][\w-]*(?:\.\d+)?$/;

/** A colon may stand in the name of a file, and behind one that is there anything is meant as a dump. */
async function parts(wanted: string | undefined): Promise<{ name: string | undefined; dump: string | null }> {
  const whole = { name: wanted, dump: null };
  if (wanted === undefined || (await isThere(wanted))) return whole;
  const [, name = '', dump = ''] = SUFFIX.exec(wanted) ?? [];
  return name !== '' && (DUMP_NAME.test(dump) || (await isThere(name))) ? { name, dump } : whole;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function evidenceOf(root: string, wanted: string | undefined): Promise<Evidence> {
  if (wanted !== undefined) {
    const kind = await stat(wanted).catch(() => null);
    if (kind?.isDirectory() === true) return ofDirectory(wanted.replace(/(?<=.)\/+$/, ''));
    if (kind !== null || /\/.*\.(?:log|txt|gz)$/.test(wanted)) return ofLog(wanted);
  }
  return ofDirectory((await findIncident(root, wanted)).path);
}

async function ofDirectory(directory: string): Promise<Evidence> {
  const read = await readIncidentOf(directory);
  if (!read.ok)
    throw new NotFound(`${printable(directory, 400)}: ${printable(read.problem, 400)}`, EXIT.environment);
  const { incident } = read;
  return {
    name: printable(incident.id, 400),
    run: join(dirname(directory), incident.invocation ?? basename(directory)),
    analysis: incident,
    dump: shownDump(incident.dumps),
    complete: incident.evidence.complete,
    incident,
    directory,
  };
}

async function ofLog(path: string): Promise<Evidence> {
  const name = printable(path, 400);
  const { analysis } = await readLogFile(path).catch((error: unknown) => {
    const why = error instanceof LogError ? error.message : String(error);
    throw new NotFound(`${name} cannot be read: ${printable(why, 300)}`, EXIT.environment);
  });
  const dump = shownDump(analysis.dumps);
  return {
    name,
    run: path,
    analysis,
    dump,
    complete: dump?.complete !== false,
    incident: null,
    directory: null,
  };
}
