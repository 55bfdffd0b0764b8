/** What was read of one guest's console since its QEMU was started, and why nothing was. */
import type { GuestSettings } from '../core/config/schema.js';
import type { Unread } from '../core/watch/slices/console.js';

/** What gives a guest a console that is read. */
export const GIVE_CONSOLE =
  'give QEMU -serial mon:stdio and the guest console=ttyS0, or name the unit or a file in its guests entry';

export class ConsoleReading {
  /** Lines as they were logged, those from before this daemon included. */
  rows = 0;
  /** The wall clock of the newest, in milliseconds since 1970. */
  newestMs: number | null = null;
  /** What came before this daemon was looked for; until then nothing is known. */
  lookedBack: 'no' | 'under way' | 'yes' = 'no';

  note(wallMs: number): void {
    this.rows += 1;
    this.newestMs = wallMs;
  }

  /** Its QEMU was started anew. */
  begin(): void {
    this.rows = 0;
    this.newestMs = null;
  }

  /** Null where a line was read, or that is not known yet. */
  unread({ console, unit }: GuestSettings): Unread | null {
    if (this.rows > 0 || this.lookedBack !== 'yes') return null;
    if (console.kind === 'file') return { why: `${console.path} is empty`, fix: GIVE_CONSOLE };
    return { why: `${unit} has logged nothing`, fix: GIVE_CONSOLE };
  }
}
