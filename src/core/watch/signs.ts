/** Signs of a guest's life, or of its boot: what an event tells, and what that means for a case that is open. */
import { bootMarker } from '../console/markers.js';
import { printable } from '../printable.js';
import type { SshProbe } from '../model.js';
import type { SshCommand } from '../ssh/command-probe.js';
import type { Mono } from '../time.js';
import type { Reason } from './accuse.js';
import { checkArming } from './arm.js';
import { waitAnew } from './case/asking.js';
import { acquit, forgetCase, mayBeAcquitted, recovered } from './case/end.js';
import { fileWhatThereIs } from './case/judge.js';
import { openCase } from './case/open.js';
import { hearPanic, panicContradicted, panicEnds, suspectPanic } from './case/panic.js';
import { pidIn } from './case/second-signal.js';
import { type Context, enter, enterCalm } from './context.js';
import type { GuestEvent } from './events.js';
import type { GuestState } from './state.js';
import { armingBoots } from './slices/arming.js';
import { bootBegins, bootEnds, continuesBoot, disturbed, readPhase, silenceEnds } from './slices/boot.js';
import { bannerLost, commandBoots, commandEnded, commandIsVoid, hangsSince } from './slices/command.js';
import {
  consoleBoots,
  consoleCameGood,
  kernelStarts,
  LINE_SHOWN,
  readLine,
  silenceIsVoid,
} from './slices/console.js';
import { claimsBoot, complaintWaits, probeFailed, type Said } from './slices/claims.js';
import { filingsBoot, isRepeated } from './slices/filings.js';
import { isFiled, memoryBoots, memoryIsVoid } from './slices/memory.js';
import { forgetMachine } from './slices/qemu.js';
import { answersSteadily } from './slices/flapping.js';
import { lookAgain, lookSoon, release } from './slices/restraint.js';
import {
  failuresAreVoid,
  flappingSince,
  probeCame,
  type ProbeFacts,
  probeVoid,
  sshBoots,
} from './slices/ssh.js';
import { testBegins } from './slices/tests.js';
import { identify, learned, recall } from './identify.js';
import { hostWasLate } from './late.js';

const ANSWERS = 'SSH answers again';

interface Boot {
  reason: string;
  by: 'qemu' | 'firmware' | 'kernel';
  invocation: string | null;
}

/**
 * A new QEMU, or a new kernel inside the same one: everything known of the last boot is over. False if what was captured
 * of it has to be judged before: the event comes again then.
 */
export function onBoot(context: Context, event: GuestEvent, { reason, by, invocation }: Boot): boolean {
  const { state, at } = context;
  panicEnds(context);
  const why = `the guest began a new boot in the middle of the capture (${reason})`;
  if (fileWhatThereIs(context, why, event)) return false;
  if (state.case !== null) forgetCase(context, reason);
  recovered(context, { sign: 'boot', says: reason });
  bootBegins(state.boot, by, invocation, at);
  consoleBoots(state.console, at);
  if (by === 'qemu') forgetMachine(state.qemu);
  identify(context);
  recall(context, { again: by !== 'qemu' });
  armingBoots(state.arming);
  release(state.restraint);
  filingsBoot(state.filings);
  claimsBoot(state.claims);
  memoryBoots(state.memory);
  sshBoots(state.ssh);
  commandBoots(state.command);
  enter(context, 'starting', [reason]);
  return true;
}

/** A console line that is not part of a dump of ours. */
export function onLine(context: Context, event: GuestEvent & { type: 'line' }): void {
  const { state, settings, at, effects } = context;
  const { text, replayed = false, alone } = event;
  const by = bootMarker(text);
  if (by !== null && !continuesBoot(state.boot, by, { at, answered: state.ssh.lastOkAt !== null })) {
    const boot = { reason: 'the console shows a new boot', by, invocation: null };
    if (!onBoot(context, event, boot)) return;
  }
  if (by === 'kernel') {
    kernelStarts(state.console, text);
    recall(context);
  }
  const { testPattern, testTimes } = settings.detect;
  const before = state.console.test;
  const { news, silentMs, complaint } = readLine(state.console, text, { at, replayed, testPattern });
  const { test } = state.console;
  if (test !== null && test !== before) {
    testBegins(state.tests, before, at);
    if (typeof testTimes === 'string') effects.push({ type: 'recall-test', name: test.name });
  }
  // The silence that this line ends was still the earlier phase's.
  if (news) {
    silenceEnds(state.boot, silentMs);
    onNews(context, printable(text, LINE_SHOWN));
  }
  readPhase(state.boot, text, at);
  // Of a boot that began before this daemon nothing is learned.
  if (replayed) disturbed(state.boot);
  const said =
    complaint === null
      ? null
      : { ...complaint, text: printable(text, LINE_SHOWN), at, ...(alone && { alone }) };
  if (said?.kind === 'panic') hearPanic(context, said);
  else if (said !== null) onComplaint(context, said);
}

