/** Where a case is. Each stage has its own data, and only the moves of this table are legal. */
import type { DumpName, Leg } from '../../capture/series.js';
import type { GuestEvent } from '../events.js';
import type { Instead } from '../../capture/ladder.js';
import type { Mono } from '../../time.js';

export type Stage =
  /** QEMU is looked at from outside. `againAt`: the next look, if none is under way. */
  | { name: 'looking'; againAt: Mono | null }
  /** The archive makes its directory. */
  | { name: 'opening' }
  /** The analyst judges what memory shows, before a key is pressed. */
  | { name: 'weighing'; since: Mono }
  /**
   * Memory shows a task that stands, and its wait may end: nothing is pressed before the usual windows have passed.
   * `weighed`: the analyst has judged it; memory that was not read as a whole is judged once it is.
   */
  | { name: 'holding'; since: Mono; weighed: boolean }
  /** A conversation is under way: the loglevel goes up, or a dump is asked for. */
  | { name: 'asking'; leg: Exclude<Leg, 'restore'> }
  /** A dump has ended, and the analyst reads it. */
  | { name: 'reading'; leg: DumpName }
  /** For the moment of the second look, or to ask again for a dump with holes. */
  | { name: 'waiting'; for: 'second-look' | 'again'; leg: DumpName; until: Mono }
  /** A rung is under way that presses nothing. `until`: how long the console may speak of it. `heard`: what it said. */
  | { name: 'climbing'; rung: Instead; until: Mono | null; heard: string | null }
  /** The loglevel goes back. */
  | { name: 'restoring' }
  /** The capture is over, and the analyst has its dumps. `then`: the event that ended it, which waits for the judgement. */
  | { name: 'judging'; then: GuestEvent | null }
  /** The archive has the finding. */
  | { name: 'filing' };

export type StageName = Stage['name'];
export type StageOf<Name extends StageName> = Extract<Stage, { name: Name }>;

/** Behind each stage those that may follow. A panic, or a guest that goes away, leads to `judging` from anywhere. */
export const NEXT: Readonly<Record<StageName, readonly StageName[]>> = {
  looking: ['looking', 'opening', 'judging'],
  opening: ['weighing', 'holding', 'asking', 'judging'],
  weighing: ['holding', 'asking', 'judging'],
  holding: ['weighing', 'asking', 'judging'],
  asking: ['asking', 'reading', 'climbing', 'restoring', 'judging'],
  reading: ['asking', 'waiting', 'climbing', 'restoring', 'judging'],
  waiting: ['asking', 'restoring', 'judging'],
  climbing: ['asking', 'climbing', 'restoring', 'judging'],
  restoring: ['judging'],
  judging: ['filing'],
  filing: [],
};

/** A move that no case may make: a bug, named by the stage that the case is in and those that it had to be in. */
export class StageError extends Error {
  constructor(
    readonly stage: StageName,
    readonly required: readonly StageName[],
    to: StageName,
  ) {
    const [last = 'no other', ...others] = required.toReversed();
    const needed = others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`;
    super(`a case cannot go from stage ${stage} to ${to}; that needs ${needed}`);
    this.name = 'StageError';
  }
}

/** Moves a case to its next stage. Throws a StageError if that may not follow. */
export function moveTo(current: { stage: Stage }, next: Stage): void {
  const { name } = current.stage;
  if (!NEXT[name].includes(next.name)) {
    const from = (Object.keys(NEXT) as StageName[]).filter((stage) => NEXT[stage].includes(next.name));
    throw new StageError(name, from, next.name);
  }
  current.stage = next;
}
