/** CPUs that do not come back, by their registers and their stacks: what no key reaches when interrupts are off. */
import type { Confidence, Dump, Frame, Verdict } from '../model.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { firmSymbols } from './frames.js';
import { isInterruptEntry, servesInterrupt } from './interrupts.js';
import { frameName } from './phrases.js';
import { stallPlace } from './stall-frame.js';
import { titled } from './stall-words.js';

type Cpu = Dump['cpus'][number];

export interface CpusFinding {
  verdict: Verdict;
  /** No CPU is left for anybody else. */
  all: boolean;
}

/** A CPU that spins for a lock of another, by the innermost functions. */
const SPINS_FOR_LOCK =
  /^(?:native_queued_spin_lock_slowpath|queued_(?:spin|read|write)_lock_slowpath|(?:__)?pv_queued_spin_lock_slowpath|__pv_queued_spin_lock_slowpath|kvm_wait|osq_lock|_*raw_(?:spin|read|write)_lock\w*|do_raw_(?:spin|read|write)_lock\w*)(?:\.|$)/;
const INNERMOST = 4;
/** As long as the kernel's own watchdog for soft lockups waits, by default. */
const LONG_ON_CPU = 20;
const STACK_SHOWN = 6;
const MOST_NAMED = 2;
const MOST_SHOWN = 4;

interface Stuck {
  cpu: Cpu;
  /** Spins for a lock. */
  waits: boolean;
  /** An earlier dump shows the same task there in the same place, without a switch. */
  still: boolean;
  onCpuSeconds: number | null;
}

/** By the newest dump from memory that has CPUs. Null where none of them is stuck in the kernel. */
export function cpusInMemory(dumps: readonly Dump[]): CpusFinding | null {
  const index = dumps.findLastIndex(
    ({ key, cpus }) => key === 'memory' && cpus.some(({ frames }) => frames.length > 0),
  );
  const dump = dumps[index];
  if (!dump) return null;
  const busy = dump.cpus.filter(inKernel);
  const judged = busy.map((cpu) => judge(cpu, dump, dumps.slice(0, index)));
  // Whoever holds a spinlock runs: where all spin, it is one of them, and never lets go.
  const ring = judged.every(({ waits }) => waits);
  // For a moment any CPU of a healthy guest is so; not all of them.
  const masked = busy.length === dump.cpus.length && busy.every(isMasked);
  const stuck = judged.filter((one) => ring || masked || lasts(one));
  const [first] = stuck;
  if (!first) return null;
  const holder = stuck.find(({ waits }) => !waits) ?? first;
  const shown = ring ? stuck : [holder, ...stuck.filter((one) => one !== holder)];
  const all = stuck.length === dump.cpus.length;
  const confidence = confidenceOf(shown, ring, all);
  return {
    verdict: ring ? deadlock(shown, confidence, dumps, index) : spinning(shown, confidence, dumps, index),
    all,
  };
}

/** It takes no interrupts, and does not serve one just now. */
const isMasked = ({ interruptsOff, frames }: Cpu): boolean =>
  interruptsOff === true && !servesInterrupt(frames);

/** One that idles, or is in a program, may take interrupts at any time. */
const inKernel = ({ idle, user, frames }: Cpu): boolean => !idle && user !== true && frames.length > 0;

function judge(cpu: Cpu, dump: Dump, before: readonly Dump[]): Stuck {
  const task = dump.tasks.find(({ pid }) => pid !== null && pid === cpu.pid);
  const place = placeOf(cpu.frames);
  const same = (earlier: Dump): boolean => {
    const then = earlier.cpus.find((one) => one.cpu === cpu.cpu);
    const its = earlier.tasks.find(({ pid }) => pid !== null && pid === cpu.pid);
    return (
      then !== undefined &&
      then.pid === cpu.pid &&
      inKernel(then) &&
      place !== null &&
      placeOf(then.frames) === place &&
      its?.switches !== undefined &&
      its.switches === task?.switches
    );
  };
  return {
    cpu,
    waits: firmSymbols(cpu.frames)
      .slice(0, INNERMOST)
      .some((name) => SPINS_FOR_LOCK.test(name)),
    still: before.some((earlier) => earlier.key === 'memory' && same(earlier)),
    onCpuSeconds: task?.onCpuSeconds ?? null,
  };
}

/** A program may be on its CPU for long, and serves its interrupts: of one that does so now, time proves nothing. */
const lasts = ({ cpu, still, onCpuSeconds }: Stuck): boolean =>
  still || (!servesInterrupt(cpu.frames) && (onCpuSeconds ?? 0) >= LONG_ON_CPU);

