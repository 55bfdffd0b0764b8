/** The ladder of a case whose guest prints no dump on its keys: which rung is next, and what came of each. */
import { type Channel, isChannel, ladder, type Step } from '../capture/ladder.js';
import { describeVcpus } from '../capture/vcpus.js';
import { serverIs } from '../host/servers.js';
import type { Look } from '../model.js';
import type { CaptureRung } from '../capture/rungs.js';
import { printable } from '../printable.js';
import { unknownToSsh } from '../ssh/config.js';
import { mayBeDropped } from './acquittal.js';
import { refusal } from './armed.js';
import type { Context } from './case.js';
import type { Case } from './state.js';

const DETAIL_MAX = 300;
/** In which the console says what an NMI brought. */
const NMI_MS = 3_000;
/** arch/x86/kernel/nmi.c. */
const NMI_LINE = /\bNMI\b|Dazed and confused|strange power saving mode/;

/** How the keys fail as they are pressed now. */
export interface ChannelFailure {
  how: 'hidden' | 'refused' | 'no-response' | 'not-pressed';
  quote: string | null;
}

const WORDS: Readonly<Record<Channel, string>> = {
  'send-key': 'Alt+SysRq on the emulated keyboard',
  'sysrq-trigger': 'the keys were written to /proc/sysrq-trigger over SSH, which the mask does not bind',
  'input-send-event': 'Alt+SysRq on the emulated keyboard, without QEMU’s queue of keys',
  'second-keyboard': 'Alt+SysRq on a second emulated keyboard',
};

function record(context: Context, current: Case, rung: CaptureRung): void {
  const detail = printable(rung.detail, DETAIL_MAX);
  current.rungs = [...current.rungs, { ...rung, detail }];
  if (rung.outcome === 'skipped') return;
  context.effects.push({ type: 'note', level: 'info', text: `${rung.rung} ${rung.outcome}: ${detail}` });
}

/** The guest prints dumps on the keys as they are pressed now. */
export function channelWorks(context: Context, current: Case): void {
  if (current.rungs.some(({ rung, outcome }) => rung === current.channel && outcome === 'worked')) return;
  record(context, current, { rung: current.channel, outcome: 'worked', detail: WORDS[current.channel] });
}

/** Says how the keys failed, as they are pressed now, and which rungs are left. */
export function channelFailed(context: Context, current: Case, { how, quote }: ChannelFailure): void {
  const details: Record<ChannelFailure['how'], string> = {
    hidden: 'the loglevel cannot be raised by these keys, and it may hide what is printed',
    refused: `the guest refuses: ${refusal(context.state.facts, current.digits)}`,
    'no-response': context.state.console.unread === null ? 'the guest gives no answer' : 'no answer was read',
    'not-pressed': quote ?? 'the keys could not be pressed',
  };
  record(context, current, { rung: current.channel, outcome: 'failed', detail: details[how] });
  const heard = how === 'refused' || how === 'hidden';
  current.ladder ??= ladder({ heard, ...circumstances(context, current) });
}

/** Why no command can be run in the guest over SSH now, or null. */
export function noSsh({ state: { ssh }, settings }: Context): string | null {
  if (!settings.ssh.enabled) return 'SSH is off for this guest';
  if (ssh.last === null) return null;
  if (ssh.last.kind !== 'ok') return `SSH does not answer: ${ssh.last.detail}`;
  return ssh.last.way === undefined ? null : unknownToSsh(settings.ssh.host);
}

function circumstances(context: Context, current: Case) {
  const { injectNmi, memoryDump } = context.settings.ladder;
  const look = current.looks.at(-1);
  const qmp = look?.qmp;
  const early = mayBeDropped(context, current) ? 'not before this is sure to be an incident' : null;
  return {
    noSsh: noSsh(context),
    noQmp: qmp?.ok === false ? `QMP fails: ${qmp.detail}` : null,
    noNmi: injectNmi ? early : 'ladder.injectNmi is false',
    noMemoryDump: memoryDump ? (unsafeServer(look) ?? early) : 'ladder.memoryDump is false',
  };
}

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
  for (;;) {
    const [step, ...left] = current.ladder ?? [];
    current.ladder = left;
    if (step === undefined) return null;
    if (step.skip !== null)
      record(context, current, { rung: step.rung, outcome: 'skipped', detail: step.skip });
    else if (isChannel(step.rung)) return (current.channel = step.rung);
    else {
      begin(context, current, step.rung);
      return 'waits';
    }
  }
}

function begin({ effects }: Context, current: Case, rung: Step['rung']): void {
  current.climbing = { rung, until: null, heard: null };
  if (rung === 'registers') effects.push({ type: 'look' });
  else if (rung === 'inject-nmi') effects.push({ type: 'inject-nmi' });
  else effects.push({ type: 'dump-memory' });
}

/** Each of these returns true where the rung under way has come to its end. */
function ended(context: Context, current: Case, outcome: CaptureRung['outcome'], detail: string): true {
  const { rung } = current.climbing ?? { rung: 'registers' as const };
  current.climbing = null;
  record(context, current, { rung, outcome, detail });
  return true;
}

export function registersCame(context: Context, look: Look): boolean {
  const current = context.state.case;
  if (current?.climbing?.rung !== 'registers') return false;
  const found = describeVcpus(look);
  if (found !== null) return ended(context, current, 'worked', found);
  return ended(context, current, 'failed', look.qmp.ok ? 'QEMU gives no registers' : look.qmp.detail);
}

export function nmiInjected(context: Context, problem: string | null): boolean {
  const current = context.state.case;
  if (current?.climbing?.rung !== 'inject-nmi') return false;
  if (problem !== null) return ended(context, current, 'failed', problem);
  current.climbing.until = context.at + NMI_MS;
  return false;
}

/** A console line while an NMI is awaited. True where it speaks of one: that is our own doing, and no news. */
export function hearNmi({ state: { case: current } }: Context, text: string): boolean {
  if (current?.climbing?.rung !== 'inject-nmi' || !NMI_LINE.test(text)) return false;
  current.climbing.heard ??= text;
  return true;
}

export function memoryDumped(context: Context, outcome: CaptureRung['outcome'], detail: string): boolean {
  const current = context.state.case;
  return current?.climbing?.rung === 'memory-dump' && ended(context, current, outcome, detail);
}

export function climbTick(context: Context, current: Case): boolean {
  const { until = null, heard = null } = current.climbing ?? {};
  if (until === null || context.at < until) return false;
  return heard === null
    ? ended(context, current, 'failed', 'QEMU injected it, and the console said nothing of it')
    : ended(context, current, 'worked', `the console says: ${heard}`);
}
