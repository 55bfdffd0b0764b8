/** What is known of a guest's SysRq: its settings, and the proof by `h`. Only these functions write to it. */
import type { GuestFacts } from '../../model.js';
import { printable } from '../../printable.js';
import type { Mono } from '../../time.js';

/** The proof that a healthy guest hears its keyboard and is heard: Alt+SysRq+h, which only prints HELP. */
export interface ArmingState {
  /** Its settings, as read over SSH in this boot. */
  facts: GuestFacts | null;
  /** `h` was pressed then, and HELP is awaited. */
  askedAt: Mono | null;
  /** A case began meanwhile: whether HELP comes in time says nothing any more. */
  overtaken: boolean;
  /** HELP came, or did not; null before the first proof. */
  heard: boolean | null;
  /** Why `h` could not be pressed. */
  problem: string | null;
  /** What was set over SSH in this boot, or why it could not be; null if nothing was tried. */
  fix: string | null;
}

/** From h to HELP: a chord, a line of the console, its way through the journal. */
const HELP_MS = 5_000;
const PROBLEM_MAX = 200;

export const unproven = (): ArmingState => ({
  facts: null,
  askedAt: null,
  overtaken: false,
  heard: null,
  problem: null,
  fix: null,
});

export function armingBoots(arming: ArmingState): void {
  Object.assign(arming, unproven());
}

/** `capturing`: a capture has raised the loglevel, and what it was before is what is put back. */
export function factsCame(arming: ArmingState, facts: GuestFacts, capturing: boolean): void {
  arming.facts = capturing ? { ...facts, loglevel: arming.facts?.loglevel ?? null } : facts;
}

/** Settings were changed over SSH, or could not be. Returns what to say of it. */
export function settingsChanged(arming: ArmingState, problem: string | null): string {
  const { sysrqMask, loglevel } = arming.facts ?? { sysrqMask: null, loglevel: null };
  const was = `kernel.sysrq was ${sysrqMask ?? '?'}, the loglevel ${loglevel ?? '?'}`;
  arming.fix =
    problem === null ? `set over SSH, ${was}` : `not set over SSH: ${printable(problem, PROBLEM_MAX)}`;
  return arming.fix;
}

/** `h` was pressed, or could not be. */
export function helpAsked(arming: ArmingState, problem: string | null, at: Mono): void {
  if (problem === null) Object.assign(arming, { askedAt: at, overtaken: false, problem: null });
  else Object.assign(arming, { heard: null, problem: printable(problem, PROBLEM_MAX) });
}

export function helpCame(arming: ArmingState): void {
  Object.assign(arming, { askedAt: null, heard: true, problem: null });
}

export const helpIsDue = ({ askedAt }: ArmingState, at: Mono): boolean =>
  askedAt !== null && at - askedAt >= HELP_MS;

/** HELP did not come. `unread`: because nothing of the console is read at all. */
export function helpFailed(arming: ArmingState, unread: string | null): void {
  if (unread === null) Object.assign(arming, { askedAt: null, heard: false });
  else Object.assign(arming, { askedAt: null, heard: null, problem: unread });
}

/** A capture asks the same keyboard, and says more; the answer to `h` is still no answer to it. */
export function helpOvertaken(arming: ArmingState): void {
  arming.overtaken = true;
}

export function helpNotAwaited(arming: ArmingState): void {
  arming.askedAt = null;
}

/** What could not be proven is to be asked for again. True if there was such a problem. */
export function problemOver(arming: ArmingState): boolean {
  const had = arming.problem !== null;
  arming.problem = null;
  return had;
}
