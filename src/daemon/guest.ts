/** One guest: its state, its events in their order, and the effects they bring about. */
import type { GuestSettings } from '../core/config/schema.js';
import type { Item } from '../core/console/backlog.js';
import { asRows } from '../core/console/rows.js';
import type { Moment } from '../core/report/incident.js';
import type { Mono } from '../core/time.js';
import { counted } from '../core/words.js';
import type { Effect, GuestEvent } from '../core/watch/events.js';
import { type GuestState, initialState } from '../core/watch/state.js';
import { guestStatus, type GuestStatus } from '../core/watch/status.js';
import { step } from '../core/watch/step.js';
import { isConversing } from '../core/watch/case/asking.js';
import { Timeline } from '../core/watch/timeline.js';
import { isoAt, monotonicMs } from '../io/clock.js';
import type { FollowedEntry } from '../io/journal.js';
import type { Whose } from '../io/qemu-process.js';
import type { SshOptions } from '../io/ssh/resolve.js';
import { ConsoleRing } from './console-ring.js';
import { CaseFile } from './case-file.js';
import { ConsoleReading } from './console-reading.js';
import type { CaptureResult } from './control.js';
import { execute } from './execute.js';
import type { ConsoleRows, GuestHandle, Services, Untimed } from './guest-handle.js';
import { Intake, type Writer } from './intake.js';

const MAX_MOMENTS = 200;

export class Guest implements GuestHandle {
  readonly state: GuestState;
  readonly timeline: Timeline;
  readonly ring: ConsoleRing;
  readonly caseFile: CaseFile;
  readonly reading = new ConsoleReading();
  readonly intake: Intake;
  /** Ends all that is under way for this guest. */
  readonly stopping = new AbortController();
  /** The first that wrote under its unit since that was started: QEMU, a wrapper of it, or a helper. */
  private writer: number | null = null;
  /** Its QMP socket was there once: without it now, the guest is gone. */
  hadSocket = false;
  /** Moments of the decision since the last calm one, for the report. */
  moments: Moment[] = [];
  /** The start of its unit under which something was written last. */
  private wroteLast: string | null = null;
  private readonly filed: ((result: CaptureResult) => void)[] = [];
  /** Effects under way, with the time they began: the self-check sees one that never ends. */
  readonly underWay = new Map<string, Mono>();

  constructor(
    readonly vm: string,
    public settings: GuestSettings,
    readonly services: Services,
  ) {
    this.state = initialState(vm, monotonicMs());
    this.timeline = new Timeline(this.state, settings);
    this.ring = new ConsoleRing(services.consoleLines);
    this.caseFile = new CaseFile(this);
    this.intake = new Intake({
      turns: services.turns,
      onItem: (item) => this.read(item),
      conversing: () => this.state.case !== null && isConversing(this.state.case),
      onLeavingOut: (rows) => this.log('warning', leavingOut(rows)),
    });
  }

  /** What happens now. */
  now(event: Untimed<GuestEvent>): void {
    this.handle({ ...event, at: monotonicMs() });
  }

