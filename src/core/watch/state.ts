import type { Machine } from '../host/machine.js';
import type { HostNow } from '../host/now.js';
import type { Channel, Step } from '../capture/ladder.js';
import type { DumpName, KeptDump, Series } from '../capture/series.js';
import { Progress, type ProgressState } from '../console/progress.js';
import type { Complaint } from '../console/complaints.js';
import type { Phase } from '../console/phases.js';
import type { GuestFacts, Look, SshProbe, VerdictClass } from '../model.js';
import type { CaptureRung, RungName } from '../capture/rungs.js';
import type { Mono } from '../time.js';
import { type Arming, UNPROVEN } from './armed.js';
import { type CommandState, noCommand } from './command.js';
import { type Flapping, steady } from './flapping.js';
import { type Identity, UNIDENTIFIED } from './identity.js';
import type { Learned, Quiet } from './quiet.js';
import type { Unread } from './unread.js';

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
  /** Its console brings news all the while: only SSH speaks against it. */
  live: boolean;
  /** Its SSH greets all the while: only a command that hangs speaks against it. */
  greets: boolean;
  /** Its console spoke, be it news or not, until this began. */
  chatty: boolean;
  lookAgainAt: Mono | null;
  /** The archive has opened its directory, or said that it cannot. */
  open: boolean;
  series: Series | null;
  /** The guest confirmed the higher loglevel: bodies are not hidden. */
  raised: boolean;
  /** What the guest said to the digit that raises it; null where it did not speak. */
  digits: 'allowed' | 'refused' | null;
  /** The guest moves again; the case ends when the conversation under way has, and the loglevel is back. */
  acquitted: string | null;
  /** The moment of the second look, while it is waited for. */
  secondLookAt: Mono | null;
  /** A dump with holes is asked for once more, then. */
  again: { leg: DumpName; at: Mono } | null;
  /** Answers to chords that nobody pressed. */
  strays: number;
  /** The dumps to ask for, in their order. */
  plan: DumpName[];
  /** How many of them were asked for, as keys are pressed now. */
  asked: number;
  dumps: KeptDump[];
  /** How keys are pressed now. */
  channel: Channel;
  /** The rungs that are left; null while the first way does. */
  ladder: Step[] | null;
  /** A rung under way that presses nothing. `heard`: what the console said to it. */
  climbing: { rung: RungName; until: Mono | null; heard: string | null } | null;
  /** Ways that were tried. */
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
  /** Where its boot is, and the longest silence of each phase until now; null where that says nothing of the guest. */
  phase: { name: Phase; since: Mono; quiet: Quiet | null };
  /** What the arguments of its QEMU tell; null until that is found. */
  machine: Machine | null;
  identity: Identity;
  /** Of good boots of the same kernel on such a machine, its own and others'. */
  learned: Learned;
  /** Which kernel and machine that is; null where it is not known, and nothing can be learned. */
  learnedFor: string | null;
  lastTickAt: Mono | null;
  /** The wall clock at that tick, in milliseconds; null where ticks do not tell. */
  lastWallMs: number | null;
  host: (HostNow & { at: Mono }) | null;
  console: {
    progress: Progress;
    /** Since when the console has been silent, from the point of view of the watchdog. */
    quietSince: Mono;
    lastProgress: { at: Mono; text: string } | null;
    awaiting: string | null;
    /** The test that began last in this boot. */
    test: { at: Mono; name: string } | null;
    /** In which words this boot gave up, as it said last. */
    gaveUp: string | null;
    /** The newest line of any kind, apart from dumps. */
    heardAt: Mono | null;
    /** Not one line was read of this QEMU's console: why, and since when that is known. */
    unread: (Unread & { since: Mono }) | null;
    commandLine: string | null;
    /** The kernel's release, as its first line in this boot said. */
    release: string | null;
    /** The newest cleaned lines, for reports that the kernel prints by itself. */
    tail: string[];
  };
  ssh: {
    last: SshProbe | null;
    lastAt: Mono | null;
    lastStartedAt: Mono | null;
    /** Probes under way: a second one begins beside one that is slow. */
    inFlight: number;
    /** It answered in this boot, last at that time. */
    lastOkAt: Mono | null;
    failures: number;
    firstFailureAt: Mono | null;
    /** It answers now and then. */
    flapping: Flapping;
    command: CommandState;
  };
  facts: GuestFacts | null;
  /** The newest looks outside a case: somebody watches. */
  seen: TimedLook[];
  arming: Arming;
  case: Case | null;
  /** When it was filed, and when it was looked at, within the last hour; not by hand. */
  filed: Mono[];
  looks: Mono[];
  /** No new look before then, after one that found nothing; and the pause that led there, in ms. */
  notBefore: Mono;
  cooldownMs: number;
  lastIncident: string | null;
  /** Of its newest hang; null where that is not filed yet, or was not. */
  incident: string | null;
  /** What the kernel complained of and was filed, and when it was last said. */
  complained: { key: string; at: Mono }[];
  /** What the newest incident was filed for: it tells by what the guest recovers. */
  filedFor: 'lost' | 'command' | 'complaint';
  /**
   * The culprit of the newest capture, and since when captures have shown it with the same stack; its context switches,
   * where that one told them, and whether it has run since the one before.
   */
  doubted: { key: string; since: Mono; switches: number | null; ran: boolean } | null;
  /** Captures in a row that found the guest slow: the pause before the second look doubles with each. */
  patience: number;
  /** What the newest capture came to. */
  judged: { at: Mono; class: VerdictClass; title: string } | null;
}

const notAsked = (): GuestState['ssh'] => ({
  last: null,
  lastAt: null,
  lastStartedAt: null,
  inFlight: 0,
  lastOkAt: null,
  failures: 0,
  firstFailureAt: null,
  flapping: steady(),
  command: noCommand(),
});

export function initialState(vm: string, at: Mono): GuestState {
  return {
    vm,
    name: 'unknown',
    since: at,
    why: ['nothing is known yet'],
    invocation: null,
    boot: null,
    phase: { name: 'firmware', since: at, quiet: null },
    machine: null,
    identity: UNIDENTIFIED,
    learned: {},
    learnedFor: null,
    lastTickAt: null,
    lastWallMs: null,
    host: null,
    console: {
      progress: new Progress(),
      quietSince: at,
      lastProgress: null,
      awaiting: null,
      test: null,
      gaveUp: null,
      heardAt: null,
      unread: null,
      commandLine: null,
      release: null,
      tail: [],
    },
    ssh: notAsked(),
    facts: null,
    seen: [],
    arming: UNPROVEN,
    case: null,
    filed: [],
    looks: [],
    notBefore: 0,
    cooldownMs: 0,
    lastIncident: null,
    incident: null,
    complained: [],
    filedFor: 'lost',
    doubted: null,
    patience: 0,
    judged: null,
  };
}

/** A state as it comes back from JSON, where an incident's timeline keeps the one that it starts from. */
export type SavedState = Omit<GuestState, 'console'> & {
  console: Omit<GuestState['console'], 'progress'> & { progress: ProgressState };
};

/** Members that a state of an earlier version lacks get their first value. */
export function reviveState(saved: SavedState): GuestState {
  const fresh = initialState(saved.vm, saved.since);
  return {
    ...fresh,
    ...saved,
    ssh: { ...fresh.ssh, ...saved.ssh },
    console: { ...fresh.console, ...saved.console, progress: new Progress(saved.console.progress) },
  };
}
