/**
 * Whose guest this is: the QEMU behind it, asked for at its discovery and at each start, and the key under which its
 * boots are learned. Names of VMs may be new for each run; a kernel and a machine come again. Only these functions
 * write to it.
 */
import type { Machine } from '../../host/machine.js';
import type { Mono } from '../../time.js';
import { learn, type Learned, type Quiet } from './quiet.js';

export interface QemuState {
  /** What the arguments of its QEMU tell; null until that is found. */
  machine: Machine | null;
  /** The question for it. */
  asked: Question;
  /** Of good boots of the same kernel on such a machine, its own and others'. */
  learned: Learned;
  /** Which kernel and machine that is; null if it is not known, and nothing can be learned. */
  learnedFor: string | null;
}

interface Question {
  inFlight: boolean;
  /** A new QEMU was started while the question was out: the answer is of the old one. */
  stale: boolean;
  nextAt: Mono;
  /** After an answer that found nobody. */
  pauseMs: number;
}

const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 60_000;
const UNASKED: Question = { inFlight: false, stale: false, nextAt: 0, pauseMs: FIRST_PAUSE_MS };

export const unknownQemu = (): QemuState => ({
  machine: null,
  asked: UNASKED,
  learned: {},
  learnedFor: null,
});

/** True, and counted as asked, if its QEMU is not known and it is time to look for it. */
export function takeQuestion(qemu: QemuState, at: Mono): boolean {
  const { machine, asked } = qemu;
  if (machine !== null || asked.inFlight || at < asked.nextAt) return false;
  qemu.asked = { ...asked, inFlight: true };
  return true;
}

/** It has ended, or another one was started. */
export function forgetMachine(qemu: QemuState): void {
  const { inFlight } = qemu.asked;
  qemu.machine = null;
  qemu.asked = { ...UNASKED, inFlight, stale: inFlight };
}

/** The answer. */
export function machineFound(qemu: QemuState, machine: Machine | null, at: Mono): void {
  const { stale, pauseMs } = qemu.asked;
  if (stale || machine === null) {
    const pause = stale ? 0 : pauseMs;
    const next = stale ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, MAX_PAUSE_MS);
    qemu.asked = { inFlight: false, stale: false, nextAt: at + pause, pauseMs: next };
    return;
  }
  qemu.machine = machine;
  qemu.asked = UNASKED;
}

/** A look that finds another QEMU: its start was not seen. */
export function seenRunning(qemu: QemuState, seen: { pid: number } | null): void {
  if (qemu.machine !== null && seen !== null && seen.pid !== qemu.machine.pid) qemu.machine = null;
}

/** The key to ask for, once kernel and machine are known; null if nothing new is. `again`: though it was asked for before. */
export function keyToRecall(qemu: QemuState, release: string | null, again: boolean): string | null {
  const { machine } = qemu;
  const kernel = machine?.release ?? release;
  const key = machine === null || kernel === null ? null : `${kernel} on ${machine.model}`;
  if (key === qemu.learnedFor && !again) return null;
  if (key !== qemu.learnedFor) qemu.learned = {};
  qemu.learnedFor = key;
  return key;
}

export function recalled(qemu: QemuState, key: string, learned: Learned): void {
  if (key === qemu.learnedFor) qemu.learned = learned;
}

/** A boot came good: what it took is remembered. Returns the key to keep it under, or null. */
export function learnFrom(qemu: QemuState, quiet: Quiet): string | null {
  if (qemu.learnedFor !== null) qemu.learned = learn(qemu.learned, quiet);
  return qemu.learnedFor;
}
