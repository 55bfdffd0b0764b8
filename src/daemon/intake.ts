/** The console rows of one guest on their way to its decision: in turns with others, at a pace, and counted where left out. */
import { Backlog, type Item, type Piece } from '../core/console/backlog.js';
import type { Ahead } from '../io/console-file.js';
import type { CatchingUp } from '../core/watch/status.js';
import { monotonicMs } from '../io/clock.js';
import { A_SLICE, type Turns } from './turns.js';

/** A guest's own QEMU: the rows behind it are another boot's. */
export interface Writer {
  invocation: string | null;
  pid: number | null;
  at: number;
}

interface IntakeOptions {
  turns: Turns;
  onItem: (item: Item<Writer>) => void;
  /** What the kernel says comes first now: a dump of ours is under way. */
  conversing: () => boolean;
  /** It begins to leave rows out, or has ended to: how many they were. */
  onLeavingOut: (rows: number | null) => void;
}

/** Units that a guest may spend in succession: the dumps of ten thousand tasks, a restart. */
const BURST = 1_000_000;
/** And what it may spend in the long run: about a fifth of a core. */
const PER_SECOND = 50_000;
/** Below this a source may read on. */
const ROOM = 2_048;
const ROOM_BYTES = 1 << 20;
/** A file is read without waiting, and so thinned, if it is so many rows ahead. */
const AHEAD = { rows: 65_536, conversing: 262_144 };
const AHEAD_BYTES = 16 << 20;
/** A flood pauses. */
const EPISODE_MS = 10_000;

export class Intake {
  private readonly backlog = new Backlog<Writer>();
  private readonly hungry: (() => void)[] = [];
  private tokens = BURST;
  private filledAt = monotonicMs();
  private busy = false;
  private waits = false;
  private leftOut = { rows: 0, bytes: 0, total: 0, at: -Infinity };
  /** In its file, not read yet. */
  private ahead = 0;
  private lagging = false;

  constructor(private readonly options: IntakeOptions) {}

  get empty(): boolean {
    return this.backlog.empty;
  }

  /** Takes rows, and decides on them at once if this turn has room for it. */
  offer(piece: Piece): void {
    this.backlog.push(piece);
    this.pump();
    this.thin();
  }

  mark(writer: Writer): void {
    this.backlog.mark(writer);
    this.pump();
  }

  /** Resolves when more may be read. */
  private async room(): Promise<void> {
    if (this.backlog.rows >= ROOM) await new Promise<void>((resolve) => this.hungry.push(resolve));
  }

  /** The same for what was printed in the past. A guest that has spent what it may is not waited for. */
  async roomForPast(): Promise<void> {
    if (this.tokens > 0) await this.room();
  }

  /**
   * The same for a file, which is a buffer itself: so much is in it still, with so many rows to a byte. Where that is too
   * much, at once: what is read then is thinned.
   */
  async roomFor({ bytes, rowsPerByte }: Ahead): Promise<void> {
    const limit = this.options.conversing() ? AHEAD.conversing : AHEAD.rows;
    this.ahead = bytes;
    this.lagging = bytes > 0 && (this.lagging || bytes * rowsPerByte > limit || bytes > AHEAD_BYTES);
    if (!this.lagging) await this.room();
  }

  /** How far it is behind; null where it is not. */
  behind(): CatchingUp | null {
    const bytes = this.backlog.bytes + this.ahead;
    const thins = monotonicMs() - this.leftOut.at < EPISODE_MS;
    if (!thins && this.backlog.rows < ROOM && bytes < ROOM_BYTES) return null;
    return { bytes, rows: this.backlog.rows, leftOut: this.leftOut.total };
  }

  private thin(): void {
    const { rows, bytes } = this.backlog.thin(this.options.conversing() ? 'kernel' : 'any');
    const now = monotonicMs();
    const episode = this.leftOut.rows > 0;
    if (rows > 0) {
      if (!episode) this.options.onLeavingOut(null);
      const { leftOut } = this;
      this.leftOut = {
        rows: leftOut.rows + rows,
        bytes: leftOut.bytes + bytes,
        total: leftOut.total + rows,
        at: now,
      };
    } else if (episode && now - this.leftOut.at > EPISODE_MS) {
      this.options.onLeavingOut(this.leftOut.rows);
      this.leftOut.rows = this.leftOut.bytes = 0;
    }
  }

  /** `granted`: for one slice, by the turns. */
  private readonly pump = (granted = false): void => {
    if (this.busy || (this.waits && !granted)) return;
    const { turns, onItem } = this.options;
    this.busy = true;
    this.waits = false;
    const free = () => turns.free && this.tokens > 0;
    for (let goes = granted || free(); goes && !this.backlog.empty; goes = free()) {
      const { items, spent } = this.backlog.read(A_SLICE);
      turns.spend(spent);
      this.pay(spent);
      for (const item of items) onItem(item);
    }
    this.busy = false;
    if (!this.backlog.empty) this.wait();
    if (this.backlog.rows < ROOM) for (const resolve of this.hungry.splice(0)) resolve();
  };

  private wait(): void {
    this.waits = true;
    const go = () => this.pump(true);
    // A timer is late anyway: what it was too late for was paid in.
    if (this.tokens > 0) this.options.turns.wait(go);
    else setTimeout(() => this.options.turns.wait(go), Math.ceil((-this.tokens * 1000) / PER_SECOND));
  }

  private pay(units: number): void {
    const now = monotonicMs();
    const filled = this.tokens + ((now - this.filledAt) * PER_SECOND) / 1000;
    this.filledAt = now;
    this.tokens = Math.min(BURST, filled) - units;
  }
}
