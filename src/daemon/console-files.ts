/** Consoles that QEMU writes to files, each with its own tail. */
import type { ConsolePosition } from '../core/console/position.js';
import { tailConsole } from '../io/console-file.js';
import type { SourceStatus } from '../io/source-status.js';
import type { Guest } from './guest.js';

const UNREAD: SourceStatus = { state: 'catching-up', detail: 'the console file was not read yet' };

export class ConsoleFiles {
  private readonly statuses = new Map<string, SourceStatus>();
  private readonly positions = new Map<string, ConsolePosition>();

  constructor(private readonly signal: AbortSignal) {}

  /** Follows the guest's console where it is a file, until the guest stops. */
  follow(guest: Guest): void {
    const { console } = guest.settings;
    if (console.kind !== 'file') return;
    tailConsole({
      path: console.path,
      onRows: ({ rows, at, replayed, end, ahead }) => {
        this.positions.set(guest.vm, end);
        for (const part of rows) guest.rows({ ...part, at, replayed });
        return guest.intake.roomFor(ahead);
      },
      onStatus: (status) => {
        this.statuses.set(guest.vm, status);
        if (status.state === 'down') guest.log('warning', `console: ${status.detail}`);
      },
      signal: AbortSignal.any([this.signal, guest.stopping.signal]),
    }).catch((error: unknown) => {
      // Nobody reads it any more: its silence accuses nobody.
      this.statuses.set(guest.vm, {
        state: 'down',
        detail: `reading ${console.path} failed: ${String(error)}`,
      });
      guest.log('error', `console: ${String(error)}`);
    });
  }

  /** Everything up to there was delivered; null before the first row. */
  position(vm: string): ConsolePosition | null {
    return this.positions.get(vm) ?? null;
  }

  status(vm: string): SourceStatus {
    return this.statuses.get(vm) ?? UNREAD;
  }
}
