/** What happens to one guest, and what is to be done about it: both are data, so that any of it can be replayed. */
import type { Machine } from '../host/machine.js';
import type { HostNow } from '../host/now.js';
import type { Channel } from '../capture/ladder.js';
import type { KeptDump } from '../capture/series.js';
import type { Grounds } from './case/accusation.js';
import type { Unread } from './slices/console.js';
import type { Learned, Quiet } from './slices/quiet.js';
import type { Answer, Question } from './analyst.js';
import type { TimedLook } from './looks.js';
import type { SampledEvent, SnapshotEvent } from './memory-view.js';
import type { Analysis, DumpSysrqKey, GuestFacts, Look, PressFault, SshProbe, SysrqKey } from '../model.js';
import type { CaptureRung } from '../capture/rungs.js';
import type { SshCommand, SshStep } from '../ssh/command-probe.js';
import type { DumpEvidence } from '../report/incident.js';
import type { Mono } from '../time.js';

export type GuestEvent = { at: Mono } & (
  | { type: 'boot'; invocation: string | null; reason: string }
  /**
   * A cleaned console line. `replayed`: it was there before this daemon, and is context only. `alone`: of a log, beside which
   * nobody can be asked.
   */
  | { type: 'line'; text: string; replayed?: true; alone?: true }
  /** Rows that nobody decides on: the console prints too fast. `repeated`: they are all equal to the line before. */
  | { type: 'left-out'; rows: number; bytes: number; repeated: boolean }
  /**
   * `blind`: why the console cannot be judged by its silence now. `unread`: not one line of this QEMU's console was read.
   * `wallMs`: the wall clock. `host`: looked at every few seconds.
   */
  | { type: 'tick'; blind?: string; unread?: Unread; wallMs?: number; host?: HostNow }
  /** `startedAt`: when the probe began; absent in older recordings. */
  | { type: 'ssh'; probe: SshProbe; startedAt?: Mono }
  /** The command that is out has come to a step; the first is its start. */
  | { type: 'command-step'; step: SshStep }
  | { type: 'command'; result: SshCommand }
  | { type: 'facts'; facts: GuestFacts }
  /** It is time to prove again that the guest will print its dumps. */
  | { type: 'arming-due' }
  /** `h` was pressed on a healthy guest; the settings of one were changed. */
  | { type: 'proof'; problem: string | null }
  | { type: 'armed'; problem: string | null }
  | { type: 'look'; look: Look }
  /** What the arguments of its QEMU tell; null where that was not found. */
  | { type: 'machine'; machine: Machine | null }
  /** What is known of boots with this key. */
  | { type: 'recalled'; key: string; learned: Learned }
  /** What the suite's own record says of this test; null where it says nothing. */
  | { type: 'test-recalled'; name: string; ms: number | null }
  /** `problem`: nothing can be kept of this case, or not where it belongs. */
  | { type: 'opened'; problem?: string }
  | { type: 'pressed'; id: number; fault: PressFault | null; detail: string }
  | { type: 'nmi-injected'; problem: string | null }
  | { type: 'memory-dumped'; outcome: CaptureRung['outcome']; detail: string }
  /** All tasks as the guest's memory shows them, or why that cannot be read. */
  | { type: 'snapshot'; seen: SnapshotEvent }
  /** Who of a healthy guest stands for long. */
  | { type: 'sampled'; seen: SampledEvent }
  /** What the effect `analyse` asked; nothing may come between. Its time is that of the event that asked. */
  | { type: 'analysed'; answer: Answer }
  /** Null: nothing was kept. A `problem` beside an incident: it waits for the archive. */
  | { type: 'filed'; incident: string | null; problem?: string }
  | { type: 'gone'; reason: string }
  /** Somebody wants a dump now, whatever the guest's state. `facts`: its settings now, where SSH answers. */
  | { type: 'capture-asked'; note: string | null; keys: DumpSysrqKey[] | null; facts?: GuestFacts }
);

/** All that an incident says, apart from the bytes. Times on the host's monotonic clock. */
export interface Finding extends Grounds {
  analysis: Analysis;
  capturedAt: Mono;
  evidence: DumpEvidence[];
  looks: TimedLook[];
  /** Ways that were tried to get the evidence, in their order. */
  rungs: CaptureRung[];
  /** Whether the guest was known to print its dumps, before. */
  armed: string | null;
  complete: boolean;
  incompleteBecause: string[];
}

export type Effect =
  | { type: 'probe-ssh' }
  /** Logs in and runs a command that reads from a disk. */
  | { type: 'run-command' }
  | { type: 'read-facts' }
  | { type: 'prove-keys' }
  | { type: 'arm-guest' }
  /** `patient`: QEMU gets the whole deadline of a command, however long that holds its socket. */
  | { type: 'look'; patient?: true }
  /** Waits for its turn, then makes the directory that raw bytes stream to; answered by `opened`. */
  | { type: 'open' }
  | { type: 'press'; id: number; key: SysrqKey; slow: boolean; via: Channel }
  | { type: 'inject-nmi' }
  /** Writes the guest's memory into the incident. */
  | { type: 'dump-memory' }
  | { type: 'keep-dump'; dump: KeptDump }
  /** Reads all tasks out of the guest's memory. `keep`: for the incident that is open, or about to be. */
  | { type: 'snapshot'; keep: boolean }
  /** Reads who has stood for so many seconds. */
  | { type: 'sample'; seconds: number }
  /** Has dumps read; answered by `analysed`, which must be the next event: the others wait. */
  | { type: 'analyse'; question: Question }
  | { type: 'file'; finding: Finding }
  | { type: 'drop'; why: string }
  /** Finds its QEMU, without QMP; answered by `machine`. */
  | { type: 'identify' }
  /** Asks what was learned of boots with this key; answered by `recalled`. */
  | { type: 'recall'; key: string }
  /** Asks how long this test took last, by the record of its suite; answered by `test-recalled`. */
  | { type: 'recall-test'; name: string }
  /** The longest silences of a good boot, to be kept for the next ones with this key. */
  | { type: 'learned'; key: string; quiet: Quiet }
  | { type: 'recovered'; afterMs: number; because: string }
  | { type: 'note'; level: 'info' | 'notice' | 'warning'; text: string };
