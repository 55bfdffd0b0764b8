/**
 * What the list says of each incident, kept beside the archive so that not every incident.json has to be read for it.
 * Only a cache: an entry holds for the very file that it was made from, anything else in it is passed over, and it may
 * be removed at any time. A line of JSON an incident behind a head line; of several for one incident the last counts.
 */
import { constants, type Stats } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { type Incident, parseIncidentName } from '../../core/report/incident.js';
import { incidentRow, unseenRowSchema } from '../../core/report/row.js';
import { openPrivate, TORN } from '../files.js';
import { VERSION } from '../version.js';

/** Grows when a row changes its members or its words. */
const FORMAT = 2;
const HEAD = JSON.stringify({ wedgewatch: VERSION, index: FORMAT });
export const ROW_INDEX = 'index.jsonl';
/** More is not read: it is not worth the memory. */
const MAX_BYTES = 128 << 20;
/** So many lines of incidents that are gone, or were written again, are let pass. */
const SPARE_LINES = 100;
/** A file that another process is writing for longer was left by a kill. */
const ABANDONED_MS = 60_000;

const entrySchema = z.object({ mark: z.string(), row: unseenRowSchema });
export type Entry = z.output<typeof entrySchema>;

export interface RowIndex {
  /** By the name of the incident's directory. */
  entries: Map<string, Entry>;
  /** Much of the file is of no use any more. */
  isWorn: (live: number) => boolean;
}

/** Names one state of one file: a copy, a file put in its place and an edit have others. */
export const markOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${ino}:${size}:${mtimeMs}:${ctimeMs}`;

/** What is in the index; nothing where there is none, or none that can be used. Never rejects. */
export async function readIndex(root: string): Promise<RowIndex> {
  const text = await textOf(join(root, ROW_INDEX)).catch(() => '');
  const [head, ...lines] = text.split('\n');
  const entries = new Map<string, Entry>();
  if (head !== HEAD) return { entries, isWorn: () => text !== '' };
  for (const line of lines) {
    const entry = entryOf(line);
    if (entry !== null) entries.set(entry.row.id, entry);
  }
  return { entries, isWorn: (live) => lines.length > 2 * live + SPARE_LINES };
}

/** Replaces the index. Where that cannot be done there is the old one, or none. Never rejects. */
export async function writeIndex(root: string, entries: readonly Entry[]): Promise<void> {
  const path = join(root, ROW_INDEX);
  const temporary = `${path}${TORN}`;
  const text = [HEAD, ...entries.map((entry) => JSON.stringify(entry))].join('\n');
  try {
    // Root, who reads the archive of a user, must leave nothing there that the user cannot write.
    if ((await stat(root)).uid !== process.geteuid?.()) return;
    const other = await stat(temporary).catch(() => null);
    if (other !== null && Date.now() - other.mtimeMs > ABANDONED_MS) await rm(temporary, { force: true });
    const handle = await openPrivate(temporary, 'new');
    try {
      await handle.writeFile(`${text}\n`);
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true });
    } finally {
      await handle.close();
    }
  } catch {
    // Another process writes it, or nobody can: the next reader tries again.
  }
}

/**
 * Notes in the index, if there is one, what its incident.json says of an incident. Never rejects; several processes may
 * do it at once.
 */
export async function noteInIndex(directory: string, incident: Incident): Promise<void> {
  const id = basename(directory);
  const path = join(dirname(dirname(directory)), ROW_INDEX);
  try {
    const mark = markOf(await stat(join(directory, 'incident.json')));
    const entry: Entry = { mark, row: incidentRow(id, { ok: true, incident }, null) };
    const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | SAFELY);
    try {
      // A line that a kill tore ends here.
      if ((await handle.stat()).isFile()) await handle.writeFile(`\n${JSON.stringify(entry)}\n`);
    } finally {
      await handle.close();
    }
  } catch {
    // Whoever reads next reads the incident.
  }
}

/** Neither a link nor something that blocks. */
const SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function textOf(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | SAFELY);
  try {
    const found = await handle.stat();
    const ours = found.isFile() && found.uid === process.geteuid?.() && found.size <= MAX_BYTES;
    return ours ? await handle.readFile('utf8') : '';
  } finally {
    await handle.close();
  }
}

function entryOf(line: string): Entry | null {
  try {
    const { success, data } = entrySchema.safeParse(JSON.parse(line));
    return success && parseIncidentName(data.row.id) !== null ? data : null;
  } catch {
    return null;
  }
}
