/** What time it is in a guest, by the clock of its scheduler and of its log. */
import type { RawTask } from './tasks.js';
import type { RunQueue } from './run-queues.js';

export interface GuestTime {
  /** Seconds since the boot. */
  now: number;
  /** By CPU: how many seconds less its clock for tasks shows than that of its run queue. */
  behind: ReadonlyMap<number, number>;
}

/**
 * `ran`, nanoseconds: when each task ran last. They stand in for clocks that cannot be found. The clocks of idle CPUs stand, for up
 * to half a second while all of them are idle, and for good where interrupts are off: then it is later than this says.
 */
export function guestTime(queues: readonly RunQueue[], ran: readonly (number | null)[]): GuestTime {
  const clocks = queues.flatMap(({ clock }) => (clock === null ? [] : [clock]));
  const stamps = clocks.length > 0 ? clocks : ran;
  const latest = stamps.reduce<number>((most, one) => Math.max(most, one ?? 0), 0) / 1e9;
  const behind = new Map(
    queues.map(({ cpu, clock, clockTask }) => [
      cpu,
      clock === null || clockTask === null ? 0 : (clock - clockTask) / 1e9,
    ]),
  );
  return { now: latest, behind };
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
