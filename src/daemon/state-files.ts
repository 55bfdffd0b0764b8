/** Shows each guest's state in a small file of `status.directory`, for programs that reach no socket. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../core/config/schema.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import {
  readStateFile,
  type Shown,
  type ShownIncident,
  shownOf,
  stateFile,
} from '../core/watch/state-file.js';
import { errorCode } from '../io/archive/directory.js';
import { isoAt, monotonicMs } from '../io/clock.js';
import { makeDirectory, ownDirectory, readOwn, showFile } from '../io/files.js';
import type { Log } from '../io/log.js';
import { ofHome } from '../io/paths.js';
import { isStateFileName, stateFileName } from '../io/state-names.js';
import { VERSION } from '../io/version.js';
import type { Pending } from './pending.js';
import type { FiledCase, GuestHandle } from './guest-handle.js';

/** What is shown: the daemon, as far as it matters here. */
interface Watched {
  readonly guests: ReadonlyMap<string, Pick<GuestHandle, 'vm' | 'state' | 'settings'>>;
  readonly config: Pick<Config, 'status'>;
  readonly services: { readonly pending: Pick<Pending, 'pathOf'> };
}

const EVERY_MS = 1_000;
/** Whoever reads a file tells by its age that nobody watches. */
const AGAIN_MS = 30_000;
/** A disk that does not answer for so long is told as one. */
const SLOW_MS = 10_000;
/** At its end the daemon waits no longer for a disk. */
const STOP_MS = 2_000;
/** What is left of guests of earlier runs. */
const FORGET_MS = 10 * 60_000;
const WRITER = `wedgewatch ${VERSION}`;

export class StateFiles {
  /** What each file tells, and when it was written; by the file's name. */
  private written = new Map<string, { says: string; at: number }>();
  /** The newest hang of each guest. */
  private readonly hangs = new Map<string, ShownIncident>();
  private directory: string | null = null;
  private sweptAt = -Infinity;
  /** One file at a time: a disk that hangs costs one thread, and no other file. */
  private busySince: number | null = null;
  private problemTold: string | null = null;
  private timer: NodeJS.Timeout | null = null;
  private last: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(
    private readonly daemon: Watched,
    private readonly log: Log,
  ) {}

  start(): void {
    if (this.ended) return;
    this.timer = setInterval(() => void this.round(), EVERY_MS);
    void this.round();
  }

  /** Why the files are not what they should be, or null. */
  problem(): string | null {
    const slow = this.busySince !== null && monotonicMs() - this.busySince > SLOW_MS;
    if (slow) return `status.directory: ${this.directory ?? ''} does not answer`;
    return this.problemTold;
  }

  filed({ vm }: GuestHandle, { directory, byHand, incident }: FiledCase): void {
    if (byHand || directory === null || incident === null) return;
    const { id, startedAt, verdict, evidence } = incident;
    this.hangs.set(vm, {
      ...{ id, path: directory, verdict: printable(verdict.title, 400), class: verdict.class },
      ...{ complete: evidence.complete, startedAt },
    });
    void this.round();
  }

  /** Tells for the last time what is known, and that nobody watches any more. */
  async stop(): Promise<void> {
    this.ended = true;
    if (this.timer !== null) clearInterval(this.timer);
    const limit = delay(STOP_MS, undefined, { ref: false });
    await Promise.race([this.last.then(() => this.round(false)), limit]);
  }

  /** Writes what has changed. Never rejects; one that is under way is not begun again. */
  round(watched = true): Promise<void> {
    if (this.busySince !== null) return this.last;
    this.busySince = monotonicMs();
    this.last = this.show(watched)
      .catch((error: unknown) => error)
      .then((fault) => this.showed(fault));
    return this.last;
  }

  private showed(fault: unknown): void {
    const problem = fault === null ? null : faultText(this.daemon.config.status.directory, fault);
    if (problem !== null && problem !== this.problemTold) this.log('warning', problem);
    this.problemTold = problem;
    this.busySince = null;
    // The next round makes it anew.
    if (errorCode(fault) === 'ENOENT') this.directory = null;
  }

