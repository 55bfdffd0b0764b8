import type { DumpName, KeptDump, Series } from '../capture/series.js';
import { Progress, type ProgressState } from '../console/progress.js';
import type { Complaint } from '../console/complaints.js';
import type { CaptureRung, GuestFacts, Look, SshProbe } from '../model.js';
import type { Mono } from '../time.js';

export type StateName =
  | 'unknown'
  | 'starting'
  | 'up'
  | 'suspect'
  | 'confirming'
  | 'capturing'
  | 'held'
  | 'recovered'
  | 'gone'
  | 'paused'
  | 'panicked'
  | 'qemu-stuck';

export type TimedLook = Look & { at: Mono };

/** A suspicion from its first moment to the incident or to its end. */
export interface Case {
  startedAt: Mono;
  /** The guest's state when it began. */
  before: { name: StateName; why: string[] };
  why: string[];
  complaint: (Complaint & { text: string }) | null;
  /** Asked for by hand: always filed. */
  manual: boolean;
  /** The words of whoever asked. */
  note: string | null;
  looks: TimedLook[];
  lookAgainAt: Mono | null;
  /** The archive has opened its directory, or said that it cannot. */
  open: boolean;
  series: Series | null;
  /** The guest confirmed the higher loglevel: bodies are not hidden. */
  raised: boolean;
  /** The guest moves again; the case ends when the conversation under way has, and the loglevel is back. */
  acquitted: string | null;
  /** The moment of the second look, while it is waited for. */
  secondLookAt: Mono | null;
  /** The dumps to ask for, in their order. */
  plan: DumpName[];
  dumps: KeptDump[];
  /** Ways that were tried to get them. */
  rungs: CaptureRung[];
  filing: boolean;
}

/** All that is known of one guest. Owned by step(); everyone else only reads it. */
export interface GuestState {
  vm: string;
  name: StateName;
  since: Mono;
  why: string[];
  invocation: string | null;
  /** The newest sign that a boot begins, and who gave it. */
  boot: { at: Mono; by: 'qemu' | 'firmware' | 'kernel' } | null;
  lastTickAt: Mono | null;
  console: {
    progress: Progress;
    /** Since when the console has been silent, from the point of view of the watchdog. */
    quietSince: Mono;
    lastProgress: { at: Mono; text: string } | null;
    awaiting: string | null;
    commandLine: string | null;
    /** The newest cleaned lines, for reports that the kernel prints by itself. */
    tail: string[];
  };
  ssh: {
    last: SshProbe | null;
    lastStartedAt: Mono | null;
    inFlight: boolean;
    /** It answered in this boot, last at that time. */
    lastOkAt: Mono | null;
    failures: number;
    firstFailureAt: Mono | null;
  };
  facts: GuestFacts | null;
  case: Case | null;
  /** When it was filed, and when it was looked at, within the last hour; not by hand. */
  filed: Mono[];
  looks: Mono[];
  /** No new look before then, after one that found nothing; and the pause that led there, in ms. */
  notBefore: Mono;
  cooldownMs: number;
  lastIncident: string | null;
}

export function initialState(vm: string, at: Mono): GuestState {
  return {
    vm,
    name: 'unknown',
    since: at,
    why: ['nothing is known yet'],
    invocation: null,
    boot: null,
    lastTickAt: null,
    console: {
      progress: new Progress(),
      quietSince: at,
      lastProgress: null,
      awaiting: null,
      commandLine: null,
      tail: [],
    },
    ssh: {
      last: null,
      lastStartedAt: null,
      inFlight: false,
      lastOkAt: null,
      failures: 0,
      firstFailureAt: null,
    },
    facts: null,
    case: null,
    filed: [],
    looks: [],
    notBefore: 0,
    cooldownMs: 0,
    lastIncident: null,
  };
}

/** A state as it comes back from JSON, where an incident's timeline keeps the one that it starts from. */
export type SavedState = Omit<GuestState, 'console'> & {
  console: Omit<GuestState['console'], 'progress'> & { progress: ProgressState };
};

export function reviveState(saved: SavedState): GuestState {
  return { ...saved, console: { ...saved.console, progress: new Progress(saved.console.progress) } };
}
