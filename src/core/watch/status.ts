/** What `status` says of a guest. */
import type { Mono } from '../time.js';
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
    armed: armed(state),
    lastIncident: state.lastIncident,
  };
}

/** SYSRQ_ENABLE_DUMP and SYSRQ_ENABLE_LOG in include/linux/sysrq.h; 1 allows everything. */
function armed({ facts }: GuestState): string | null {
  const mask = facts?.sysrqMask ?? null;
  if (mask === null) return null;
  if (mask === 0) return 'no: kernel.sysrq=0';
  if (mask !== 1 && (mask & 8) === 0) return `no: kernel.sysrq=${mask} lacks bit 8`;
  if (mask !== 1 && (mask & 2) === 0 && (facts?.loglevel ?? 0) < 7)
    return `no: kernel.sysrq=${mask} lacks bit 2, loglevel ${facts?.loglevel ?? '?'} hides dumps`;
  return 'yes';
}
