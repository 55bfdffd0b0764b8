/** The load and the pressure of the host, read once for all guests. */
import type { HostNow, HostPressure } from '../core/host/now.js';
import type { Mono } from '../core/time.js';
import type { GuestState } from '../core/watch/state.js';
import { readPressure } from '../io/read-pressure.js';

/** The kernel's own averages are over 10 s. */
const EVERY_MS = 2_500;
/** Guests that lost SSH within this time of each other did so at the same moment. */
const SAME_MOMENT_MS = 15_000;

export class HostWatch {
  private takenAt: Mono = -Infinity;
  private pressure: HostPressure | null = null;

  /** Null while the last answer is fresh. The pressure is that of the last reading: none is waited for. */
  take(guests: readonly { state: GuestState }[], at: Mono): HostNow | null {
    if (at - this.takenAt < EVERY_MS) return null;
    this.takenAt = at;
    readPressure().then(
      (pressure) => (this.pressure = pressure),
      () => (this.pressure = null),
    );
    const stalled = guests.filter(({ state }) => {
      const { lastOkAt, firstFailureAt } = state.ssh;
      return lastOkAt !== null && firstFailureAt !== null && at - firstFailureAt < SAME_MOMENT_MS;
    });
    return { pressure: this.pressure, stalled: stalled.length, guests: guests.length };
  }
}
