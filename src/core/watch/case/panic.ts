/**
 * A panic that the console tells of. Any program can print the words, so that something else must say it too: SSH that
 * fails from then on, QEMU, the registers of all vCPUs, keys that nobody answers any more, or a boot that follows.
 */
import { stripPrintk } from '../../console/printk.js';
import type { Mono } from '../../time.js';
import { counted, seconds } from '../../words.js';
import { type Context, enter } from '../context.js';
import { type TimedLook, vcpusAreDead } from '../looks.js';
import {
  contradicts,
  livesOn,
  panicSaid,
  panicSettled,
  type Said,
  tellContradicted,
} from '../slices/claims.js';
import { sshCanBeJudged } from '../slices/ssh.js';
import type { Case } from './case.js';
import { isLost } from './facts.js';
import { openCase } from './open.js';
import type { OwnDump } from './own-dumps.js';

/** So long all vCPUs must be seen dead where SSH cannot say it. */
const DEAD_MS = 4_000;
/** Then keys are pressed to see whether somebody answers. */
const JUDGE_MS = 8_000;

const complaintOf = ({ text, at, alone }: Pick<Said, 'text' | 'at' | 'alone'>): Said => ({
  kind: 'panic',
  seconds: null,
  text,
  at,
  ...(alone && { alone }),
});

/** The console tells of a panic. */
export function hearPanic(context: Context, said: Said): void {
  const { state } = context;
  if (state.name === 'panicked') return;
  panicSaid(state.claims, said);
  suspectPanic(context);
}

/** SSH answered in this boot, and can be asked: it has the say. */
const sshTells = ({ state: { ssh }, settings }: Context): boolean =>
  ssh.lastOkAt !== null && sshCanBeJudged(ssh, settings);

/** SSH answered in this boot, and has failed time and again since the panic. */
const sshLost = (context: Context): boolean =>
  sshTells(context) && (context.state.claims.panic?.failed ?? 0) >= context.settings.ssh.failures;

/** Opens a case for a panic that was said, once SSH has failed since, or if SSH cannot tell. */
export function suspectPanic(context: Context): void {
  const { state, at } = context;
  const { claims, console } = state;
  const { panic } = claims;
  if (panic === null || state.case !== null || state.name === 'panicked' || state.name === 'gone') return;
  if (!sshTells(context) && livesOn(claims, console.lastProgress?.at ?? null)) {
    contradicted(context, panic, 'its console goes on');
    return;
  }
  const due = sshTells(context) ? sshLost(context) : at >= claims.notBefore;
  if (due) openCase(context, { by: 'kernel', why: [`panic: ${panic.text}`], complaint: complaintOf(panic) });
}

/** SSH answers a probe that began at `from`. What is looked into already is decided by what that shows. */
export function panicContradicted(context: Context, from: Mono): void {
  const { claims, case: current } = context.state;
  const { panic } = claims;
  if (panic === null || current !== null || !contradicts(claims, from)) return;
  contradicted(context, panic, `SSH answers a probe that began ${seconds(from - panic.at)} later`);
}

function contradicted({ state, at, effects }: Context, { text }: { text: string }, by: string): void {
  panicSettled(state.claims);
  const told = tellContradicted(state.claims, at);
  if (told === null) return;
  const more = told.more === 0 ? '' : ` (and ${counted(told.more, 'time')} before, since that was told)`;
  const note = `contradicted: the console says "${text}", and ${by}: nothing is filed${more}`;
  effects.push({ type: 'note', level: 'notice', text: note });
}

function believe(context: Context, text: string): void {
  panicSettled(context.state.claims);
  enter(context, 'panicked', [text]);
}

/** What a look shows of a panic: it is proven, keys are pressed to see whether somebody answers, or time tells. */
export function lookAtPanic(context: Context, { looks }: Case): 'proven' | 'press' | 'wait' {
  const { state, at } = context;
  const { panic } = state.claims;
  if (panic === null) return 'press';
  const lost = sshLost(context);
  const seen = looks.filter((look) => look.at >= panic.at);
  if (vcpusAreDead(seen) && (lost || lasts(seen))) {
    believe(context, panic.text);
    return 'proven';
  }
  return lost || at - panic.at >= JUDGE_MS ? 'press' : 'wait';
}

const lasts = (looks: readonly TimedLook[]): boolean =>
  (looks.at(-1)?.at ?? 0) - (looks[0]?.at ?? 0) >= DEAD_MS;

/** SSH has answered a probe that began after the panic, be it while a capture was under way. */
const answeredSince = ({ state: { claims, ssh } }: Context): boolean =>
  ssh.lastOkFrom !== null && contradicts(claims, ssh.lastOkFrom);

/** What came after the panic shows that there was none. */
const isRefuted = (context: Context): boolean =>
  answeredSince(context) || livesOn(context.state.claims, context.state.console.lastProgress?.at ?? null);

/** The guest ends, or begins anew, right after the console told of a panic, and without another word: that was one. */
export function panicEnds(context: Context): void {
  const { state } = context;
  const { panic } = state.claims;
  if (panic === null) return;
  if (isRefuted(context)) {
    panicSettled(state.claims);
    return;
  }
  const complaint = complaintOf(panic);
  openCase(context, { by: 'kernel', why: [`panic: ${panic.text}`], complaint });
  if (state.case === null || state.case.stage.name === 'filing') return;
  state.case.accusation.complaint ??= complaint;
  state.case.acquitted = null;
  believe(context, panic.text);
}

/** A capture has ended: what the console told of a panic is believed, refuted, or left open. */
export function settlePanic(context: Context, own: readonly OwnDump[]): void {
  const { state } = context;
  const { panic } = state.claims;
  if (panic === null || state.name === 'panicked') return;
  if (answeredSince(context)) {
    panicSettled(state.claims);
    return;
  }
  const answers = own.filter(({ kept }) => kept.startedAt >= panic.at && kept.endedBy === 'fence');
  if (answers.length > 0) {
    if (answers.some(showsPanic) || answers.some((dump) => isOfLaterBoot(dump, panic)))
      believe(context, panic.text);
    else panicSettled(state.claims);
    return;
  }
  const mute = own.some(({ kept }) => kept.endedAt >= panic.at) && state.arming.heard === true;
  if (panic.alone === true || mute || sshLost(context) || isLost(context)) believe(context, panic.text);
}

/** The kernel answers keys though it has panicked. */
const showsPanic = ({ reading }: OwnDump): boolean => reading?.panics === true;

/**
 * The clock of the kernel that answers began after the panic: the guest has begun anew, and the console did not say so. That
 * of the kernel that panicked would have come further, unless the guest was paused.
 */
function isOfLaterBoot({ kept: { lines, startedAt } }: OwnDump, panic: { text: string; at: Mono }): boolean {
  const before = stripPrintk(panic.text).time;
  const now = lines.map((line) => stripPrintk(line).time).find((time) => time !== null) ?? null;
  return before !== null && now !== null && now < before && now < (startedAt - panic.at) / 1000;
}
