/** The archive's side of a case: raw bytes stream in from the first moment, the analysis comes last. */
import { join } from 'node:path';
import { kernelOf } from '../core/console/markers.js';
import type { Incident, Moment } from '../core/report/incident.js';
import { MEMORY_FILE } from '../core/report/text.js';
import type { Grounds } from '../core/watch/case/accusation.js';
import type { KeptDump } from '../core/capture/series.js';
import type { Finding } from '../core/watch/events.js';
import type { Marks } from '../core/watch/marks.js';
import type { Timeline } from '../core/watch/timeline.js';
import { openIncident, type IncidentWriter } from '../io/archive/writer.js';
import { faultText } from '../io/archive/directory.js';
import { isoAt, monotonicMs } from '../io/clock.js';
import { symbolise } from '../io/symbols.js';
import { VERSION } from '../io/version.js';
import { ConsoleRing } from './console-ring.js';
import { DumpFile } from './dump-file.js';
import { fileOrKeep } from './file-or-keep.js';
import type { Intake } from './intake.js';
import type { Rows } from '../core/console/rows.js';
import type { ConsoleRows, FiledIncident, GuestHandle } from './guest-handle.js';
import type { Slot } from './slots.js';
import { hostOf } from './host-evidence.js';
import { SnapshotKeeper } from './snapshot-keeper.js';

/** What an incident is made of beside its finding, and who is told of it. */
interface FiledGuest extends GuestHandle {
  readonly ring: ConsoleRing;
  readonly timeline: Timeline;
  readonly moments: Moment[];
  readonly marks: Marks;
  rows(rows: ConsoleRows): void;
  readonly intake: Pick<Intake, 'roomFor'>;
  /** A case is being filed; call what this returns once it is. */
  filing(title: string): (directory: string | null, incident: FiledIncident | null) => void;
}

interface Open {
  writer: IncidentWriter;
  startedAtMs: number;
  /** Why it is kept outside the archive for now; null where it is inside. */
  problem: string | null;
  /** As they were written, for the case that the archive is lost meanwhile. */
  dumps: KeptDump[];
  /** What the console said before the suspicion, and what it says since. */
  before: ConsoleRing;
  since: ConsoleRing;
  /** The console's own file, where there is one beside the journal. */
  file: DumpFile | null;
  slot: Slot;
}

export class CaseFile {
  private current: Open | null = null;
  /** Grows with each opening and ending: a slot that comes too late finds another number. */
  private turn = 0;
  readonly snapshots: SnapshotKeeper;

  constructor(private readonly guest: FiledGuest) {
    this.snapshots = new SnapshotKeeper(guest, () => this.current?.writer ?? null);
  }

