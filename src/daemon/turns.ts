/**
 * Whose rows are decided on in this turn of the event loop: all guests share it, so that sockets, probes and clocks have
 * theirs in between however much they print.
 */

/** In units of `Backlog.read`, a few microseconds each: about 5 ms. */
const A_TURN = 1_024;
/** As many at once for one guest, where others wait. */
export const A_SLICE = 256;

export class Turns {
  private left = A_TURN;
  private scheduled = false;
  private readonly waiting: (() => void)[] = [];

  /** Nobody waits, and there is something left of this turn. */
  get free(): boolean {
    return this.left > 0 && this.waiting.length === 0;
  }

  spend(units: number): void {
    this.left -= units;
    this.schedule();
  }

  /** Calls back once, for a slice, when it is its turn. */
  wait(go: () => void): void {
    this.waiting.push(go);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.left = A_TURN;
      // Whoever waits again is behind all others.
      while (this.left > 0) {
        const go = this.waiting.shift();
        if (go === undefined) break;
        go();
      }
      if (this.waiting.length > 0) this.schedule();
    });
  }
}