  /** Decides on an event and starts what it asks for. Never throws: a fault in one guest must not stop the others. */
  handle(event: GuestEvent): void {
    if (this.stopping.signal.aborted) return;
    try {
      this.timeline.record(this.state, event);
      for (const effect of step(this.state, event, this.settings)) this.run(effect, event.at);
    } catch (error) {
      this.log('error', `bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }

  /** Console rows as they were logged. The bytes go to disk before anything reads them. */
  rows({ bytes, count, at, wallMs = Date.now(), replayed }: ConsoleRows): void {
    const rows = { bytes, count };
    this.ring.push(rows);
    this.caseFile.raw(rows);
    this.reading.note(wallMs, count);
    this.intake.offer({ bytes, count, at, wallMs, replayed });
  }

  /** What the journal has of its unit. False if its console is read elsewhere. */
  entry({ message, monotonicMs: at, realtimeMs: wallMs, replayed }: FollowedEntry, by: Omit<Writer, 'at'>) {
    this.wrote({ ...by, at });
    if (this.settings.console.kind === 'file' || this.caseFile.readsFile) return false;
    this.rows({ ...asRows(message), at, wallMs, replayed });
    return true;
  }

  /** A process has written under its unit. Rows that its QEMU printed before come first. */
  private wrote(writer: Writer): void {
    if (this.intake.empty) this.begin(writer);
    else if (writer.invocation !== this.wroteLast) this.intake.mark(writer);
    this.wroteLast = writer.invocation;
  }

  private begin({ invocation, at, pid }: Writer): void {
    this.boot(invocation, at, 'QEMU was started');
    this.writer ??= pid;
  }

  private read(item: Item<Writer>): void {
    if (item.type === 'line') {
      const { at, replayed } = item.piece;
      this.handle({ type: 'line', at, text: item.text, ...(replayed ? { replayed } : {}) });
    } else if (item.type === 'left-out') {
      this.handle(item);
    } else this.begin(item.mark);
  }

  boot(invocation: string | null, at: Mono, reason: string): void {
    if (invocation !== null && invocation === this.state.boot.invocation) return;
    this.reading.begin();
    this.writer = null;
    this.handle({ type: 'boot', at, invocation, reason });
  }

  reconfigure(settings: GuestSettings): void {
    this.settings = settings;
    this.timeline.reconfigure(this.state, settings);
  }

  /** By what its QEMU is found. */
  whose(): Whose {
    const { settings, state, writer } = this;
    return { qmpSocket: settings.qmpSocket, pid: state.qemu.machine?.pid ?? null, writer };
  }

  /** How ssh is called for it. */
  ssh(timeoutMs: number): SshOptions {
    const { ssh, hostIsName } = this.settings;
    const byName = hostIsName === true ? { byName: { wayIn: this.state.qemu.machine } } : {};
    return { timeoutMs, config: ssh.configFile, signal: this.stopping.signal, ...byName };
  }

  status(): GuestStatus & { read: { rows: number; newestMs: number | null } } {
    const { rows, newestMs } = this.reading;
    const status = guestStatus(this.state, this.settings, monotonicMs());
    return { ...status, catchingUp: this.intake.behind(), read: { rows, newestMs } };
  }

  log(level: 'error' | 'warning' | 'notice' | 'info', text: string): void {
    this.services.log(level, `${this.vm}: ${text}`);
  }

  /** Resolves with the next incident that is filed, or the next case that comes to nothing. */
  nextFiled(timeoutMs: number): Promise<CaptureResult> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve({
          directory: null,
          problem: `nothing was filed within ${timeoutMs / 1000} s: ${this.state.why.join('; ')}`,
        });
      }, timeoutMs);
      this.filed.push((result) => {
        clearTimeout(timer);
        resolve(result);
      });
    });
  }

  /** Ends the waiting of whoever asked for a capture. */
  tellWaiting(result: CaptureResult): void {
    for (const tell of this.filed.splice(0)) tell(result);
  }

  /** A case is being filed: those who wait now hear how, once that is known. */
  filing(): (directory: string | null, title: string) => void {
    const waiting = this.filed.splice(0);
    return (directory, title) => {
      for (const tell of waiting) tell({ directory, problem: directory === null ? title : null });
      this.services.onFiled?.(this, directory, title);
    };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.caseFile.close();
  }

  private run(effect: Effect, at: Mono): void {
    if (effect.type === 'note') {
      this.log(effect.level, effect.text);
      if (this.state.case === null) this.moments = [];
      if (this.moments.length < MAX_MOMENTS) this.moments.push({ at: isoAt(at), text: effect.text });
      return;
    }
    execute(this, effect);
  }
}

function leavingOut(rows: number | null): string {
  if (rows === null) return 'its console prints faster than it can be read: rows are left out, and counted';
  return `its console can be read again; ${counted(rows, 'row')} had to be left out`;
}
