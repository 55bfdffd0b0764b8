/** What time it is in a guest, by the clock of its scheduler and of its log. */
import type { RawTask } from './tasks.js';
import type { RunQueue } from './run-queues.js';

/**
 * The clocks of idle CPUs stand, for up to half a second while all of them are idle, and for good where interrupts are
 * off. How far ahead of the host's clock they were at most tells the time all the same. To be forgotten when the guest
 * was stopped and goes on, or boots anew.
 */
export class ClockMemory {
  #ahead: number | null = null;

  /** Both in seconds: the greatest of the guest's clocks, and the host's monotonic one of the same moment. */
  now(clock: number, host: number): number {
    const ahead = clock - host;
    if (this.#ahead === null || ahead > this.#ahead) this.#ahead = ahead;
    return host + this.#ahead;
  }

  forget(): void {
    this.#ahead = null;
  }
}

export interface GuestTime {
  /** Seconds since the boot. */
  now: number;
  /** By CPU: how many seconds less its clock for tasks shows than that of its run queue. */
  behind: ReadonlyMap<number, number>;
}

export interface HostTime {
  /** The host's monotonic clock, just before the memory was read. */
  hostSeconds?: number | undefined;
  clockMemory?: ClockMemory | undefined;
}

/** `tasks` stand in for clocks that cannot be found: one of them was the last to run. */
export function guestTime(queues: readonly RunQueue[], tasks: readonly RawTask[], host: HostTime): GuestTime {
  const clocks = queues.flatMap(({ clock }) => (clock === null ? [] : [clock]));
  const stamps = clocks.length > 0 ? clocks : tasks.map(({ execStart }) => execStart ?? 0);
  const latest = stamps.reduce((most, one) => Math.max(most, one), 0) / 1e9;
  const { hostSeconds, clockMemory } = host;
  const remembered =
    hostSeconds === undefined || latest === 0 ? undefined : clockMemory?.now(latest, hostSeconds);
  const behind = new Map(
    queues.map(({ cpu, clock, clockTask }) => [
      cpu,
      clock === null || clockTask === null ? 0 : (clock - clockTask) / 1e9,
    ]),
  );
  return { now: remembered ?? latest, behind };
}

/** Since the task was last on a CPU; null where that is not known. */
export function offCpuSeconds(task: RawTask, { now, behind }: GuestTime): number | null {
  if (task.onCpu) return 0;
  if (task.execStart !== null && task.execStart !== 0) {
    const less = (task.cpu === null ? undefined : behind.get(task.cpu)) ?? 0;
    return Math.max(0, now - less - task.execStart / 1e9);
  }
  // Moved to another CPU, or new: it waits for that CPU since then, and was off one for at least as long.
  if (task.lastQueued !== null && task.lastQueued !== 0) return Math.max(0, now - task.lastQueued / 1e9);
  return null;
}