  /** Resolves with the first fault of a single file, or null; rejects for one of the directory. */
  private async show(watched: boolean): Promise<unknown> {
    const { guests, config } = this.daemon;
    const directory = ofHome(config.status.directory);
    if (directory !== this.directory) await this.moveTo(directory);
    if (directory === null) return null;
    const faults: unknown[] = [];
    for (const guest of guests.values())
      await this.showGuest(directory, guest, watched).catch((error: unknown) => faults.push(error));
    for (const vm of this.hangs.keys()) if (!guests.has(vm)) this.hangs.delete(vm);
    await this.removeOld(directory, new Set([...guests.keys()].map(stateFileName)));
    return faults[0] ?? null;
  }

  private async showGuest(
    directory: string,
    { vm, state, settings }: Pick<GuestHandle, 'vm' | 'state' | 'settings'>,
    watched: boolean,
  ): Promise<void> {
    const name = stateFileName(vm);
    if (!this.written.has(name)) await this.recall(vm, join(directory, name));
    const now = monotonicMs();
    const shown = shownOf(state, settings, this.hangOf(vm), now);
    const says = JSON.stringify({ shown, watched });
    const before = this.written.get(name);
    if (before?.says === says && now - before.at < AGAIN_MS) return;
    await showFile(join(directory, name), textOf(shown, watched));
    this.written.set(name, { says, at: now });
  }

  /** An earlier run told of a hang: it is still the newest, if it is still there. */
  private async recall(vm: string, path: string): Promise<void> {
    const earlier = readStateFile(await readOwn(path).catch(() => ''));
    const hang = earlier?.vm === vm ? earlier.incident : null;
    const found = hang === null ? null : await lstat(hang.path).catch(() => null);
    // One may have been filed meanwhile.
    if (hang !== null && found?.isDirectory() === true && !this.hangs.has(vm)) this.hangs.set(vm, hang);
  }

  /** It may have waited for the archive, and be there now. */
  private hangOf(vm: string): ShownIncident | null {
    const hang = this.hangs.get(vm);
    if (hang === undefined) return null;
    return { ...hang, path: this.daemon.services.pending.pathOf(hang.id) };
  }

  /** Another directory, or the first: nothing is written there yet, and nothing of ours stays behind. */
  private async moveTo(directory: string | null): Promise<void> {
    const { directory: old, written } = this;
    this.written = new Map();
    this.sweptAt = -Infinity;
    if (directory !== null) {
      await makeDirectory(directory, 0o700);
      await ownDirectory(directory);
    }
    this.directory = directory;
    if (old === null) return;
    for (const name of written.keys()) await rm(join(old, name), { force: true });
  }

  /** Of guests that are gone for a while. */
  private async removeOld(directory: string, known: ReadonlySet<string>): Promise<void> {
    for (const name of this.written.keys()) {
      if (known.has(name)) continue;
      await rm(join(directory, name), { force: true });
      this.written.delete(name);
    }
    const now = monotonicMs();
    if (now - this.sweptAt < FORGET_MS) return;
    this.sweptAt = now;
    await this.sweep(directory, known);
  }

  /** Removes what earlier runs wrote of guests that nobody knows any more. */
  private async sweep(directory: string, known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!isStateFileName(name) || known.has(name)) continue;
      const found = await lstat(path).catch(() => null);
      if (found === null || Date.now() - found.mtimeMs < FORGET_MS) continue;
      if (isOurs(name, await readOwn(path).catch(() => ''))) await rm(path, { force: true });
    }
  }
}

function faultText(directory: string | null, fault: unknown): string {
  const why = fault instanceof Error ? fault.message : String(fault);
  const fix = why.includes('Fix:')
    ? ''
    : '. Fix: let the user that runs wedgewatch write there, or set another';
  return printable(`status.directory ${directory ?? ''}: ${why}${fix}`, 400);
}

function textOf(shown: Shown, watched: boolean): string {
  const updatedAt = new Date().toISOString();
  return `${safeJson(stateFile(shown, { writer: WRITER, watched, updatedAt, iso: isoAt }), 1)}\n`;
}

/** The directory may hold what is not ours. */
function isOurs(name: string, text: string): boolean {
  const file = readStateFile(text);
  return file !== null && stateFileName(file.vm) === name;
}
