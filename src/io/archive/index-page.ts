/** index.html in the root of an archive: for people, and made anew whenever its incidents change. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { renderIndex } from '../../core/report/index-html.js';
import { putFile } from '../files.js';
import { faultText, incidentsIn } from './directory.js';
import { readIncidents } from './read.js';
import { markOf, ROW_INDEX } from './row-index.js';

const FILE = 'index.html';
/** Incidents come and go by several processes; what they leave behind is looked at this often. */
const LOOK_MS = 5_000;

interface Keeper {
  /** Of the archive; this process owns it. */
  root: string;
  /** Told once of each fault that differs from the one before. */
  onFault: (why: string) => void;
  signal: AbortSignal;
}

/** Writes the page now, and keeps it until the signal aborts. Nobody waits for it, and it never throws. */
export function keepIndexPage({ root, onFault, signal }: Keeper, everyMs = LOOK_MS): void {
  let last = '';
  let fault: string | null = null;
  const look = async (): Promise<void> => {
    try {
      // Taken before anything is read: what comes meanwhile is seen the next time.
      const mark = await archiveMark(root);
      if (mark !== last) await writeIndexPage(root);
      last = mark;
      fault = null;
    } catch (error) {
      const why = faultText(error);
      if (why !== fault) onFault(why);
      fault = why;
    }
    if (!signal.aborted) timer = setTimeout(() => void look(), everyMs).unref();
  };
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  void look();
}

/** Throws ArchiveError where the archive cannot be read, or what writing throws. */
export async function writeIndexPage(root: string): Promise<void> {
  const rows = await readIncidents(root);
  await putFile(join(root, FILE), renderIndex(rows, new Date().toISOString()));
}

/** Changes when an incident comes, goes, or is noted as recovered; empty where there is no archive. */
async function archiveMark(root: string): Promise<string> {
  const of = (path: string) => stat(path).then(markOf, () => '');
  const incidents = await of(incidentsIn(root));
  return incidents === '' ? '' : `${incidents} ${await of(join(root, ROW_INDEX))}`;
}
