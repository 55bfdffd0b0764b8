/** What an event tells about the guest, before anybody decides anything. */
import { complaintIn } from '../console/complaints.js';
import { Progress } from '../console/progress.js';
import { bootMarker, kernelCommandLine, kernelRelease } from '../console/markers.js';
import { startedTest } from '../console/tests.js';
import type { SshProbe } from '../model.js';
import { printable } from '../printable.js';
import type { Mono } from '../time.js';
import { UNPROVEN } from './armed.js';
import { checkArming } from './arming.js';
import {
  acquit,
  type Context,
  enter,
  enterCalm,
  forgetCase,
  mayBeAcquitted,
  openCase,
  recovered,
  SSH_ANSWERS,
} from './case.js';
import { commandHangsSince, noCommand, onBannerLost, voidCommand } from './command.js';
import { isRepeated } from './complained.js';
import { flappingSince, lostForGood, probed, steady } from './flapping.js';
import { forgetMachine, identifyTick, recall } from './identity.js';
import { fileWhatThereIs, panicCase } from './judge.js';
import { bootBegins, bootComesGood, disturbed, readPhase, silenceEnds } from './phase.js';
import type { GuestState } from './state.js';

/** Lines kept for the reports that a kernel prints by itself: several hung tasks with their stacks. */
const TAIL_LINES = 600;
/** No line of a kernel's report is longer. */
const TAIL_LINE_MAX = 1_000;
const PROGRESS_TEXT_MAX = 160;
/** QEMU, firmware and kernel announce one boot, in this order and within this time. */
const SAME_BOOT_MS = 30_000;
/** A kernel with an early console may print its first lines twice. */
const SAME_KERNEL_MS = 5_000;
const OWN_KEYS = /\b(?:sysrq: |SysRq : )/;
const ORDER = ['qemu', 'firmware', 'kernel'] as const;

/** A new QEMU, or a new kernel inside the same one: everything known of the last boot is over. */
export function onBoot(
  context: Context,
  reason: string,
  by: (typeof ORDER)[number],
  invocation: string | null = null,
): void {
  const { state, at } = context;
  fileWhatThereIs(context, `the guest began a new boot in the middle of the capture (${reason})`);
  if (invocation !== null) state.invocation = invocation;
  if (state.case !== null) forgetCase(context, reason);
  recovered(context, reason);
  state.boot = { at, by };
  bootBegins(state, by === 'kernel' ? 'kernel' : 'firmware', at);
  state.console.release = null;
  if (by === 'qemu') forgetMachine(context);
  identifyTick(context);
  recall(context, { again: by !== 'qemu' });
  state.facts = null;
  state.arming = UNPROVEN;
  state.judged = null;
  state.notBefore = 0;
  state.cooldownMs = 0;
  // A kernel with `quiet` shows no first line: what the last boot has said is news again.
  state.console.progress = new Progress();
  state.console.quietSince = at;
  state.console.lastProgress = null;
  state.console.awaiting = null;
  state.console.test = null;
  state.console.gaveUp = null;
  state.doubted = null;
  state.patience = 0;
  state.complained = [];
  state.console.tail = [];
  const command = noCommand(state.ssh.command.inFlight);
  const none = { last: null, lastOkAt: null, failures: 0, firstFailureAt: null, flapping: steady() };
  state.ssh = { ...state.ssh, ...none, command };
  enter(context, 'starting', [reason]);
}

/** A console line that is not part of a dump of ours. */
export function onLine(context: Context, text: string, replayed: boolean): void {
  const { state, at } = context;
  const { console } = state;
  const by = bootMarker(text);
  if (by !== null && isSameBoot(state, by, at)) state.boot = { at, by };
  else if (by !== null) onBoot(context, 'the console shows a new boot', by);
  if (by === 'kernel') {
    console.release = kernelRelease(text);
    recall(context);
  }
  keepTail(console.tail, text);
  // The answers to our own keys are no sign of life.
  if (!OWN_KEYS.test(text)) console.heardAt = at;
  console.commandLine = kernelCommandLine(text) ?? console.commandLine;
  const reading = console.progress.read(text, at);
  const test = startedTest(text, context.settings.detect.testPattern);
  if (test !== null) console.test = { at, name: printable(test, PROGRESS_TEXT_MAX) };
  const news = reading.news || test !== null;
  console.awaiting = reading.awaiting ?? (news ? null : console.awaiting);
  // The silence that this line ends was still the earlier phase's.
  if (news) onNews(context, text);
  readPhase(state, text, at);
  // Of a boot that began before this daemon nothing is learned.
  if (replayed) disturbed(state);
  else if (!news) onComplaint(context, text);
}

