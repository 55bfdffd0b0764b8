/** The ladder of a case whose guest prints no dump on its keys: which rung is next, and what came of each. */
import { type Channel, type Instead, isChannel, ladder } from '../../capture/ladder.js';
import { describeVcpus } from '../../capture/vcpus.js';
import { serverIs } from '../../host/share-server.js';
import type { Look } from '../../model.js';
import type { CaptureRung } from '../../capture/rungs.js';
import { printable } from '../../printable.js';
import type { Context } from '../context.js';
import type { Effect } from '../events.js';
import { refusal } from '../slices/armed.js';
import type { Case } from './case.js';
import { mayBeDropped } from './facts.js';
import { type ChannelFailure, noSsh } from './failing.js';
import { moveTo, type Stage, type StageOf } from './stage.js';

const DETAIL_MAX = 300;
/** In which the console says what an NMI brought. */
const NMI_MS = 3_000;
/** arch/x86/kernel/nmi.c. */
const NMI_LINE = /\bNMI\b|Dazed and confused|strange power saving mode/;

const WORDS: Readonly<Record<Channel, string>> = {
  'send-key': 'Alt+SysRq on the emulated keyboard',
  'sysrq-trigger': 'the keys were written to /proc/sysrq-trigger over SSH, which the mask does not bind',
  'input-send-event': 'Alt+SysRq on the emulated keyboard, without QEMU’s queue of keys',
  'second-keyboard': 'Alt+SysRq on a second emulated keyboard',
  console: 'BREAK or ^O on its console, and the key behind it',
};

function record(context: Context, current: Case, rung: CaptureRung): void {
  const detail = printable(rung.detail, DETAIL_MAX);
  const { capture } = current;
  capture.rungs = [...capture.rungs, { ...rung, detail }];
  if (rung.outcome === 'skipped') return;
  context.effects.push({ type: 'note', level: 'info', text: `${rung.rung} ${rung.outcome}: ${detail}` });
}

/** The guest prints dumps on the keys as they are pressed now. */
export function channelWorks(context: Context, current: Case): void {
  const { rungs, channel } = current.capture;
  if (rungs.some(({ rung, outcome }) => rung === channel && outcome === 'worked')) return;
  record(context, current, { rung: channel, outcome: 'worked', detail: WORDS[channel] });
}

/** Says how the keys failed, as they are pressed now, and which rungs are left. */
export function channelFailed(context: Context, current: Case, { how, quote }: ChannelFailure): void {
  const { capture } = current;
  const { arming, console } = context.state;
  const details: Record<ChannelFailure['how'], string> = {
    hidden: 'the loglevel cannot be raised by these keys, and it may hide what is printed',
    refused: `the guest refuses: ${refusal(arming.facts, capture.digits)}`,
    'no-response': console.unread === null ? 'the guest gives no answer' : 'no answer was read',
    'not-pressed': quote ?? 'the keys could not be pressed',
  };
  record(context, current, { rung: capture.channel, outcome: 'failed', detail: details[how] });
  const heard = how === 'refused' || how === 'hidden';
  capture.ladder ??= ladder({ heard, ...circumstances(context, current) });
}

function circumstances(context: Context, current: Case) {
  const { typeOnConsole, injectNmi, memoryDump } = context.settings.ladder;
  const look = current.looks.at(-1);
  const qmp = look?.qmp;
  const early = mayBeDropped(context, current) ? 'not before this is sure to be an incident' : null;
  return {
    noSsh: noSsh(context),
    noQmp: qmp?.ok === false ? `QMP fails: ${qmp.detail}` : null,
    noConsole: typeOnConsole ? noInput(look) : 'ladder.typeOnConsole is false',
    noNmi: injectNmi ? early : 'ladder.injectNmi is false',
    noMemoryDump: memoryDump ? (unsafeServer(look) ?? early) : 'ladder.memoryDump is false',
  };
}

const noInput = (look: Look | undefined): string | null =>
  look?.typable === true ? null : 'nothing can be typed on its console: it is no socket and no pty';

/**
 * Why no dump of memory may be asked for: it stops the guest, and QEMU then waits for its vhost-user servers, for ever
 * where one is dead. So each must be known to run; that one is not known is no word against the guest.
 */
