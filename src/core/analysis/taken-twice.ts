/** A lock that a stack may hold itself, where no row of own-lock.ts knows the lock: a callback that led back to where it came from. */
import type { Frame, Task } from '../model.js';
import type { Candidate } from './candidates.js';
import { codesOf, isOneCode } from './codes.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol, layerOf } from './layers.js';
import { subjectOf } from './subjects.js';
import { lockWaited, waitsForMmap } from './wait-kinds.js';

/** Filesystems, memory and block devices are entered again and again through others, mostly without harm. */
const REENTERED = new Set(['filesystem', 'journal', 'memory', 'block']);
const LOCKS = new Set(['mutex', 'rwsem', 'semaphore']);

/**
 * The function further out that may hold the lock which this stack waits for: of the same part of the kernel as the place,
 * with another part in between. Null where none is, or the lock is known to be another's.
 */
function reentry({ frames }: Pick<Task, 'frames'>): string | null {
  const lock = lockWaited({ frames });
  const place = operationFrame(frames);
  if (lock === null || !LOCKS.has(lock.kind) || place === null || waitsForMmap({ frames })) return null;
  const subject = subjectOf(frames);
  if (subject && REENTERED.has(subject.layer) && !subject.name.startsWith('module ')) return null;
  const firm = firmFrames(frames);
  const outwards = firm
    .slice(firm.indexOf(place) + 1)
    .filter(({ symbol }) => layerOf(symbol) === 'operation');
  const back = returns(place, outwards, ({ module }) => module) ?? returns(place, outwards, wordOf);
  // A function that came to itself has another object, most likely.
  const name = back === null ? null : baseSymbol(back.symbol);
  return name === baseSymbol(place.symbol) ? null : name;
}

/** The first frame that is of the same part as the place again; a part of null says nothing. */
function returns(
  place: Frame,
  outwards: readonly Frame[],
  partOf: (frame: Frame) => string | null,
): Frame | null {
  const part = partOf(place);
  const left =
    part === null ? -1 : outwards.findIndex((frame) => wordOf(frame) !== null && partOf(frame) !== part);
  return left < 0 ? null : (outwards.slice(left + 1).find((frame) => partOf(frame) === part) ?? null);
}

const wordOf = (frame: Frame): string | null => codesOf({ symbol: frame.symbol, module: null })[0] ?? null;

/** The same, unless another stuck task is in that code and past such a lock. */
export function takenTwice(task: Task, others: readonly Candidate[]): string | null {
  const holder = reentry(task);
  const place = operationFrame(task.frames);
  if (holder === null || place === null) return null;
  const codes = codesOf(place);
  const modules = new Set(firmFrames(task.frames).flatMap(({ module }) => module ?? []));
  const rival = others.some(
    (other) =>
      lockWaited(other.task) === null &&
      firmFrames(other.task.frames).some(
        (frame) => isOneCode(codesOf(frame), codes) || modules.has(frame.module ?? ''),
      ),
  );
  return rival ? null : holder;
}
