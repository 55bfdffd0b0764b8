/** Watches guests while something else runs: through the daemon that does so already, else as one itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../core/config/schema.js';
import { systemctl } from '../core/scope.js';
import type { GuestStatus } from '../core/watch/status.js';
import { errorCode } from '../io/archive/directory.js';
import { monotonicMs } from '../io/clock.js';
import { LockHeld } from '../io/lock.js';
import type { Log } from '../io/log.js';
import { ownScope } from '../io/scope.js';
import { askStatus, controlSocket } from './control.js';
import type { Daemon } from './daemon.js';
import { becomeOwner } from './owner.js';
import { serveDaemon } from './service.js';
import type { UnderWay } from './under-way.js';

interface WatcherOptions {
  config: Config;
  /** Root of the archive. */
  state: string;
  /** Where locks and control socket are: those of the user's daemon, or of a place of its own. */
  runtime: string;
  /** False in a place of its own: the user's daemon has the archive. */
  ownsArchive: boolean;
  /** Watch these VMs only; null for all. */
  only: ReadonlySet<string> | null;
  /** What another process is told that this one does. */
  doing: string;
  log: Log;
  underWay: UnderWay;
}

/** An owner may need it from its lock to its socket. */
const ATTACH_MS = 10_000;
const AGAIN_MS = 200;
/** A daemon that is restarted is away for up to 10 s of its end, 5 s of rest, and its start. */
const AWAY_MS = 30_000;

type Asked = { is: 'there'; guests: GuestStatus[] } | { is: 'nobody' } | { is: 'mute'; why: string };

/** Its holder may be about to answer, or to end. */
function ifHeld(error: unknown): LockHeld {
  if (error instanceof LockHeld) return error;
  throw error;
}

export class Watcher {
  private own: { daemon: Daemon; settled: () => Promise<void>; close: () => Promise<void> } | null = null;
  private seenAt = monotonicMs();
  private readonly ending = new AbortController();
  private refused = '';

  constructor(private readonly options: WatcherOptions) {}

  /** Resolves once somebody watches. @throws Error with who is in the way, or what is missing */
  async attach(): Promise<void> {
    const end = monotonicMs() + ATTACH_MS;
    let problem: Error | null = null;
    while (problem === null || monotonicMs() < end) {
      const asked = await this.ask();
      if (asked.is === 'there') return;
      if (asked.is === 'nobody') {
        const held = await this.becomeDaemon().then(() => null, ifHeld);
        if (held === null) return;
        problem ??= held;
      } else
        problem = new Error(
          `the daemon does not answer (${asked.why}); see: ${systemctl(ownScope(), 'status wedgewatch')}`,
        );
      await delay(AGAIN_MS);
    }
    throw problem;
  }

  /** What is known of the guests now; null while nobody watches them. */
  async guests(): Promise<GuestStatus[] | null> {
    if (this.own !== null) return [...this.own.daemon.guests.values()].map((guest) => guest.status());
    const asked = await this.ask();
    if (asked.is === 'there') {
      this.seenAt = monotonicMs();
      return asked.guests;
    }
    if (monotonicMs() - this.seenAt < AWAY_MS) return null;
    await this.takeOver();
    return null;
  }

  /** Resolves once no hook of an incident runs here; each has a deadline of its own. */
  async settled(): Promise<void> {
    await this.own?.settled();
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.own?.close();
  }

  /** The daemon has ended for good. */
  private async takeOver(): Promise<void> {
    try {
      await this.becomeDaemon();
      this.options.log('notice', 'the daemon is gone: this process watches from now on');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.refused) this.options.log('warning', `nobody watches now: ${why}`);
      this.refused = why;
    }
  }

  private async becomeDaemon(): Promise<void> {
    const { runtime, state, ownsArchive, doing, only, ...rest } = this.options;
    await becomeOwner({ runtime, state: ownsArchive ? state : null }, doing, { unlessBroken: true });
    // A position that a daemon has saved may be of last week: what was printed since is not this job's.
    const memory = await mkdtemp(join(tmpdir(), 'wedgewatch-guard-'));
    const served = await serveDaemon({
      ...{ ...rest, state, runtime, ownsArchive, memory, only: only ?? undefined },
      signal: this.ending.signal,
    });
    const close = () => served.close().finally(() => rm(memory, { recursive: true, force: true }));
    this.own = { ...served, close };
    await served.start();
  }

  private async ask(): Promise<Asked> {
    const { runtime, only } = this.options;
    return askStatus(controlSocket(runtime)).then(
      ({ guests }) => ({ is: 'there', guests: guests.filter(({ vm }) => only?.has(vm) !== false) }),
      (error: unknown) => {
        const code = errorCode(error);
        if (code === 'ENOENT' || code === 'ECONNREFUSED') return { is: 'nobody' };
        return { is: 'mute', why: error instanceof Error ? error.message : String(error) };
      },
    );
  }
}