function unsafeServer(look: Look | undefined): string | null {
  if (look === undefined || look.qemu === null)
    return 'QEMU’s process was not found: a server of its shares may be dead, and the dump would hang QEMU for ever';
  const unknown = look.shares.find((share) => serverIs(share) === 'unknown');
  const dead = look.shares.find(({ server }) => server !== null && /[TtZXD]/.test(server.state));
  const gone = look.shares.find((share) => serverIs(share) === 'gone');
  const bad = gone ?? dead ?? unknown;
  if (bad === undefined) return null;
  if (bad === unknown)
    return `whether the server of share ${bad.tag} runs is not known (${bad.because ?? 'not found'}): dump-guest-memory would hang QEMU for ever if not`;
  const state = bad === gone ? 'gone' : `in state ${bad.server?.state ?? '?'}`;
  return `the server of share ${bad.tag} is ${state}: dump-guest-memory would hang QEMU for ever`;
}

/** Takes the next rung. Returns the channel to press on, `waits` for an answer, or null at the top. */
export function nextRung(context: Context, current: Case): Channel | 'waits' | null {
  const { capture } = current;
  for (;;) {
    const [step, ...left] = capture.ladder ?? [];
    capture.ladder = left;
    if (step === undefined) return null;
    if (step.skip !== null)
      record(context, current, { rung: step.rung, outcome: 'skipped', detail: step.skip });
    else if (isChannel(step.rung)) return (capture.channel = step.rung);
    else {
      begin(context, current, step.rung);
      return 'waits';
    }
  }
}

const ASKS: Readonly<Record<Instead, Effect>> = {
  registers: { type: 'look' },
  'inject-nmi': { type: 'inject-nmi' },
  'memory-dump': { type: 'dump-memory' },
};

function begin({ effects }: Context, current: Case, rung: Instead): void {
  moveTo(current, { name: 'climbing', rung, until: null, heard: null });
  effects.push(ASKS[rung]);
}

/** The rung that is under way, if it is this one. Another one's answer comes late, and is not waited for. */
const under = ({ stage }: { stage: Stage }, rung: Instead): StageOf<'climbing'> | null =>
  stage.name === 'climbing' && stage.rung === rung ? stage : null;

/** Each of these returns true if the rung under way has ended. */
export function registersCame(context: Context, current: Case, look: Look): boolean {
  if (under(current, 'registers') === null) return false;
  const found = describeVcpus(look);
  const failed = look.qmp.ok ? 'QEMU gives no registers' : look.qmp.detail;
  const outcome = found === null ? 'failed' : 'worked';
  record(context, current, { rung: 'registers', outcome, detail: found ?? failed });
  return true;
}

export function nmiInjected(context: Context, current: Case, problem: string | null): boolean {
  const stage = under(current, 'inject-nmi');
  if (stage === null) return false;
  if (problem === null) {
    moveTo(current, { ...stage, until: context.at + NMI_MS });
    return false;
  }
  record(context, current, { rung: 'inject-nmi', outcome: 'failed', detail: problem });
  return true;
}

/** A console line while an NMI is awaited. True if it speaks of one: that is our own doing, and no news. */
export function hearNmi(stage: StageOf<'climbing'>, text: string): boolean {
  if (stage.rung !== 'inject-nmi' || !NMI_LINE.test(text)) return false;
  stage.heard ??= text;
  return true;
}

export function memoryDumped(
  context: Context,
  current: Case,
  { outcome, detail }: Pick<CaptureRung, 'outcome' | 'detail'>,
): boolean {
  if (under(current, 'memory-dump') === null) return false;
  record(context, current, { rung: 'memory-dump', outcome, detail });
  return true;
}

export function climbingTick(
  context: Context,
  current: Case,
  { rung, until, heard }: StageOf<'climbing'>,
): boolean {
  if (until === null || context.at < until) return false;
  const detail =
    heard === null ? 'QEMU injected it, and the console said nothing of it' : `the console says: ${heard}`;
  record(context, current, { rung, outcome: heard === null ? 'failed' : 'worked', detail });
  return true;
}