function onNews(context: Context, text: string): void {
  const { state } = context;
  const news = `news on the console: ${text}`;
  if (state.name === 'unknown') enterCalm(context, ['its console speaks']);
  if (state.name === 'suspect' && state.case === null && flappingSince(state.ssh) === null)
    enterCalm(context, ['news on the console']);
  const by = state.case?.accusation.by;
  if ((by === 'silence' || by === 'blocked-task') && mayBeAcquitted(state)) acquit(context, news);
  // A wedged guest that was up may still print a line; only SSH clears it. One that never was up has just its console.
  if (state.case === null && state.ssh.lastOkAt === null && state.name !== 'panicked')
    recovered(context, { sign: 'news', says: 'news on the console' });
}

/** The reason to look into what the kernel said. */
export const saidByKernel = (complaint: Said): Reason => ({
  by: 'kernel',
  why: [`the guest's console says: ${complaint.text}`],
  complaint,
});

/** The kernel says again what was filed, or says for the first time what its memory showed before. */
export function isKnown({ filings, memory }: GuestState, { kind, text }: Said, at: Mono): boolean {
  const pid = kind === 'hung_task' ? pidIn(text) : null;
  return isRepeated(filings, text, at) || (pid !== null && isFiled(memory, pid));
}

function onComplaint(context: Context, complaint: Said): void {
  const { state, at } = context;
  // The pause after a look that found nothing is not for what the kernel says; how often it is looked at is limited.
  if (state.name === 'held' || state.name === 'panicked') return;
  if (isKnown(state, complaint, at)) return;
  if (at < state.claims.notBefore) complaintWaits(state.claims, complaint);
  else openCase(context, saidByKernel(complaint));
}

/** `from`: when the probe began. */
export function onSsh(context: Context, probe: SshProbe, from: Mono): void {
  const { state, at } = context;
  if (probe.late === true) {
    probeVoid(state.ssh);
    hostWasLate(context, `an SSH probe is void (${probe.detail})`);
    return;
  }
  const facts = probeCame(state.ssh, probe, { at, from });
  if (facts === null) return;
  if (facts.answers) panicContradicted(context, from);
  else {
    probeFailed(state.claims, from);
    suspectPanic(context);
  }
  if (!facts.answers) {
    bannerLost(state.command, at);
    if (facts.lostForGood) lookSoon(state.restraint);
    // What was looked at for its silence alone was healthy then; that SSH now fails says more.
    if (facts.faultSince !== null) lookAgain(state.restraint, facts.faultSince);
    if (state.name === 'unknown') enterCalm(context, ['SSH does not answer yet']);
    return;
  }
  if (provesNothing(state)) return;
  if (flappingSince(state.ssh) === null) onAnswer(context, facts, from);
  else if (state.case === null && state.name === 'up') enterCalm(context, []);
}

/** It greets, and that is all that it does; or it was found starved, and answers now and then. */
function provesNothing(state: GuestState): boolean {
  if (hangsSince(state) !== null) return true;
  if (state.name !== 'held') return false;
  const starved = state.restraint.judged?.class === 'starved';
  return state.filings.filedFor === 'command' || (starved && !answersSteadily(state.ssh.flapping));
}

/** One that counts: the guest is what it was. */
function onAnswer(
  context: Context,
  { first, letsIn }: Extract<ProbeFacts, { answers: true }>,
  from: Mono,
): void {
  const { state, at } = context;
  release(state.restraint);
  consoleCameGood(state.console);
  if (first) {
    silenceEnds(state.boot, at - state.console.quietSince);
    learned(context, bootEnds(state.boot, at));
  }
  if (first || letsIn) checkArming(context);
  // A probe that began before the panic may still succeed; one that began after it found another boot, or no panic.
  if (state.name === 'panicked' && from <= state.since) return;
  if (mayBeAcquitted(state)) acquit(context, ANSWERS);
  recovered(context, { sign: 'answer', says: ANSWERS });
  if (state.case === null && state.name !== 'recovered') enter(context, 'up', ['SSH answers']);
}

export function onCommand(context: Context, result: SshCommand): void {
  const { state, settings, at } = context;
  if (result.late === true) hostWasLate(context, `a command over SSH is void (${result.detail})`);
  const facts = commandEnded(state.command, result, { settings: settings.ssh, at });
  if (facts === null || !facts.works) return;
  if (!facts.afterHang && state.filings.filedFor !== 'command') return;
  const because = 'a command over SSH works again';
  release(state.restraint);
  // One that began before the panic may still end well.
  if (state.name === 'panicked') return;
  if (state.case?.accusation.by === 'command' && mayBeAcquitted(state)) acquit(context, because);
  else if (state.case === null && state.name === 'suspect') enterCalm(context, [because]);
  recovered(context, { sign: 'command', says: because });
}

/** Windows that were open while the watchdog slept prove nothing about the guest. */
export function voidWindows(context: Context, why: string): void {
  const { state, at, effects } = context;
  disturbed(state.boot);
  silenceIsVoid(state.console, at);
  failuresAreVoid(state.ssh, at);
  memoryIsVoid(state.memory);
  commandIsVoid(state.command, state.name === 'held', at);
  effects.push({ type: 'note', level: 'notice', text: `open windows are void: ${why}` });
  const current = state.case;
  if (current === null || current.accusation.by === 'hand') return;
  if (state.name === 'suspect') forgetCase(context, why);
  else waitAnew(context, current);
}
