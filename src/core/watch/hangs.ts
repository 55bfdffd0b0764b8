/** Which guests hang, for those who only see their status. */
import type { Mono } from '../time.js';
import { isHung } from './state-name.js';
import type { GuestStatus } from './status.js';

const DOUBTED: ReadonlySet<string> = new Set(['suspect', 'confirming', 'capturing']);

/** Whether it hangs will be known soon. */
export const isDoubted = ({ state, busy }: Pick<GuestStatus, 'state' | 'busy'>): boolean =>
  busy || DOUBTED.has(state);

/** Whoever begins with a wedged guest may begin by starting it anew. */
const EARLIER_MS = 60_000;

type Seen = Pick<GuestStatus, 'vm' | 'state' | 'busy' | 'incident'>;

/** Tells hangs that came while something ran from those that were there before. */
export class HangsSince {
  private readonly before = new Map<string, { incident: string | null; hung: boolean }>();
  private began: Mono | null = null;

  /** The guests that hang because of a hang that came since the first call, or that still do a minute after it. */
  in<Guest extends Seen>(guests: readonly Guest[], at: Mono): Guest[] {
    if (this.began === null) {
      this.began = at;
      for (const { vm, state, incident } of guests) this.before.set(vm, { incident, hung: isHung(state) });
    }
    const early = at - this.began < EARLIER_MS;
    return guests.filter((guest) => this.hangs(guest, early));
  }

  private hangs({ vm, state, busy, incident }: Seen, early: boolean): boolean {
    const before = this.before.get(vm);
    // It is on disk as soon as it has a name.
    if (incident !== null && incident !== before?.incident) return true;
    if (!isHung(state)) {
      if (before !== undefined) before.hung = false;
      return false;
    }
    return !busy && !(before?.hung === true && early);
  }
}
