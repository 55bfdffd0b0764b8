/** How much the end of a chain of waits proves. */
import type { Confidence, Dump } from '../model.js';
import { operationFrame } from './frames.js';
import { layerOf } from './layers.js';
import type { Place } from './places.js';
import { type Root, standingOf } from './roots.js';
import { lockWaited } from './wait-kinds.js';

const LEVELS: readonly Confidence[] = ['low', 'medium', 'high'];

/** How sure a verdict on a stuck task is. */
export function confidenceOf(root: Root, place: Place, dumps: readonly Dump[]): Confidence {
  let level = { proven: 2, single: 1, passing: 0 }[standingOf(root)];
  const down = place.outside === 'dead' || place.outside === 'several';
  if (root.candidate?.backend && down) level = 2;
  if (place.outside === 'several' || place.outside === 'doubtful') level -= 1;
  if (isYoung(root)) level -= 1;
  level = Math.min(level, ceiling(root));
  const seen = new Set(root.members.flatMap(({ still }) => still));
  if (![...seen].some((index) => stacksAreWhole(dumps[index]))) level -= 1;
  return LEVELS[Math.max(0, level)] ?? 'low';
}

/** Memory shows that what one dump alone shows has just begun. */
const isYoung = ({ candidate }: Root): boolean =>
  candidate?.standing === 'single' && (candidate.task.offCpuSeconds ?? 1) < 1;

/** The most that such a stack and such a chain can prove. */
function ceiling({ task, candidate, cycle, edges }: Root): number {
  // A stack cut off right below the call to sleep names no place.
  const operation = operationFrame(task.frames);
  if (operation && layerOf(operation.symbol) === 'primitive') return 0;
  const guessed = task.doubt !== undefined || task.frames.every(({ reliable }) => !reliable);
  const byGuess = (cycle !== null || !candidate) && edges.some(({ confidence }) => confidence === 'low');
  // Whoever holds the lock is the reason, and nothing here shows him.
  const unexplained = cycle === null && lockWaited(task) !== null;
  return guessed || byGuess || unexplained || task.pid === null ? 1 : 2;
}

/** Only its borders may be doubted. */
function stacksAreWhole(dump: Dump | undefined): boolean {
  if (dump === undefined) return false;
  // Each of its tasks tells its own doubt.
  if (dump.key === 'memory') return true;
  const doubts = dump.complete ? [] : dump.incompleteCodes;
  return doubts?.every((code) => code === 'no-fence' || code === 'no-header') === true;
}
