/** The form of the tables of who does the work that others wait for. */
import type { Confidence, WaitKind } from '../model.js';

export interface Row {
  /** Any firm function of the waiter. */
  waiter: RegExp;
  /** It counts only where it sleeps itself: others sleep on its behalf as well. */
  itself?: true;
  /** What it waits for, where no function tells. */
  waits?: WaitKind;
  /** The kind of lock that it then waits for, where that matters. */
  lock?: WaitKind;
  /** The thread that does the awaited work: by name, or by a function it is in. */
  owner: { comm: RegExp; not: RegExp } | { frame: RegExp; not: RegExp } | { serves: 'disks' };
  through: string;
  confidence: Confidence;
  reason: string;
}
