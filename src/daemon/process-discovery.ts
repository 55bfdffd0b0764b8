/** Looks for QEMUs among the processes of this user while the configuration says so, and adds them to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { withFound } from '../core/config/found-entries.js';
import type { Config } from '../core/config/schema.js';
import type { FoundGuest } from '../core/host/found-guest.js';
import { ProcessGuests } from '../io/find-guests.js';
import type { Log } from '../io/log.js';

interface Options {
  qmpDirectory: string;
  log: Log;
  /** Some came. Called with their names once the configuration has them. */
  onGuests: (vms: string[]) => Promise<void>;
  onFault: (error: unknown) => void;
  signal: AbortSignal;
}

const EVERY_MS = 2_000;

/** The configuration with the guests of this user's processes, for a verb that looks once. */
export async function withProcesses(config: Config, qmpDirectory: string): Promise<Config> {
  if (!config.discover.processes) return config;
  return withFound(config, await new ProcessGuests().scan(), { qmpDirectory });
}

export class ProcessDiscovery {
  private stop: AbortController | null = null;
  /** Each with the process that it was last: one that has ended is shown as gone for a while. */
  private found = new Map<string, FoundGuest>();

  constructor(
    /** As it is in the file. */
    private written: Config,
    private readonly options: Options,
  ) {}

  /** With those that were found. */
  get config(): Config {
    return withFound(this.written, [...this.found.values()], this.options);
  }

  isWritten(vm: string): boolean {
    return this.written.guests.some(({ name }) => name === vm);
  }

  rewrite(config: Config): Config {
    this.written = config;
    return this.config;
  }

  forget(vm: string): void {
    this.found.delete(vm);
  }

  /** Watches, or stops it, as the configuration says; resolves once the guests that run now are known. */
  async watch(): Promise<void> {
    const { processes } = this.written.discover;
    if (processes === (this.stop !== null)) return;
    this.stop?.abort();
    this.stop = null;
    if (!processes) return;
    this.stop = new AbortController();
    const guests = new ProcessGuests();
    const signal = AbortSignal.any([this.stop.signal, this.options.signal]);
    await this.scan(guests, signal);
    this.repeat(guests, signal).catch(() => undefined);
  }

  private async repeat(guests: ProcessGuests, signal: AbortSignal): Promise<void> {
    for (;;) {
      // Rejects when it ends.
      await delay(EVERY_MS, undefined, { signal });
      await this.scan(guests, signal);
    }
  }

  private async scan(guests: ProcessGuests, signal: AbortSignal): Promise<void> {
    try {
      const running = await guests.scan(signal);
      const news = running.filter(({ vm, pid }) => this.found.get(vm)?.pid !== pid);
      if (signal.aborted || news.length === 0) return;
      for (const guest of news) this.found.set(guest.vm, guest);
      news.filter(({ qmp }) => qmp === null).forEach((guest) => this.tell(guest));
      const watched = new Set(this.config.guests.map(({ name }) => name));
      const vms = news.map(({ vm }) => vm).filter((vm) => watched.has(vm) && !this.isWritten(vm));
      await this.options.onGuests(vms);
    } catch (error) {
      this.options.onFault(error);
    }
  }

  private tell({ vm, pid }: FoundGuest): void {
    const what = `QEMU (pid ${pid}) serves no QMP that can be reached`;
    this.options.log(
      'notice',
      `${vm}: not watched: ${what}: start it with -qmp unix:PATH,server=on,wait=off`,
    );
  }
}
