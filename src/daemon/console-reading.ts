/** How much of a guest's console was read since its QEMU started, and why nothing was. */
import type { GuestSettings } from '../core/config/schema.js';
import type { Unread } from '../core/watch/slices/console.js';

/** The fix for a guest without a readable console. */
export const GIVE_CONSOLE =
  'give QEMU -serial mon:stdio and the guest console=ttyS0, or name the unit or a file in its guests entry';

export class ConsoleReading {
  /** Lines as logged, including those from before this daemon. */
  rows = 0;
  /** The wall clock of the newest, in milliseconds since 1970. */
  newestMs: number | null = null;
  /** Whether the lines from before this daemon were searched; until then nothing is known. */
  lookedBack: 'no' | 'under way' | 'yes' = 'no';

  note(wallMs: number, rows: number): void {
    this.rows += rows;
    this.newestMs = wallMs;
  }

  /** Its QEMU was restarted. */
  begin(): void {
    this.rows = 0;
    this.newestMs = null;
  }

  /** Null if a line was read, or that is not known yet. */
  unread({ console, unit }: GuestSettings): Unread | null {
    if (this.rows > 0 || this.lookedBack !== 'yes') return null;
    if (console.kind === 'file') return { why: `${console.path} is empty`, fix: GIVE_CONSOLE };
    return { why: `${unit} has logged nothing`, fix: GIVE_CONSOLE };
  }
}
