/**
 * Incidents that the archive could not take: they are filed in the user's runtime directory, which is in memory and
 * outlives the daemon, and moved once the archive can be written again.
 */
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { roundSize } from '../core/config/size.js';
import { incidentId, parseIncidentName } from '../core/report/incident.js';
import { printable } from '../core/printable.js';
import { deliver } from '../io/archive/deliver.js';
import { ArchiveError, faultText, incidentsIn, makeIncidentsDirectory } from '../io/archive/directory.js';
import { parsePartial } from '../io/archive/partial.js';
import { type Later, updateIncident } from '../io/archive/update.js';
import { type IncidentWriter, openIncident } from '../io/archive/writer.js';
import type { Log } from '../io/log.js';

export interface PendingStatus {
  id: string;
  vm: string;
  /** Where it is meanwhile. */
  path: string;
  /** Why the archive does not take it, and what mends that. */
  problem: string;
}

interface PendingOptions {
  /** Root of the archive. */
  state: string;
  /** `$XDG_RUNTIME_DIR`. */
  runtime: string;
  log: Log;
}

/** What a file of evidence, all that waits, and a guest may take there; what has to stay free. */
const FILE_MAX = 16 << 20;
const ALL_MAX = 64 << 20;
const GUEST_MAX = 3;
const FREE_MIN = 32 << 20;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 5 * 60_000;
const EARLIER = 'an earlier run could not archive it';

export const pendingDirectory = (runtime: string): string => join(runtime, 'wedgewatch', 'pending');

export class Pending {
  private readonly waiting = new Map<string, PendingStatus>();
  /** Moving and noting are done one after the other. */
  private last: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;
  private retryMs = FIRST_RETRY_MS;
  private stopped = false;

  private readonly directory: string;

  constructor(private readonly options: PendingOptions) {
    this.directory = pendingDirectory(options.runtime);
  }

  /** What waits, oldest first. */
  status(): PendingStatus[] {
    return [...this.waiting.values()];
  }

  /** Finds what earlier runs left and tries to archive it. Never rejects. */
  async restore(): Promise<void> {
    for (const id of await pendingIds(this.directory)) this.add(id, EARLIER);
    await this.retry();
  }

  /**
   * Begins an incident that the archive did not take because of `problem`, with the same id if that had one. Throws
   * ArchiveError with both problems where it cannot be kept either.
   */
  async open(begun: Parameters<typeof openIncident>[1], problem: string): Promise<IncidentWriter> {
    try {
      await this.mayGrow(begun.vm);
      return await openIncident(this.directory, begun, FILE_MAX);
    } catch (error) {
      throw new ArchiveError(`${problem}; ${faultText(error)}`, { cause: error });
    }
  }

  /** One was filed here, because of this problem. */
  add(id: string, problem: string): void {
    const vm = parseIncidentName(id)?.vm ?? '';
    const path = join(incidentsIn(this.directory), id);
    this.waiting.set(id, { id, vm, path, problem: printable(problem, 400) });
    this.schedule();
  }

  /** The archive has just been written: what waits is not to wait longer. */
  archiveWorks(): void {
    if (this.waiting.size === 0) return;
    this.retryMs = FIRST_RETRY_MS;
    void this.retry();
  }

  /** Where an incident is that was filed: here, or in the archive. */
  pathOf(id: string): string {
    return this.waiting.get(id)?.path ?? join(incidentsIn(this.options.state), id);
  }

  /** Notes something in an incident, wherever it is. Throws ArchiveError. */
  async update(id: string, patch: Later): Promise<void> {
    // One that is in the archive waits for no disk that the others wait for.
    if (this.waiting.has(id)) await this.inTurn(() => updateIncident(this.pathOf(id), patch));
    else await updateIncident(this.pathOf(id), patch);
  }

  /** Ends once what is under way has; what waits stays for the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.last;
  }

  private schedule(): void {
    if (this.timer !== null || this.stopped || this.waiting.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.retryMs = Math.min(2 * this.retryMs, MAX_RETRY_MS);
      void this.retry();
    }, this.retryMs);
    this.timer.unref();
  }

  private async retry(): Promise<void> {
    await this.inTurn(async () => {
      for (const one of this.status()) if (!this.stopped) await this.move(one);
    });
    if (this.waiting.size === 0) this.retryMs = FIRST_RETRY_MS;
    this.schedule();
  }

  private async move(one: PendingStatus): Promise<void> {
    const { state, log } = this.options;
    if ((await lstat(one.path).catch(() => null)) === null) {
      this.waiting.delete(one.id);
      log('warning', `${one.path} is gone; it was not archived`);
      return;
    }
    try {
      const path = await deliver(one.path, state);
      this.waiting.delete(one.id);
      log('notice', `archived: ${path}, which had to wait`);
    } catch (error) {
      const problem = printable(faultText(error), 400);
      if (problem !== one.problem) log('warning', `${one.id} waits in ${one.path}: ${problem}`);
      one.problem = problem;
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }

  /** Throws ArchiveError beyond the limits: the runtime directory belongs to the whole session. */
  private async mayGrow(vm: string): Promise<void> {
    const parent = await makeIncidentsDirectory(this.directory);
    const refuse = (why: string) => new ArchiveError(`${parent} takes no more: ${why}`);
    const ids = await idsIn(parent);
    const same = parseIncidentName(incidentId(0, vm, '00000000'))?.vm;
    const own = ids.filter((id) => parseIncidentName(id)?.vm === same).length;
    if (own >= GUEST_MAX) throw refuse(`${own} incidents of this guest wait there`);
    if ((await bytesIn(parent)) >= ALL_MAX) throw refuse(`${roundSize(ALL_MAX)} wait there`);
    const { bavail, bsize } = await statfs(parent);
    if (bavail * bsize < FREE_MIN) throw refuse(`less than ${roundSize(FREE_MIN)} are free`);
  }
}

/** The incidents that wait in this directory, oldest first; none if it is not there. */
export async function pendingIds(directory: string): Promise<string[]> {
  const names = await readdir(incidentsIn(directory)).catch(() => []);
  return names.filter((name) => parseIncidentName(name) !== null).sort();
}

/** Those that are being written too. */
const idsIn = async (parent: string): Promise<string[]> =>
  (await readdir(parent)).map((name) => parsePartial(name)?.id ?? name);

async function bytesIn(parent: string): Promise<number> {
  let bytes = 0;
  for (const path of await readdir(parent, { recursive: true }))
    bytes += (await lstat(join(parent, path)).catch(() => null))?.size ?? 0;
  return bytes;
}
