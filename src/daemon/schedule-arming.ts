import { schedule } from 'node-cron';

/** Calls on the schedule, a cron expression in UTC, without making up for a missed time. Returns a function that ends it. */
export function scheduleArming(expression: string, onDue: () => void): () => Promise<void> {
  const task = schedule(expression, onDue, { timezone: 'UTC', suppressMissedWarning: true, unref: true });
  return async () => {
    await task.destroy();
  };
}