  /** Waits for one of the host's slots, then begins an incident; answers with `opened`. */
  async open(): Promise<void> {
    const { guest } = this;
    const turn = ++this.turn;
    const isOver = () => turn !== this.turn || guest.stopping.signal.aborted;
    // One of an earlier daemon is still read from the console: its end must not be this one's beginning.
    await guest.services.leftOver(guest.vm);
    if (isOver()) return;
    const slot = await guest.services.slots.take();
    if (isOver()) {
      slot.giveBack();
      return;
    }
    try {
      const startedAtMs = Date.now();
      const { writer, problem } = await this.writer(startedAtMs);
      const file = await this.consoleFile();
      const grounds = guest.state.case?.accusation;
      if (isOver() || grounds === undefined) {
        file?.close();
        await writer.drop();
        slot.giveBack();
        return;
      }
      await this.begin({ writer, startedAtMs, problem, file, slot }, grounds);
      await this.snapshots.into(writer, grounds);
      if (!isOver()) guest.now({ type: 'opened', ...(problem !== null && { problem }) });
    } catch (error) {
      slot.giveBack();
      guest.now({ type: 'opened', problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Of the archive, else of those that wait for it. Throws ArchiveError where nothing can be kept. */
  private async writer(startedAtMs: number): Promise<Pick<Open, 'writer' | 'problem'>> {
    const { vm, services } = this.guest;
    try {
      return { writer: await openIncident(services.archive, { vm, startedAtMs }), problem: null };
    } catch (error) {
      const problem = faultText(error);
      return { writer: await services.pending.open({ vm, startedAtMs }, problem), problem };
    }
  }

  /** Nothing is awaited until all is taken: context, position and the rows that follow have no gap between them. */
  private async begin(opening: Omit<Open, 'before' | 'since' | 'dumps'>, grounds: Grounds): Promise<void> {
    const { guest } = this;
    const { writer, file, startedAtMs } = opening;
    const { services, ring } = guest;
    const before = file === null ? ring : ringOf(file.context, services.consoleLines);
    const position = file === null ? services.position(guest) : file.position;
    const since = new ConsoleRing(services.consoleLines);
    this.current = { ...opening, before, since, dumps: [] };
    await writer.begin({ ...this.accusation(grounds), startedAtMs, position }, before.raw());
    file?.begin();
  }

  /** Rows come from the console's own file now, and those of the journal are the same ones, late or never. */
  get readsFile(): boolean {
    return this.current !== null && this.current.file !== null;
  }

  private async consoleFile(): Promise<DumpFile | null> {
    const { guest } = this;
    const path = guest.state.case?.looks.findLast(
      ({ consoleFile }) => consoleFile !== undefined,
    )?.consoleFile;
    if (guest.settings.console.kind === 'file' || path === undefined) return null;
    const file = await DumpFile.open(path, {
      onRows: (parts, ahead) => {
        for (const rows of parts) guest.rows({ ...rows, at: monotonicMs(), replayed: false });
        return guest.intake.roomFor(ahead);
      },
      onLost: (why) => {
        guest.log('warning', `reading the dump from the journal: ${why}`);
        if (this.current !== null) this.current.file = null;
      },
    });
    if (file !== null) guest.log('info', `reading the dump from ${path}`);
    return file;
  }

  raw(rows: Rows): void {
    if (this.current === null) return;
    // It never rejects: what the disk does not take is told when the incident is filed.
    this.current.writer.raw(rows.bytes).catch(() => undefined);
    this.current.since.push(rows);
    this.current.slot.moved();
  }

  async dump(dump: KeptDump): Promise<void> {
    this.current?.dumps.push(dump);
    await this.current?.writer.dump(dump.name, dump.lines);
  }

  /** Where the guest's memory may be written to; null where no incident is open in the archive. */
  memoryFile(): string | null {
    if (this.current === null || this.current.problem !== null) return null;
    return join(this.current.writer.partial, MEMORY_FILE);
  }

  async file(finding: Finding): Promise<void> {
    const { guest } = this;
    // Whoever asks for a capture from now on waits for another case.
    const filed = guest.filing(finding.analysis.verdict.title);
    const memory = this.snapshots.take();
    const open = this.take();
    if (open === null) {
      guest.now({ type: 'filed', incident: null, problem: 'the evidence was not archived' });
      filed(null, null);
      return;
    }
    try {
      // The bytes are on disk before anything is made of them.
      await open.writer.settle();
      const lines = [...open.before.lines(), ...open.since.lines()];
      const parts = {
        console: lines.join('\n') + '\n',
        timeline: guest.timeline.lines(),
        host: await hostOf(finding.looks),
        moments: guest.moments,
        marks: guest.marks.told(finding.wedgedSince ?? finding.suspectAt, isoAt),
      };
      const incident = await this.withLines(this.incident(open.writer.id, finding, kernelOf(lines)));
      const { path, missing, problem } = await fileOrKeep(
        { ...open, memory },
        { vm: guest.vm, incident, parts },
        guest.services,
      );
      for (const { file, why } of missing)
        guest.log('warning', `${path}: ${file} was not written in full: ${why}`);
      if (problem === null) guest.log('notice', `archived: ${path}`);
      guest.now({ type: 'filed', incident: open.writer.id, ...(problem !== null && { problem }) });
      filed(path, incident);
    } catch (error) {
      guest.now({ type: 'filed', incident: null, problem: faultText(error) });
      filed(null, null);
    } finally {
      open.slot.giveBack();
    }
  }

  async drop(): Promise<void> {
    this.snapshots.take();
    const open = this.take();
    await open?.writer.drop();
    open?.slot.giveBack();
  }

  /** Notes in the incident of its hang that the guest moves again. */
  async recovered(): Promise<void> {
    const { guest } = this;
    const id = guest.state.filings.incident;
    if (id === null) return;
    await guest.services.pending.update(id, { recoveredAt: isoAt(monotonicMs()) });
  }

  /** The daemon stops: the partial directory stays with all that came so far, and its next start completes it. */
  async close(): Promise<void> {
    const open = this.take();
    open?.slot.giveBack();
    await open?.writer.settle();
  }

  private take(): Open | null {
    const open = this.current;
    this.current = null;
    this.turn += 1;
    open?.file?.close();
    return open;
  }

  private accusation(grounds: Grounds) {
    const { vm, settings, state } = this.guest;
    const { lastProgress } = grounds;
    return {
      vm,
      unit: settings.unit,
      invocation: state.boot.invocation,
      wedgedSince: grounds.wedgedSince === null ? null : isoAt(grounds.wedgedSince),
      why: grounds.why,
      lastProgress: lastProgress && { at: isoAt(lastProgress.at), text: lastProgress.text },
      awaiting: grounds.awaiting,
      test: grounds.test && { at: isoAt(grounds.test.at), text: grounds.test.name },
      note: grounds.note,
    };
  }

  /** With file and line in the stacks, where a vmlinux is configured. */
  private async withLines(incident: Incident): Promise<Incident> {
    const { settings, stopping } = this.guest;
    if (settings.symbols.vmlinux === null) return incident;
    const { analysis, problem } = await symbolise(incident, settings.symbols.vmlinux, {
      timeoutMs: SYMBOLS_MS,
      signal: stopping.signal,
    });
    if (problem !== null) this.guest.log('warning', problem);
    return analysis;
  }

  private incident(id: string, finding: Finding, kernel: string | null): Incident {
    const { analysis, complete, incompleteBecause, evidence, wedgedSince, suspectAt, capturedAt } = finding;
    return {
      ...analysis,
      ...this.accusation(finding),
      id,
      startedAt: isoAt(suspectAt),
      filedAt: isoAt(monotonicMs()),
      recoveredAt: null,
      evidence: { complete, incompleteBecause, dumps: evidence },
      capture: finding.rungs,
      armed: finding.armed,
      timings: {
        ...(wedgedSince !== null && {
          suspectedAfterMs: Math.round(suspectAt - wedgedSince),
          capturedAfterMs: Math.round(capturedAt - wedgedSince),
        }),
        captureMs: Math.round(capturedAt - suspectAt),
      },
      kernel,
      version: VERSION,
    };
  }
}

function ringOf(parts: readonly Rows[], maxRows: number): ConsoleRing {
  const ring = new ConsoleRing(maxRows);
  for (const rows of parts) ring.push(rows);
  return ring;
}

/** Filing waits for it, and the raw bytes are on disk. */
const SYMBOLS_MS = 10_000;
