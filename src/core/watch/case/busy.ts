/** Verdicts on a guest of which no task is blocked: its vCPUs are taken, or its userspace does not come on. */
import { frameName } from '../../analysis/phrases.js';
import { stripPrintk } from '../../console/printk.js';
import type { Analysis, Frame, Task, Verdict } from '../../model.js';
import { printable } from '../../printable.js';
import { counted, seconds } from '../../words.js';
import { ranIn, vcpuCount } from '../looks.js';
import type { GuestState } from '../state.js';
import type { Seen } from './seen.js';

const QUOTE_MAX = 160;
const TITLE_MAX = 240;
const FAILURES_SHOWN = 6;
const NAMES_SHOWN = 4;
/** Where an interrupt enters the kernel: on a CPU that runs a program there is nothing below it. */
const ENTRY = /^(?:asm_|entry_|irqentry_)/;
/** systemd's status lines of a boot that goes wrong. */
const FAILED = /^\[(?:FAILED|DEPEND| *TIME *)\] (.*)$/;

const nothing = { frame: null, culprit: null, inferred: [] };

/** What all verdicts on busy vCPUs say. */
function busyBase({ facts: { loops }, current: { looks }, analysis: { verdict } }: Seen) {
  const where = ranIn(looks);
  const reasons = [
    'All vCPU threads of QEMU ran between two looks, or waited to run, and never slept.',
    ...(loops ? ['Every sample of their registers lies within one page of code: they loop.'] : []),
    ...(where === null
      ? []
      : [`Every sample was taken in ${where === 'kernel' ? 'the kernel' : 'programs'}.`]),
    ...verdict.reasons,
  ];
  return { ...nothing, confidence: loops ? ('medium' as const) : ('low' as const), reasons };
}

export const programsRun = {
  when: ({ current: { looks, accusation } }: Seen): boolean =>
    ranIn(looks) === 'programs' && accusation.chatty,
  lays: (seen: Seen): Verdict => ({
    ...busyBase(seen),
    title: `${seen.lost}; programs keep every vCPU busy while the console goes on`,
    class: 'userspace',
  }),
};

const runnable = ({ analysis: { dumps } }: Seen): Task[] =>
  (dumps.findLast(({ key }) => key === 't')?.tasks ?? []).filter(({ state }) => state === 'R');

export const tasksQueue = {
  when: (seen: Seen): boolean => runnable(seen).length > vcpuCount(seen.current.looks),
  lays: (seen: Seen): Verdict => {
    const tasks = runnable(seen);
    const vcpus = vcpuCount(seen.current.looks);
    const names = tasks.slice(0, NAMES_SHOWN).map(({ comm, pid }) => `${comm}:${pid ?? '?'}`);
    const more = tasks.length > names.length ? ' …' : '';
    const title = `${seen.lost}; ${counted(tasks.length, 'task')} want to run on ${counted(vcpus, 'busy vCPU')}: ${names.join(', ')}${more}`;
    return { ...busyBase(seen), title: printable(title, TITLE_MAX), class: 'starved' };
  },
};

export function spins(seen: Seen): Verdict {
  const found = onCpus(seen.analysis.dumps);
  const title = `${seen.lost}; every vCPU is busy and no task is blocked${found.length === 0 ? '' : `: ${found.map(({ says }) => says).join(', ')}`}`;
  // Who runs may do work: it is not accused, and only named.
  const [frame = null] = found.flatMap((one) => one.frame ?? []);
  return { ...busyBase(seen), title: printable(title, TITLE_MAX), class: 'spinning', frame };
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

/** The boot gave up, and says so. */
export function gaveUp({ state, facts, analysis: { verdict } }: Seen): Verdict {
  const said = facts.gaveUp ?? '';
  const failed = failures(state);
  const because = failed.length === 0 ? '' : `: ${failed[0] ?? ''}`;
  const title = printable(`the boot gave up (${said})${because}`, TITLE_MAX);
  const reasons = [`The console says: ${said}`, ...failed, ...verdict.reasons];
  return { ...nothing, title, class: 'userspace', confidence: 'high', reasons };
}

/** The boot waits for a job without end while nothing in the guest moves. */
export function waitsForJob({ state, facts, analysis: { verdict } }: Seen): Verdict {
  const title = printable(
    `systemd waits for ${facts.awaiting ?? ''}; no task of the kernel is stuck`,
    TITLE_MAX,
  );
  const silent = seconds(facts.at - state.console.quietSince);
  const quiet = `Nothing else was said on the console for ${silent}, and no disk was read or written.`;
  return {
    ...nothing,
    title,
    class: 'userspace',
    confidence: 'medium',
    reasons: [quiet, ...verdict.reasons],
  };
}

/** What systemd says that failed, newest last. */
function failures({ console }: GuestState): string[] {
  const said = console.tail.flatMap((line) => FAILED.exec(stripPrintk(line).text)?.[1] ?? []);
  return [...new Set(said)].slice(-FAILURES_SHOWN).map((text) => printable(text, QUOTE_MAX));
}
