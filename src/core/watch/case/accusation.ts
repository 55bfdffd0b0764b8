/**
 * Who says that a guest is wedged, since when, and on what: made once, as a case opens, and carried to the incident.
 * Times on the host's monotonic clock.
 */
import type { Said } from '../slices/claims.js';
import type { Mono } from '../../time.js';

/** What an incident says of it. */
export interface Grounds {
  why: string[];
  /** The last good SSH, or the first suspicion if SSH never answered. Null if nobody says that it is wedged. */
  wedgedSince: Mono | null;
  suspectAt: Mono;
  lastProgress: { at: Mono; text: string } | null;
  /** The start job that the console waits for. */
  awaiting: string | null;
  /** The test that was running. */
  test: { at: Mono; name: string } | null;
  /** The words of whoever asked for a capture by hand. */
  note: string | null;
}

export interface Accusation extends Grounds {
  /**
   * - `silence`: SSH is lost and the console is silent;
   * - `ssh-lost`: SSH is lost, and the console goes on;
   * - `command`: SSH greets, and a command hangs;
   * - `blocked-task`: the console is silent and SSH cannot be judged, so that only a task that stands still accuses;
   * - `stands`: SSH is late, and memory shows a task that has stood still since;
   * - `stalled`: SSH answers, and memory shows a task that has stood still for a minute;
   * - `test`: SSH answers, and a test takes far longer than it ever did;
   * - `kernel`: the console says it;
   * - `hand`: nobody, but somebody wants the dumps.
   */
  by: 'silence' | 'ssh-lost' | 'command' | 'blocked-task' | 'stands' | 'stalled' | 'test' | 'kernel' | 'hand';
  /** The kernel's own words, or those of a boot that gave up. */
  complaint: Said | null;
  /** Its console spoke, be it news or not, until this began. */
  chatty: boolean;
}

/** What a guest no longer does. */
export interface Loss {
  /** SSH answers rarely; commands hang; SSH is lost; it never answered, and the console brings no news; or SSH answers. */
  of: 'answers' | 'commands' | 'ssh' | 'news' | 'nothing';
  since: Mono;
}

/** Accused although SSH answers. */
export const besideAnswers = (by: Accusation['by']): boolean => by === 'stalled' || by === 'test';

/** Something of the guest goes on: only what is proven to stand still counts. */
export const goesOn = ({ by }: Accusation): boolean =>
  by === 'ssh-lost' || by === 'command' || besideAnswers(by);
