/** Verdicts on a guest of which no task is blocked: its vCPUs are taken, or its userspace does not come on. */
import type { GuestSettings } from '../config/schema.js';
import { stripPrintk } from '../console/printk.js';
import type { Analysis, Frame, Verdict } from '../model.js';
import type { Mono } from '../time.js';
import { printable } from '../printable.js';
import { counted, seconds } from '../words.js';
import { frameName } from '../analysis/phrases.js';
import { lost } from './accusation.js';
import type { Context } from './case.js';
import { allBusy, allLoop, movedSince, ranIn, vcpuCount } from './from-looks.js';
import type { Case, GuestState } from './state.js';

const QUOTE_MAX = 160;
const FAILURES_SHOWN = 6;
const NAMES_SHOWN = 4;
/** So many times what a boot may take. */
const USERSPACE_FACTOR = 3;
/** Where an interrupt enters the kernel: on a CPU that runs a program there is nothing below it. */
const ENTRY = /^(?:asm_|entry_|irqentry_)/;
/** systemd's status lines of a boot that goes wrong. */
const FAILED = /^\[(?:FAILED|DEPEND| *TIME *)\] (.*)$/;

const nothing = { frame: null, culprit: null, inferred: [] };

/** All vCPUs ran all the time, and nothing is blocked. */
export function busyVerdict(
  { state, at }: Context,
  { looks, chatty }: Case,
  { dumps, verdict }: Analysis,
): Verdict {
  const loops = allLoop(looks);
  const where = ranIn(looks);
  const reasons = [
    'All vCPU threads of QEMU ran between two looks, or waited to run, and never slept.',
    ...(loops ? ['Every sample of their registers lies within one page of code: they loop.'] : []),
    ...(where === null
      ? []
      : [`Every sample was taken in ${where === 'kernel' ? 'the kernel' : 'programs'}.`]),
  ];
  const base = { ...nothing, confidence: loops ? ('medium' as const) : ('low' as const) };
  const since = lost(state, at);
  if (where === 'programs' && chatty) {
    const title = `${since}; programs keep every vCPU busy while the console goes on`;
    return { ...base, title, class: 'userspace', reasons: [...reasons, ...verdict.reasons] };
  }
  const runnable = (dumps.findLast(({ key }) => key === 't')?.tasks ?? []).filter(
    (task) => task.state === 'R',
  );
  const vcpus = vcpuCount(looks);
  if (runnable.length > vcpus) {
    const names = runnable.slice(0, NAMES_SHOWN).map(({ comm, pid }) => `${comm}:${pid ?? '?'}`);
    const more = runnable.length > names.length ? ' …' : '';
    const title = `${since}; ${counted(runnable.length, 'task')} want to run on ${counted(vcpus, 'busy vCPU')}: ${names.join(', ')}${more}`;
    return {
      ...base,
      title: printable(title, 240),
      class: 'starved',
      reasons: [...reasons, ...verdict.reasons],
    };
  }
  const found = onCpus(dumps);
  const title = `${since}; every vCPU is busy and no task is blocked${found.length === 0 ? '' : `: ${found.map(({ says }) => says).join(', ')}`}`;
  // Who runs may do work: it is not accused, only where it is told.
  const [frame = null] = found.flatMap((one) => one.frame ?? []);
  return {
    ...base,
    title: printable(title, 240),
    class: 'spinning',
    frame,
    reasons: [...reasons, ...verdict.reasons],
  };
}

/** What a CPU did before it was asked: the one that serves the keyboard shows that as well. */
function interrupted(frames: readonly Frame[]): Frame[] {
  const asked = frames.findIndex(({ symbol }) => symbol.startsWith('__handle_sysrq'));
  const entry = asked < 0 ? -1 : frames.findIndex(({ symbol }, index) => index > asked && ENTRY.test(symbol));
  const rest = asked < 0 ? frames : entry < 0 ? [] : frames.slice(entry + 1);
  return rest.filter(({ symbol }) => !ENTRY.test(symbol));
}

/** What `l` found on each CPU that does not idle; the stack of a program that runs has no frame of the kernel. */
function onCpus(dumps: Analysis['dumps']): { says: string; frame: string | null }[] {
  const busy = (dumps.findLast(({ key }) => key === 'l')?.cpus ?? []).flatMap(
    ({ cpu, comm, pid, idle, frames }) => (idle || comm === null ? [] : [{ cpu, comm, pid, frames }]),
  );
  return busy.slice(0, NAMES_SHOWN).map(({ cpu, comm, pid, frames }) => {
    const frame = frameName(interrupted(frames));
    const says = `${comm}:${pid ?? '?'} on CPU ${cpu}${frame === null ? '' : ` in ${frame}`}`;
    return { says, frame };
  });
}

/** When a boot that waits for a job, and does nothing else, counts as stuck. */
export const userspaceAfter = ({ console }: GuestState, { detect }: GuestSettings): Mono =>
  console.quietSince + USERSPACE_FACTOR * detect.blindBoot;

/** A boot that gave up, or that waits for a job without end while nothing in the guest moves. Null where it is neither. */
export function userspace(
  { state, settings, at }: Context,
  { looks }: Case,
  verdict: Verdict,
): Verdict | null {
  const { awaiting, quietSince } = state.console;
  const gaveUp = gaveUpFor(state, settings);
  if (gaveUp !== null) {
    const failed = failures(state);
    const because = failed.length === 0 ? '' : `: ${failed[0] ?? ''}`;
    const title = printable(`the boot gave up (${gaveUp})${because}`, 240);
    const reasons = [`The console says: ${gaveUp}`, ...failed, ...verdict.reasons];
    return { ...nothing, title, class: 'userspace', confidence: 'high', reasons };
  }
  const waits = verdict.class === 'none' && awaiting !== null && state.ssh.lastOkAt === null;
  if (!waits || at < userspaceAfter(state, settings) || movedSince(looks) !== null || allBusy(looks))
    return null;
  const title = printable(`systemd waits for ${awaiting}; no task of the kernel is stuck`, 240);
  const quiet = `Nothing else was said on the console for ${seconds(at - quietSince)}, and no disk was read or written.`;
  return {
    ...nothing,
    title,
    class: 'userspace',
    confidence: 'medium',
    reasons: [quiet, ...verdict.reasons],
  };
}

/** The words of a boot that gave up, unless SSH goes on answering: then somebody only quoted them. */
export function gaveUpFor({ console, ssh }: GuestState, settings: GuestSettings): string | null {
  return ssh.lastOkAt === null || ssh.failures >= settings.ssh.failures ? console.gaveUp : null;
}

/** What systemd says that failed, newest last. */
function failures({ console }: GuestState): string[] {
  const said = console.tail.flatMap((line) => FAILED.exec(stripPrintk(line).text)?.[1] ?? []);
  return [...new Set(said)].slice(-FAILURES_SHOWN).map((text) => printable(text, QUOTE_MAX));
}