/** A boot that SSH has answered in is over. */
function isSameBoot({ boot, ssh }: GuestState, by: 'firmware' | 'kernel', at: Mono): boolean {
  if (boot === null || ssh.lastOkAt !== null) return false;
  if (by === 'kernel' && boot.by === 'kernel') return at - boot.at < SAME_KERNEL_MS;
  return ORDER.indexOf(by) >= ORDER.indexOf(boot.by) && at - boot.at < SAME_BOOT_MS;
}

function keepTail(tail: string[], text: string): void {
  tail.push(text.slice(0, TAIL_LINE_MAX));
  if (tail.length > 2 * TAIL_LINES) tail.splice(0, tail.length - TAIL_LINES);
}

function onNews(context: Context, text: string): void {
  const { state, at } = context;
  silenceEnds(state, at);
  state.console.quietSince = at;
  state.console.lastProgress = { at, text: printable(text, PROGRESS_TEXT_MAX) };
  if (state.name === 'unknown') enterCalm(context, ['its console speaks']);
  if (state.name === 'suspect' && state.case === null && flappingSince(state) === null)
    enterCalm(context, ['news on the console']);
  if (mayBeAcquitted(state) && state.case?.live === false)
    acquit(context, `news on the console: ${printable(text, PROGRESS_TEXT_MAX)}`);
  // A wedged guest that was up may still print a line; only SSH clears it. One that never was up has just its console.
  if (state.case === null && state.ssh.lastOkAt === null && state.name !== 'panicked')
    recovered(context, 'news on the console');
}

function onComplaint(context: Context, text: string): void {
  const { state } = context;
  const complaint = complaintIn(text);
  if (complaint === null) return;
  if (complaint.kind === 'emergency') state.console.gaveUp ??= printable(text, PROGRESS_TEXT_MAX);
  if (complaint.kind === 'panic') {
    panicCase(context, text);
    return;
  }
  // The pause after a look that found nothing is not for what the kernel says; how often it is looked at is limited.
  if (state.name === 'held' || state.name === 'panicked') return;
  const said = printable(text, PROGRESS_TEXT_MAX);
  if (isRepeated(state, said, context.at)) return;
  openCase(context, { why: [`the guest's console says: ${said}`], complaint: { ...complaint, text: said } });
}

export function onSsh(context: Context, probe: SshProbe): void {
  const { state, at } = context;
  const { ssh } = state;
  ssh.inFlight = Math.max(0, ssh.inFlight - 1);
  const before = ssh.last;
  ssh.last = probe;
  ssh.lastAt = at;
  if (probe.kind === 'host-fault') return;
  ssh.flapping = probed(ssh.flapping, at, probe.kind === 'ok');
  if (probe.kind !== 'ok') {
    onNoAnswer(context);
    return;
  }
  const first = ssh.lastOkAt === null;
  // Who can log in only now can be asked only now.
  const learned = before?.way !== undefined && probe.way === undefined;
  ssh.lastOkAt = at;
  ssh.failures = 0;
  ssh.firstFailureAt = null;
  // It greets, and that is all that it does.
  if (commandHangsSince(state) !== null || (state.name === 'held' && state.filedFor === 'command')) return;
  if (flappingSince(state) === null) onAnswer(context, { first, learned });
  else if (state.case === null && state.name === 'up') enterCalm(context, []);
}

function onNoAnswer(context: Context): void {
  const { state, at } = context;
  state.ssh.failures += 1;
  state.ssh.firstFailureAt ??= at;
  onBannerLost(context);
  lostForGood(state);
  if (state.name === 'unknown') enterCalm(context, ['SSH does not answer yet']);
}

/** One that counts: the guest is what it was. */
function onAnswer(context: Context, { first, learned }: { first: boolean; learned: boolean }): void {
  const { state } = context;
  state.notBefore = 0;
  state.cooldownMs = 0;
  state.judged = null;
  state.console.gaveUp = null;
  state.doubted = null;
  state.patience = 0;
  if (first) bootComesGood(context);
  if (first || learned) checkArming(context);
  // A probe that began before the panic may still succeed; only a new boot ends one.
  if (state.name === 'panicked') return;
  if (mayBeAcquitted(state)) acquit(context, SSH_ANSWERS);
  recovered(context, SSH_ANSWERS);
  if (state.case === null && state.name !== 'recovered') enter(context, 'up', ['SSH answers']);
}

/** Windows that were open while the watchdog slept prove nothing about the guest. */
export function voidWindows(context: Context, why: string): void {
  const { state, at, effects } = context;
  disturbed(state);
  state.console.quietSince = at;
  state.ssh.failures = 0;
  state.ssh.firstFailureAt = null;
  state.ssh.flapping = steady();
  voidCommand(state, at);
  effects.push({ type: 'note', level: 'notice', text: `open windows are void: ${why}` });
  if (state.name === 'suspect' && state.case?.manual === false) forgetCase(context, why);
}
