import { schedule } from 'node-cron';

/** Calls on the schedule, a cron expression in UTC; a missed time is not made up for. Returns how to end it. */
export function scheduleArming(expression: string, onDue: () => void): () => Promise<void> {
  const task = schedule(expression, onDue, { timezone: 'UTC', suppressMissedWarning: true, unref: true });
  return async () => {
    await task.destroy();
  };
}
