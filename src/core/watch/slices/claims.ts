/**
 * What the console says of the kernel: any program can print that. A panic waits here for a second signal, a complaint
 * for its turn. Only these functions write to it.
 */
import type { Complaint } from '../../console/complaints.js';
import type { Mono } from '../../time.js';

export interface Said extends Complaint {
  text: string;
  /** When it was said. */
  at: Mono;
  /** In a log, which is all there is: nobody else can be asked. */
  alone?: true;
}

type PanicSaid = Pick<Said, 'at' | 'text' | 'alone'>;

export interface ClaimsState {
  /** The first panic line that nothing has contradicted; and the SSH probes that began after it and failed. */
  panic: (PanicSaid & { failed: number }) | null;
  /** What the kernel complained of meanwhile: it is looked into when the pause is over. */
  waiting: Said | null;
  /** After a look at a complaint that nothing confirmed: the next one is not before then, and what that pause was, in ms. */
  notBefore: Mono;
  pauseMs: number;
  /** When it was told last that a panic was contradicted, and how often it was since. */
  told: { at: Mono; more: number } | null;
}

/** A kernel that panics still prints its stack while its other CPUs run: a probe that began then may be answered. */
export const PANIC_PRINTS_MS = 2_000;
const FIRST_PAUSE_MS = 2 * 60_000;
/** No longer: who forges complaints must not keep the kernel's own from being looked into. */
const MAX_PAUSE_MS = 5 * 60_000;
const TOLD_MS = 10 * 60_000;

export const noClaims = (): ClaimsState => ({
  panic: null,
  waiting: null,
  notBefore: 0,
  pauseMs: 0,
  told: null,
});

/** Another kernel. */
export function claimsBoot(claims: ClaimsState): void {
  Object.assign(claims, noClaims(), { told: claims.told });
}

export function panicSaid(claims: ClaimsState, { at, text, alone }: PanicSaid): void {
  claims.panic ??= { at, text, failed: 0, ...(alone && { alone }) };
}

/** A probe failed that began at `from`. */
export function probeFailed({ panic }: ClaimsState, from: Mono): void {
  if (panic !== null && from >= panic.at) panic.failed += 1;
}

/** From when on a probe that begins tells of the panic that was said; null if there is none, or that is still to come. */
export function probeWantedFrom({ panic }: ClaimsState, at: Mono): Mono | null {
  const from = panic === null ? Infinity : panic.at + PANIC_PRINTS_MS;
  return at >= from ? from : null;
}

/** Whether an answer to a probe that began at `from` contradicts the panic that was said. */
export const contradicts = ({ panic }: ClaimsState, from: Mono): boolean =>
  panic !== null && from >= panic.at + PANIC_PRINTS_MS;

/** Whether what was news at `newsAt` came after all that a kernel prints as it panics. */
export const livesOn = ({ panic }: ClaimsState, newsAt: Mono | null): boolean =>
  panic !== null && newsAt !== null && newsAt > panic.at + PANIC_PRINTS_MS;

/** It was believed, or refuted otherwise. */
export function panicSettled(claims: ClaimsState): void {
  claims.panic = null;
}

/** True, and counted, if it should be told now that a panic was contradicted; `more`: how often it was not told. */
export function tellContradicted(claims: ClaimsState, at: Mono): { more: number } | null {
  const { told } = claims;
  if (told !== null && at - told.at < TOLD_MS) {
    told.more += 1;
    return null;
  }
  claims.told = { at, more: 0 };
  return { more: told?.more ?? 0 };
}

/** A complaint cannot be looked into yet. `until`: when it can; default: when the pause is over. */
export function complaintWaits(claims: ClaimsState, said: Said, until = claims.notBefore): void {
  claims.waiting ??= said;
  claims.notBefore = Math.min(claims.notBefore, until);
}

/** The one that waited, once its pause is over; else null. */
export function complaintDue(claims: ClaimsState, at: Mono): Said | null {
  const { waiting } = claims;
  if (waiting === null || at < claims.notBefore) return null;
  claims.waiting = null;
  return waiting;
}

/** A look at what the console said found nothing that confirms it: the next one waits, twice as long each time. */
export function unconfirmed(claims: ClaimsState, at: Mono): void {
  claims.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, claims.pauseMs * 2), MAX_PAUSE_MS);
  claims.notBefore = at + claims.pauseMs;
}

/** It was right: what it says next is looked into at once. */
export function confirmed(claims: ClaimsState): void {
  claims.pauseMs = 0;
  claims.notBefore = 0;
}
