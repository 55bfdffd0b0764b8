/** Signs of a guest's life, or of its boot: what an event tells, and what that means for a case that is open. */
import { bootMarker } from '../console/markers.js';
import { printable } from '../printable.js';
import type { SshProbe } from '../model.js';
import type { SshCommand } from '../ssh/command-probe.js';
import { checkArming } from './arm.js';
import { acquit, forgetCase, mayBeAcquitted, recovered } from './case/end.js';
import { fileWhatThereIs, panicCase } from './case/judge.js';
import { openCase } from './case/open.js';
import { type Context, enter, enterCalm } from './context.js';
import type { GuestEvent } from './events.js';
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
import { filingsBoot, isRepeated } from './slices/filings.js';
import { forgetMachine } from './slices/qemu.js';
import { lookAgain, lookSoon, release } from './slices/restraint.js';
import { failuresAreVoid, flappingSince, probeCame, type ProbeFacts, sshBoots } from './slices/ssh.js';
import { identify, learned, recall } from './identify.js';

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
  sshBoots(state.ssh);
  commandBoots(state.command);
  enter(context, 'starting', [reason]);
  return true;
}

/** A console line that is not part of a dump of ours. */
export function onLine(context: Context, event: GuestEvent & { type: 'line' }): void {
  const { state, settings, at } = context;
  const { text, replayed = false } = event;
  const by = bootMarker(text);
  if (by !== null && !continuesBoot(state.boot, by, { at, answered: state.ssh.lastOkAt !== null })) {
    const boot = { reason: 'the console shows a new boot', by, invocation: null };
    if (!onBoot(context, event, boot)) return;
  }
  if (by === 'kernel') {
    kernelStarts(state.console, text);
    recall(context);
  }
  const { testPattern } = settings.detect;
  const { news, silentMs, complaint } = readLine(state.console, text, { at, replayed, testPattern });
  // The silence that this line ends was still the earlier phase's.
  if (news) {
    silenceEnds(state.boot, silentMs);
    onNews(context, printable(text, LINE_SHOWN));
  }
  readPhase(state.boot, text, at);
  // Of a boot that began before this daemon nothing is learned.
  if (replayed) disturbed(state.boot);
  if (complaint?.kind === 'panic') panicCase(context, text);
  else if (complaint !== null) onComplaint(context, { ...complaint, text: printable(text, LINE_SHOWN) });
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

function onComplaint(
  context: Context,
  complaint: Parameters<typeof openCase>[1]['complaint'] & object,
): void {
  const { state, at } = context;
  // The pause after a look that found nothing is not for what the kernel says; how often it is looked at is limited.
  if (state.name === 'held' || state.name === 'panicked') return;
  if (isRepeated(state.filings, complaint.text, at)) return;
  openCase(context, { by: 'kernel', why: [`the guest's console says: ${complaint.text}`], complaint });
}

export function onSsh(context: Context, probe: SshProbe): void {
  const { state, at } = context;
  const facts = probeCame(state.ssh, probe, at);
  if (facts === null) return;
  if (!facts.answers) {
    bannerLost(state.command, at);
    if (facts.lostForGood) lookSoon(state.restraint);
    // What was looked at for its silence alone was healthy then; that SSH now fails says more.
    if (facts.faultSince !== null) lookAgain(state.restraint, facts.faultSince);
    if (state.name === 'unknown') enterCalm(context, ['SSH does not answer yet']);
    return;
  }
  // It greets, and that is all that it does.
  if (hangsSince(state) !== null || (state.name === 'held' && state.filings.filedFor === 'command')) return;
  if (flappingSince(state.ssh) === null) onAnswer(context, facts);
  else if (state.case === null && state.name === 'up') enterCalm(context, []);
}

/** One that counts: the guest is what it was. */
function onAnswer(context: Context, { first, letsIn }: Extract<ProbeFacts, { answers: true }>): void {
  const { state, at } = context;
  release(state.restraint);
  consoleCameGood(state.console);
  if (first) {
    silenceEnds(state.boot, at - state.console.quietSince);
    learned(context, bootEnds(state.boot, at));
  }
  if (first || letsIn) checkArming(context);
  // A probe that began before the panic may still succeed; only a new boot ends one.
  if (state.name === 'panicked') return;
  if (mayBeAcquitted(state)) acquit(context, ANSWERS);
  recovered(context, { sign: 'answer', says: ANSWERS });
  if (state.case === null && state.name !== 'recovered') enter(context, 'up', ['SSH answers']);
}

export function onCommand(context: Context, result: SshCommand): void {
  const { state, settings, at } = context;
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
  failuresAreVoid(state.ssh);
  commandIsVoid(state.command, state.name === 'held', at);
  effects.push({ type: 'note', level: 'notice', text: `open windows are void: ${why}` });
  if (state.name === 'suspect' && state.case !== null && state.case.accusation.by !== 'hand')
    forgetCase(context, why);
}
