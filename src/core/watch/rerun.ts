/** Decides again, with the same step(), over what is left of the past: a whole timeline, or a console alone. */
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import { decide } from './decide.js';
import { assess, type Assessment } from './assess.js';
import type { Effect, GuestEvent } from './events.js';
import { type GuestState, initialState } from './state.js';
import type { StateName } from './state-name.js';

/** What would have happened, and why. Times as the events have them. */
export interface Firing {
  vm: string;
  /** The first suspicion. */
  at: Mono;
  why: string[];
  /** Null where it came to nothing. */
  incident: { at: Mono; class: string; title: string } | null;
  /** What it came to. */
  outcome: string;
}

/** A guest at one moment. */
export interface Explained extends Assessment {
  vm: string;
  at: Mono;
  state: StateName;
  why: string[];
  phase: string;
}

/** Follows one guest's decisions: collects what fired, and explains one moment. */
export class Observer {
  readonly firings: Firing[] = [];
  explained: Explained | null = null;
  private open: Firing | null = null;

  /** `explainAt`: the moment to explain; null for none. */
  constructor(private readonly explainAt: Mono | null) {}

  /** To be called before an event is decided on. */
  before(state: GuestState, settings: GuestSettings, at: Mono): void {
    if (this.explainAt !== null && at > this.explainAt && this.explained === null)
      this.explain(state, settings, this.explainAt);
  }

  /** To be called after it. */
  after(state: GuestState, effects: readonly Effect[], at: Mono): void {
    if (state.case !== null && this.open === null) {
      const { suspectAt, why } = state.case.accusation;
      this.open = {
        vm: state.vm,
        at: suspectAt,
        why,
        incident: null,
        outcome: 'it had not ended when the record did',
      };
      this.firings.push(this.open);
    }
    for (const effect of effects) {
      if (effect.type !== 'file' || this.open === null) continue;
      const { class: kind, title } = effect.finding.analysis.verdict;
      this.open.incident = { at, class: kind, title };
      this.open.outcome = title;
    }
    if (state.case !== null || this.open === null) return;
    if (this.open.incident === null) this.open.outcome = state.why[0] ?? 'nothing';
    this.open = null;
  }

  /** At the end of the record, for a moment behind it. */
  explain(state: GuestState, settings: GuestSettings, at: Mono): void {
    const { vm, name, why, boot } = state;
    this.explained ??= { vm, at, state: name, why, phase: boot.phase.name, ...assess(state, settings, at) };
  }
}

const TICK_MS = 500;
/** A longer pause is not lived through: the windows over it are void, as after a sleep. */
const MAX_GAP_MS = 24 * 3_600_000;
const UNKNOWN = 'a log does not tell';

/** A guest of which only the console is known: SSH says nothing, and nobody can look or press a key. */
export class ConsoleRerun {
  readonly state: GuestState;
  private ticked: Mono;

  constructor(
    vm: string,
    private readonly settings: GuestSettings,
    at: Mono,
    readonly observer: Observer,
  ) {
    this.state = initialState(vm, at);
    this.ticked = at;
  }

  boot(at: Mono, invocation: string): void {
    this.until(at);
    if (invocation !== this.state.boot.invocation)
      this.give({ type: 'boot', at, invocation, reason: 'QEMU was started' });
  }

  line(at: Mono, text: string): void {
    this.until(at);
    this.give({ type: 'line', at, text, alone: true });
  }

  /** Lets the time pass until then. */
  until(at: Mono): void {
    if (at - this.ticked > MAX_GAP_MS) this.ticked = at - TICK_MS;
    while (this.ticked + TICK_MS <= at) {
      this.ticked += TICK_MS;
      this.give({ type: 'tick', at: this.ticked });
    }
  }

  private give(event: GuestEvent): void {
    const { state, settings, observer } = this;
    observer.before(state, settings, event.at);
    const effects = decide(state, event, settings);
    observer.after(state, effects, event.at);
    for (const effect of effects) {
      const answer = answerTo(effect, event.at);
      if (answer !== null) this.give(answer);
    }
  }
}

function answerTo(effect: Effect, at: Mono): GuestEvent | null {
  if (effect.type === 'probe-ssh')
    return { type: 'ssh', at, probe: { kind: 'host-fault', detail: UNKNOWN, tookMs: 0 } };
  if (effect.type === 'look') {
    const qmp = { ok: false as const, fault: 'missing' as const, detail: UNKNOWN };
    return { type: 'look', at, look: { qmp, qemu: null, kernelCommandLine: null, shares: [] } };
  }
  if (effect.type === 'identify') return { type: 'machine', at, machine: null };
  if (effect.type === 'recall') return { type: 'recalled', at, key: effect.key, learned: {} };
  if (effect.type === 'recall-test') return { type: 'test-recalled', at, name: effect.name, ms: null };
  if (effect.type === 'open') return { type: 'opened', at };
  if (effect.type === 'file') return { type: 'filed', at, incident: 'replayed' };
  if (effect.type === 'inject-nmi') return { type: 'nmi-injected', at, problem: UNKNOWN };
  if (effect.type === 'dump-memory')
    return { type: 'memory-dumped', at, outcome: 'skipped', detail: UNKNOWN };
  return null;
}
