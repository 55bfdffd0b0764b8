/** What `status` says of a guest. */
import type { GuestSettings } from '../config/schema.js';
import { wayText } from '../ssh/ssh-config.js';
import type { Mono } from '../time.js';
import { armed, gapIn } from './slices/armed.js';
import { assess, type Evidence, type GuestClass, load } from './assess.js';
import { sshSteps, type StepStatus } from './ssh-steps.js';
import type { GuestState } from './state.js';
import { blindness, type Unread } from './slices/console.js';

/** Its console prints faster than it is read. */
export interface CatchingUp {
  /** Printed and not decided on yet: bytes, and of those that were read the rows. */
  bytes: number;
  rows: number;
  /** Rows that were left out since the daemon was started. */
  leftOut: number;
}

export interface GuestStatus {
  vm: string;
  state: string;
  /** What is wrong with it, or that nothing is. */
  class: GuestClass;
  /** Of its boot; `up` once SSH answered. */
  phase: string;
  /** Milliseconds in this state. */
  sinceMs: number;
  why: string[];
  /** Why it is of that class. */
  reasons: string[];
  /** What state and class stand on, from each side. */
  evidence: Evidence[];
  lastProgress: { agoMs: number; text: string } | null;
  awaiting: string | null;
  /** The test that began last. */
  test: { agoMs: number; name: string } | null;
  /** `way`: how it is reached where ssh does not know it. */
  ssh: { kind: string; detail: string; way: string | null; steps: StepStatus[] } | null;
  /** Percent of each vCPU, and block requests a second, where somebody watches. */
  vcpu: number[] | null;
  io: number | null;
  /** Whether its dumps will be seen: yes, the exact gap, or null where nothing is known yet. */
  armed: string | null;
  /** The same for programs: false with the gap; null if nothing is known yet. */
  isArmed: boolean | null;
  armedGap: string | null;
  /** What closes that gap; null where there is none, or no known fix. */
  armedFix: string | null;
  /** Whether the guest's memory is read; why not, and what opens it. Null where nothing is known yet. */
  memory: { read: boolean; why: string | null; fix: string | null } | null;
  lastIncident: string | null;
  /** Of its newest hang; null where that is not filed yet, or was not. */
  incident: string | null;
  /** Why nothing can be seen of its console, and what mends it; null where something is. */
  blind: Unread | null;
  /** How far its console is behind; null where it is read as it comes. */
  catchingUp: CatchingUp | null;
  /** It is being looked at, captured or filed. */
  busy: boolean;
}

export function guestStatus(state: GuestState, settings: GuestSettings, at: Mono): GuestStatus {
  const { lastProgress, awaiting, test } = state.console;
  const { last } = state.ssh;
  const { facts } = state.arming;
  const known = armed(state.arming);
  const { class: kind, reasons, evidence } = assess(state, settings, at);
  return {
    vm: state.vm,
    state: state.name,
    class: kind,
    phase: state.boot.phase.name,
    sinceMs: at - state.since,
    why: state.why,
    reasons,
    evidence,
    lastProgress: lastProgress === null ? null : { agoMs: at - lastProgress.at, text: lastProgress.text },
    awaiting,
    test: test === null ? null : { agoMs: at - test.at, name: test.name },
    ssh: last && {
      kind: last.kind,
      detail: last.detail,
      way: last.way === undefined ? null : wayText(last.way, settings.ssh.host),
      steps: sshSteps(state, settings, at),
    },
    ...load(state.name === 'gone' ? [] : state.looks),
    armed: known?.says ?? null,
    isArmed: known?.yes ?? null,
    armedGap: known?.gap ?? null,
    armedFix: facts === null ? null : (gapIn(facts)?.fix ?? null),
    memory: memoryOf(state),
    lastIncident: state.filings.newest,
    incident: state.filings.incident,
    blind: blindness(state.console, at),
    catchingUp: null,
    busy: state.case !== null,
  };
}

function memoryOf({ memory: { access } }: GuestState): GuestStatus['memory'] {
  if (access === null) return null;
  return access.ok ? { read: true, why: null, fix: null } : { read: false, why: access.why, fix: access.fix };
}