/** Null for one that has come no further than into an interrupt. */
function placeOf(frames: readonly Frame[]): string | null {
  const place = stallPlace(frames)?.frame ?? frameName(frames);
  return place !== null && isInterruptEntry(place) ? null : place;
}

/** One look at registers is a moment; a second one, or the time without a switch, shows that it lasts. */
function confidenceOf(stuck: readonly Stuck[], ring: boolean, all: boolean): Confidence {
  if (ring ? stuck.every(lasts) : stuck[0] && lasts(stuck[0])) return 'high';
  return ring || (all && stuck.every(({ cpu }) => isMasked(cpu))) ? 'medium' : 'low';
}

function deadlock(
  stuck: readonly Stuck[],
  confidence: Confidence,
  dumps: readonly Dump[],
  index: number,
): Verdict {
  const [first] = stuck;
  const frame = first ? frameName(first.cpu.frames) : null;
  const named = stuck
    .slice(0, MOST_NAMED)
    .map(({ cpu }) => `${whoOf(cpu)} in ${frameName(cpu.frames) ?? '?'}`);
  const more = stuck.length > named.length ? ` and ${stuck.length - named.length} more` : '';
  const who =
    stuck.length === 1
      ? 'spins for a spinlock that no other CPU holds'
      : 'each spins for a spinlock of the others';
  return {
    title: titled(`${named.join(', ')}${more}`, ` → ${who}`, maskedText(stuck)),
    class: 'deadlock',
    frame,
    confidence,
    culprit: culpritOf(first, frame),
    reasons: [
      ...stackReasons(stuck, dumps, index),
      'Whoever holds a spinlock runs on a CPU: no other CPU is in the kernel, so one that spins holds what another wants.',
    ],
    inferred: [],
  };
}

function spinning(
  stuck: readonly Stuck[],
  confidence: Confidence,
  dumps: readonly Dump[],
  index: number,
): Verdict {
  const [first] = stuck;
  const frames = first?.cpu.frames ?? [];
  const place = stallPlace(frames);
  const frame = place?.frame ?? frameName(frames);
  const seconds = first?.onCpuSeconds ?? 0;
  const others = stuck.length - 1;
  return {
    title: titled(
      `${first ? whoOf(first.cpu) : ''} spinning${seconds >= 1 ? ` ≥${Math.floor(seconds)} s` : ''}`,
      frame === null ? '' : ` → ${frame}`,
      !place || place.at === frame ? '' : ` (at ${place.at})`,
      others > 0 ? ` (+${others} other ${others === 1 ? 'CPU' : 'CPUs'})` : '',
      maskedText(stuck),
    ),
    class: 'spinning',
    frame,
    confidence,
    culprit: culpritOf(first, frame),
    reasons: stackReasons(stuck, dumps, index),
    inferred: [],
  };
}

const whoOf = (cpu: Cpu): string =>
  `${cpu.comm === null ? 'an unknown task' : nameOf({ comm: cpu.comm, pid: cpu.pid })} on CPU ${cpu.cpu}`;

const maskedText = (stuck: readonly Stuck[]): string =>
  stuck.every(({ cpu }) => cpu.interruptsOff === true) ? ', interrupts off' : '';

function culpritOf(stuck: Stuck | undefined, frame: string | null): Verdict['culprit'] {
  if (!stuck || frame === null || stuck.cpu.comm === null) return null;
  const { comm, pid } = stuck.cpu;
  return { comm, pid, state: 'R', frame };
}

function stackReasons(stuck: readonly Stuck[], dumps: readonly Dump[], index: number): string[] {
  const name = nameDump(dumps, index);
  return stuck.slice(0, MOST_SHOWN).map(({ cpu, still, onCpuSeconds }) => {
    const masked =
      cpu.interruptsOff === undefined ? '' : ` with interrupts ${cpu.interruptsOff ? 'off' : 'on'}`;
    const since =
      onCpuSeconds !== null && onCpuSeconds >= 1
        ? `, for ${Math.floor(onCpuSeconds)} s without a switch`
        : still
          ? ', as in the dump before'
          : '';
    const names = firmSymbols(cpu.frames);
    const stack = names.slice(0, STACK_SHOWN).join(' < ');
    return `${name}: CPU ${cpu.cpu} runs ${nameOf({ comm: cpu.comm ?? '', pid: cpu.pid })}${masked}${since}: ${stack}${names.length > STACK_SHOWN ? ' …' : ''}.`;
  });
}
