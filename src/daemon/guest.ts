/** One guest: its state, its events in their order, and the effects they bring about. */
import type { GuestSettings } from '../core/config/schema.js';
import type { Item } from '../core/console/backlog.js';
import { asRows } from '../core/console/rows.js';
import type { Moment } from '../core/report/incident.js';
import type { Mono } from '../core/time.js';
import type { Question } from '../core/watch/analyst.js';
import type { Effect, GuestEvent } from '../core/watch/events.js';
import { type GuestState, initialState } from '../core/watch/state.js';
import { guestStatus, type GuestStatus } from '../core/watch/status.js';
import { step } from '../core/watch/step.js';
import { isConversing } from '../core/watch/case/asking.js';
import { Marks } from '../core/watch/marks.js';
import { Timeline } from '../core/watch/timeline.js';
import { counted } from '../core/words.js';
import { isoAt, monotonicMs } from '../io/clock.js';
import type { FollowedEntry } from '../io/journal.js';
import { stackOf } from '../io/log.js';
import type { Whose } from '../io/qemu-process.js';
import type { SshOptions } from '../io/ssh/resolve.js';
import { ConsoleRing } from './console-ring.js';
import { type Analyst, ProcessAnalyst } from './analyst.js';
import { CaseFile } from './case-file.js';
import { ConsoleReading } from './console-reading.js';
import type { CaptureResult } from './control.js';
import { execute } from './execute.js';
import type { ConsoleRows, FiledIncident, GuestHandle, Services, Untimed } from './guest-handle.js';
import { Intake, type Writer } from './intake.js';
import type { MemoryTarget } from './memory-reader.js';
import { restoreLoglevel } from './let-go.js';

const MAX_MOMENTS = 200;
/** Lines kept for the decision while dumps are read; the archive has them all. */
const LINES_HELD = 20_000;
const STOPPED: CaptureResult = {
  directory: null,
  problem: 'wedgewatch was stopped; the next start of the daemon files what was captured',
};

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
  readonly marks = new Marks();
  /** The start of its unit under which something was written last. */
  private wroteLast: string | null = null;
  private readonly filed: ((result: CaptureResult) => void)[] = [];
  /** Set from the beginning of its end: nothing is decided any more. */
  private end: Promise<void> | null = null;
  private onLine: ((text: string) => void) | null = null;
  /** Effects under way, with the time they began: the self-check sees one that never ends. */
  readonly underWay = new Map<string, Mono>();
  /** What happens while the analyst reads: nothing may come between its question and its answer. */
  private held: (() => void)[] | null = null;
  private linesHeld = 0;

  constructor(
    readonly vm: string,
    public settings: GuestSettings,
    readonly services: Services,
    private readonly analyst: Analyst = new ProcessAnalyst(),
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
    if (this.end !== null) {
      if (event.type === 'line') this.onLine?.(event.text);
      return;
    }
    if (this.held === null) this.decide(event);
    else if (event.type !== 'line' || ++this.linesHeld <= LINES_HELD)
      this.held.push(() => this.handle(event));
  }

  private decide(event: GuestEvent): void {
    try {
      if (event.type !== 'analysed' || event.answer.type === 'failed')
        this.timeline.record(this.state, event);
      this.marks.event(event);
      // It is asked right after the directory is there.
      if (event.type === 'look' && this.state.case !== null) this.analyst.warm();
      for (const effect of step(this.state, event, this.settings)) this.run(effect, event.at);
    } catch (error) {
      this.log('error', `bug: ${stackOf(error)}`);
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
    if (this.held !== null) {
      this.held.push(() => this.reconfigure(settings));
      return;
    }
    this.settings = settings;
    this.timeline.reconfigure(this.state, settings);
  }

  /** By what its QEMU is found. */
  whose(): Whose {
    const { settings, state, writer } = this;
    return { qmpSocket: settings.qmpSocket, pid: state.qemu.machine?.pid ?? null, writer };
  }

  /** Whose memory is read. */
  memory(): MemoryTarget {
    return { vm: this.vm, ...this.whose() };
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
    if (this.end !== null) return Promise.resolve(STOPPED);
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
  filing(title: string): (directory: string | null, incident: FiledIncident | null) => void {
    const waiting = this.filed.splice(0);
    const byHand = this.state.case?.accusation.by === 'hand';
    return (directory, incident) => {
      for (const tell of waiting) tell({ directory, problem: directory === null ? title : null });
      this.services.onFiled?.(this, { directory, title, byHand, incident });
    };
  }

  /** Ends all that is under way; a capture puts the loglevel back and leaves its partial directory to the next start. */
  stop(): Promise<void> {
    return (this.end ??= this.letGo());
  }

  private async letGo(): Promise<void> {
    this.tellWaiting(STOPPED);
    await restoreLoglevel(this, (onLine) => (this.onLine = onLine));
    this.stopping.abort();
    this.services.memory.forget(this.vm);
    this.analyst.close();
    await this.caseFile.close();
  }

  private run(effect: Effect, at: Mono): void {
    this.marks.effect(effect, at);
    if (effect.type === 'note') {
      this.log(effect.level, effect.text);
      if (this.state.case === null) this.moments = [];
      if (this.moments.length < MAX_MOMENTS) this.moments.push({ at: isoAt(at), text: effect.text });
      return;
    }
    if (effect.type === 'analyse') {
      // Neither the analyst nor a decision rejects.
      void this.ask(effect.question, at);
      return;
    }
    if (effect.type === 'file' || effect.type === 'drop') this.analyst.close();
    execute(this, effect);
  }

  /** Holds all events until the answer is there. */
  private async ask(question: Question, at: Mono): Promise<void> {
    this.held = [];
    this.linesHeld = 0;
    const answer = await this.analyst.answer(question);
    if (answer.type === 'failed') this.log('warning', `its dumps were not analysed: ${answer.why}`);
    const lost = this.linesHeld - LINES_HELD;
    if (lost > 0)
      this.log('warning', `${counted(lost, 'line')} came while its dumps were read, and were not judged`);
    const held = this.held;
    this.held = null;
    if (this.end !== null) return;
    this.decide({ type: 'analysed', at, answer });
    for (const goOn of held) goOn();
  }
}

function leavingOut(rows: number | null): string {
  if (rows === null) return 'its console prints faster than it can be read: rows are left out, and counted';
  return `its console can be read again; ${counted(rows, 'row')} had to be left out`;
}
