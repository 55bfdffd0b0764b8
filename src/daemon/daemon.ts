/**
 * The daemon: sources in, guests in the middle, effects out. One journalctl, one clock, one watcher of sockets; each
 * guest decides for itself on its own events.
 */
import { join } from 'node:path';
import { guestForUnit, guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import { scheduleRetention } from '../io/archive/retain.js';
import { monotonicMs } from '../io/clock.js';
import type { FollowedEntry } from '../io/journal.js';
import { bugsTo, type Log } from '../io/log.js';
import { ownRouter } from '../io/own-journal.js';
import { archiveRoot } from '../io/paths.js';
import { Presence } from './absence.js';
import { ConsoleFiles } from './console-files.js';
import { Discovery } from './discovery.js';
import { Guest } from './guest.js';
import { scheduleArming } from './schedule-arming.js';
import { HostWatch } from './host-watch.js';
import { JournalSource, readsJournal } from './journal-source.js';
import { lookBack } from './last-line.js';
import { lookNow } from './execute.js';
import type { Services } from './guest-handle.js';
import { type LeftOver, nothingLeft } from './left-over.js';
import { type MemoryReader, NO_READER } from './memory-reader.js';
import { Pending } from './pending.js';
import { ProcessDiscovery } from './process-discovery.js';
import { Pace, Slots } from './slots.js';
import { Turns } from './turns.js';

interface DaemonOptions {
  config: Config;
  /** Root of the archive and of what the daemon remembers. */
  state: string;
  /** Where the journal position is kept; default: `state`. */
  memory?: string;
  /** `$XDG_RUNTIME_DIR`. */
  runtime: string;
  log: Log;
  /** Watch these VMs only. */
  only?: ReadonlySet<string> | undefined;
  /** Captures wait for it; default: nothing is left of an earlier daemon. */
  leftOver?: LeftOver;
  /** What the archive could not take yet; default: nothing, until something fails. */
  pending?: Pending;
  /** How guests boot; default: nothing is known, nothing is kept. */
  learned?: Services['learned'];
  reader?: MemoryReader;
  onFiled?: Services['onFiled'];
}

const TICK_MS = 500;

export class Daemon {
  readonly guests = new Map<string, Guest>();
  /** With the guests that were found by their processes. */
  config: Config;
  /** The parts of an edited configuration that are not in force, and why. */
  configProblems: string[] = [];
  lastTickAt = monotonicMs();
  readonly services: Services;
  private readonly stopping = new AbortController();
  private readonly journal: JournalSource;
  private readonly files: ConsoleFiles;
  private readonly host = new HostWatch();
  private readonly presence = new Presence({ onLongGone: (guest) => this.forget(guest) });
  private guestOf: ReturnType<typeof ownRouter>;
  private stopArming: () => Promise<void> = () => Promise.resolve();
  private stopRetention: () => Promise<void> = () => Promise.resolve();
  private readonly discovery: Discovery;
  private readonly processes: ProcessDiscovery;
  private reconfigured: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private readonly bug: (error: unknown) => void;

  constructor(private readonly options: DaemonOptions) {
    this.config = options.config;
    this.bug = bugsTo(options.log);
    this.guestOf = ownRouter(options.config);
    this.services = {
      ...{ log: options.log, memory: options.reader ?? NO_READER },
      ...{ slots: new Slots(), turns: new Turns(), logins: new Pace() },
      archive: options.state,
      pending: options.pending ?? new Pending(options),
      consoleLines: options.config.archive.consoleLines,
      position: ({ vm, settings: { console } }) =>
        console.kind === 'file' ? this.files.position(vm) : this.journal.readUpTo(),
      leftOver: options.leftOver ?? nothingLeft,
      learned: options.learned ?? { of: () => ({}), add: () => Promise.resolve() },
      ...(options.onFiled && { onFiled: options.onFiled }),
    };
    this.journal = new JournalSource({
      state: options.memory ?? options.state,
      log: options.log,
      onEntries: (entries) => this.onEntries(entries),
      signal: this.stopping.signal,
    });
    this.files = new ConsoleFiles(this.stopping.signal);
    this.discovery = new Discovery({
      onGuests: (vms) => this.onSockets(vms),
      onFault: this.bug,
      signal: this.stopping.signal,
    });
    this.processes = new ProcessDiscovery(options.config, {
      ...{ log: options.log, qmpDirectory: this.qmpDirectory(), onFault: this.bug },
      onGuests: (vms) => this.onProcesses(vms),
      signal: this.stopping.signal,
    });
  }

  /** Starts all sources; resolves once the guests that run now are known. */
  async start(): Promise<void> {
    this.explicitGuests();
    await this.discover();
    if (readsJournal(this.config)) await this.journal.follow();
    this.schedule();
    this.timer = setInterval(() => {
      this.tick().catch(this.bug);
    }, TICK_MS);
  }

  /** Applies an edited configuration; one at a time, or two watchers of sockets could be left running. */
  reconfigure(config: Config): Promise<void> {
    // One that failed must not keep the next ones out.
    this.reconfigured = this.reconfigured.then(() => this.takeOver(config)).catch(this.bug);
    return this.reconfigured;
  }

  private async takeOver(config: Config): Promise<void> {
    this.use(this.processes.rewrite(config));
    const moved = archiveRoot(config) !== this.options.state;
    this.configProblems = moved ? ['archive.directory was edited: restart wedgewatch to apply it'] : [];
    for (const problem of this.configProblems) this.options.log('warning', problem);
    this.services.consoleLines = config.archive.consoleLines;
    for (const guest of [...this.guests.values()]) await this.reconfigureGuest(guest);
    this.explicitGuests();
    await this.discover();
    if (readsJournal(config)) await this.journal.follow();
    this.schedule();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    // Their consoles are still read: a guest that is left in the middle of a capture confirms its loglevel there.
    await this.stopGuests();
    this.stopping.abort();
    // Those that were found meanwhile.
    await this.stopGuests();
    await Promise.all([this.stopRetention(), this.stopArming(), this.services.pending.stop()]);
    this.services.memory.close();
    await this.journal.stop();
    this.services.memory.close();
  }

  private async stopGuests(): Promise<void> {
    await Promise.all([...this.guests.values()].map((guest) => guest.stop()));
  }

  /** Why the console of a guest cannot be judged now, or null. */
  blindness(guest: Guest): string | null {
    const { console } = guest.settings;
    // What is captured from a file of its own does not need the journal.
    if (guest.caseFile.readsFile) return null;
    const status = console.kind === 'file' ? this.files.status(guest.vm) : this.journal.status;
    return status.state === 'live' ? null : status.detail;
  }

  /** Why the journal cannot be read now, or null. */
  journalProblem(): string | null {
    return this.journal.status.state === 'down' ? this.journal.status.detail : null;
  }

  /** Looks at each guest, at most every few seconds, to show its load to `status --watch`. */
  lookAtAll(): void {
    for (const guest of this.guests.values()) lookNow(guest);
  }

  private async tick(): Promise<void> {
    this.lastTickAt = monotonicMs();
    const host = this.host.take([...this.guests.values()], this.lastTickAt);
    // One object for all: each guest remembers the ticks of an hour.
    const tick = { type: 'tick' as const, at: this.lastTickAt, wallMs: Date.now(), ...(host && { host }) };
    for (const guest of this.guests.values()) {
      const blind = this.blindness(guest);
      if (blind === null) lookBack(guest, (entry) => void this.onEntries([entry]));
      const unread = blind === null ? guest.reading.unread(guest.settings) : null;
      if (blind === null && unread === null) guest.handle(tick);
      else guest.handle({ ...tick, ...(blind !== null && { blind }), ...(unread !== null && { unread }) });
    }
    await this.presence.tick(this.guests.values(), tick.at);
  }

  private async forget(guest: Guest): Promise<void> {
    if (this.processes.isWritten(guest.vm)) return;
    this.guests.delete(guest.vm);
    this.processes.forget(guest.vm);
    await guest.stop();
  }

  private async reconfigureGuest(guest: Guest): Promise<void> {
    const settings = this.settingsOf(guest.vm);
    if (JSON.stringify(settings.console) === JSON.stringify(guest.settings.console)) {
      guest.reconfigure(settings);
      return;
    }
    // Nothing known from the old console holds for a new one.
    this.guests.delete(guest.vm);
    await guest.stop();
    this.guest(guest.vm);
  }

  /** Watches where the configuration says; resolves once the guests that are there now are known. */
  private async discover(): Promise<void> {
    const { enabled, directory: configured } = this.config.discover;
    const directory = enabled ? (configured ?? this.qmpDirectory()) : null;
    await this.discovery.watch(directory);
    await this.processes.watch();
  }

  private use(config: Config): void {
    this.config = config;
    this.guestOf = ownRouter(config);
  }

  private async onProcesses(vms: string[]): Promise<void> {
    this.use(this.processes.config);
    for (const vm of vms) {
      const known = this.guests.get(vm);
      if (known === undefined) this.guest(vm);
      else {
        await this.reconfigureGuest(known);
        this.guests.get(vm)?.boot(null, monotonicMs(), 'QEMU was started');
      }
    }
  }

  private explicitGuests(): void {
    for (const { name } of this.config.guests) this.guest(name);
  }

  private onSockets(vms: Set<string>): void {
    for (const vm of vms) {
      const unit = this.config.discover.unit.replaceAll('%v', () => vm);
      // An explicit entry may say that this socket is not its guest's.
      if (guestForUnit(this.config, unit) === vm) this.guest(vm);
    }
  }

  private guest(vm: string): Guest | null {
    if (this.options.only?.has(vm) === false) return null;
    const known = this.guests.get(vm);
    if (known !== undefined) return known;
    const guest = new Guest(vm, this.settingsOf(vm), this.services);
    this.guests.set(vm, guest);
    const { console, unit, qmpSocket } = guest.settings;
    const where = console.kind === 'file' ? `console ${console.path}` : unit;
    guest.log('info', `found: ${where}, QMP ${qmpSocket}`);
    this.files.follow(guest);
    return guest;
  }

  private settingsOf(vm: string) {
    return guestSettings(this.config, vm, { qmpDirectory: this.qmpDirectory() });
  }

  private qmpDirectory(): string {
    return join(this.options.runtime, 'qemu-system');
  }

  private async onEntries(entries: FollowedEntry[]): Promise<void> {
    const full = new Set<Guest>();
    for (const entry of entries) {
      const route = this.guestOf(entry);
      if (route === null) continue;
      const guest = entry.replayed ? this.guests.get(route.vm) : this.guest(route.vm);
      if (guest === undefined || guest === null || route.kind === 'manager') continue;
      if (guest.entry(entry, route) && !this.journal.caughtUp) full.add(guest);
    }
    await Promise.all([...full].map(({ intake }) => intake.roomForPast()));
  }

  private schedule(): void {
    const { log, state } = this.options;
    this.stopRetention().catch(this.bug);
    this.stopArming().catch(this.bug);
    this.stopArming = scheduleArming(this.config.armSchedule, () => {
      for (const guest of this.guests.values()) guest.now({ type: 'arming-due' });
    });
    this.stopRetention = scheduleRetention(state, this.config.archive, {
      onRemoved: (gone) => {
        for (const { name, why } of gone) log('info', `archive: removed ${name}: ${why}`);
      },
      onError: (message) => log('warning', `archive: ${message}`),
    });
  }
}
