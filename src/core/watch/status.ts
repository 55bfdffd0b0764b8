/** What `status` says of a guest. */
import type { Mono } from '../time.js';
import { armed } from './armed.js';
import type { GuestState } from './state.js';

export interface GuestStatus {
  vm: string;
  state: string;
  /** Milliseconds in this state. */
  sinceMs: number;
  why: string[];
  lastProgress: { agoMs: number; text: string } | null;
  awaiting: string | null;
  ssh: { kind: string; detail: string } | null;
  /** Whether its dumps will be seen: yes, the exact gap, or null where nothing is known yet. */
  armed: string | null;
  lastIncident: string | null;
}

export function guestStatus(state: GuestState, at: Mono): GuestStatus {
  const { lastProgress, awaiting } = state.console;
  const { last } = state.ssh;
  return {
    vm: state.vm,
    state: state.name,
    sinceMs: at - state.since,
    why: state.why,
    lastProgress: lastProgress === null ? null : { agoMs: at - lastProgress.at, text: lastProgress.text },
    awaiting,
    ssh: last === null ? null : { kind: last.kind, detail: last.detail },
    armed: armed(state.facts),
    lastIncident: state.lastIncident,
  };
}
