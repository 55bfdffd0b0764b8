/** The writer of one incident: evidence as it arrives, the analysis last. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DumpName } from '../../core/capture/series.js';
import type { ConsolePosition } from '../../core/console/position.js';
import { printable } from '../../core/printable.js';
import { type Accusation, type Incident, incidentId } from '../../core/report/incident.js';
import { safeJson } from '../../core/report/json.js';
import { AppendFile } from './append-file.js';
import {
  type Filed,
  fileIncident,
  type IncidentParts,
  type Missing,
  OPENING,
  RESERVE,
  RESERVE_BYTES,
} from './contents.js';
import { archiveError, makeIncidentsDirectory } from './directory.js';
import { putFile, syncPath } from '../files.js';
import { MemoryFiles, type MemoryTexts } from './memory-files.js';
import { ownPartial } from './partial.js';
import { displaceOldest } from './retain.js';

/** The kernel ends a line after about 1 KiB, the console's cleaning after 4. */
const LINE_MAX = 8192;
const LINES_AT_ONCE = 1000;

/** The note at the start of a capture, from which a later start can complete one that is cut short. */
interface Opening extends Accusation {
  startedAtMs: number;
  /** Up to where the console had been read, behind the context. */
  position: ConsolePosition | null;
}

interface Begun {
  vm: string;
  startedAtMs: number;
  /** Default: a new one. */
  id?: string;
}

/**
 * Begins an incident in `<root>/incidents` with a partial directory, 0700. Whatever happens later, `finishPartials`
 * will find it. `fileMax` limits each file of evidence, in bytes, where old incidents are not to make room for it.
 * Throws ArchiveError.
 */
export async function openIncident(
  root: string,
  { vm, startedAtMs, id = incidentId(startedAtMs, vm, randomBytes(4).toString('hex')) }: Begun,
  fileMax?: number,
): Promise<IncidentWriter> {
  const parent = await makeIncidentsDirectory(root);
  const partial = join(parent, await ownPartial(id));
  try {
    await mkdir(partial, { mode: 0o700 });
    await chmod(partial, 0o700);
    await syncPath(parent);
  } catch (error) {
    throw archiveError(partial, error);
  }
  // Not worth giving up a capture for.
  const reserve = randomBytes(RESERVE_BYTES);
  await writeFile(join(partial, RESERVE), reserve, { mode: 0o600, flag: 'wx' }).catch(() => undefined);
  const makeRoom = async () => (await displaceOldest(root).catch(() => null)) !== null;
  const fileOf = (path: string) =>
    fileMax === undefined ? new AppendFile(path, makeRoom) : new AppendFile(path, undefined, fileMax);
  return new IncidentWriter(id, partial, fileOf, new MemoryFiles(partial, makeRoom, fileMax));
}

export class IncidentWriter {
  private readonly files = new Map<string, AppendFile>();
  private ended = false;

  constructor(
    /** The directory's final name. */
    readonly id: string,
    /** Where it is until it is filed. */
    readonly partial: string,
    /** Old incidents give way to the evidence of a new one, not to its analysis. */
    private readonly fileOf: (path: string) => AppendFile,
    private readonly memoryFiles: MemoryFiles,
  ) {}

  /**
   * Writes what the console showed before the capture, then the note of its start: where that is, the context is whole.
   * Rows that come meanwhile may be appended at once. Never rejects: neither is worth giving up a capture for.
   */
  async begin(opening: Opening, context: Uint8Array): Promise<void> {
    const note = { ...opening, contextBytes: context.length };
    await this.raw(context);
    await this.settle();
    if (!this.ended) await putFile(join(this.partial, OPENING), `${safeJson(note)}\n`).catch(() => undefined);
  }

  /**
   * Appends bytes to console.raw; a copy is taken. Await it for large amounts: it then keeps pace with the disk.
   * Never rejects: a fault of the disk is in the result of `file`, and what was written before it stays.
   */
  raw(bytes: Uint8Array): Promise<void> {
    return this.append('console.raw', bytes);
  }

  /** Appends a cleaned line to the dump's file, as `raw` does. */
  dumpLine(name: DumpName, line: string): Promise<void> {
    return this.append(`${name}.txt`, Buffer.from(`${printable(line, LINE_MAX)}\n`));
  }

  /** Appends the lines of a whole dump. */
  async dump(name: DumpName, lines: readonly string[]): Promise<void> {
    for (let start = 0; start < lines.length; start += LINES_AT_ONCE) {
      const text = lines.slice(start, start + LINES_AT_ONCE).map((line) => `${printable(line, LINE_MAX)}\n`);
      await this.append(`${name}.txt`, Buffer.from(text.join('')));
      await setImmediate();
    }
  }

  /** Writes what the guest's memory showed; resolves once it is on disk. Faults are told with the others. */
  memory(texts: MemoryTexts): Promise<void> {
    return this.ended ? Promise.resolve() : this.memoryFiles.put(texts);
  }

  /** Puts the evidence so far on the disk, before anything parses it. Returns what is torn. */
  settle(): Promise<Missing[]> {
    return this.each((target) => target.settle());
  }

  /**
   * Ends the evidence, then writes the analysis and the reports, and gives the directory its name. The incident's id
   * is replaced by the directory's. Throws ArchiveError only if not even the verdict could be written: the partial
   * directory then stays for the next start.
   */
  async file(incident: Incident, parts: IncidentParts): Promise<Filed> {
    if (this.ended) throw new Error(`the incident ${this.id} is already closed`);
    const missing = await this.end();
    return fileIncident(this.partial, { ...incident, id: this.id }, parts, missing);
  }

  /** Removes the partial incident: the suspicion was wrong. Does nothing once it is filed. */
  async drop(): Promise<void> {
    if (this.ended) return;
    await this.end();
    await rm(this.partial, { recursive: true, force: true });
  }

  private append(file: string, bytes: Uint8Array): Promise<void> {
    if (this.ended) return Promise.resolve();
    let target = this.files.get(file);
    if (target === undefined) {
      target = this.fileOf(join(this.partial, file));
      this.files.set(file, target);
    }
    return target.append(bytes);
  }

  private end(): Promise<Missing[]> {
    this.ended = true;
    return this.each((target) => target.close());
  }

  private async each(settle: (target: AppendFile) => Promise<string | null>): Promise<Missing[]> {
    const missing: Missing[] = await this.memoryFiles.settle();
    for (const [file, target] of this.files) {
      const why = await settle(target);
      if (why !== null) missing.push({ file, why });
    }
    return missing;
  }
}
