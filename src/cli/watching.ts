/** Verbs that refresh each second until they are interrupted. */
import { setTimeout as delay } from 'node:timers/promises';

export const REFRESH_MS = 1_000;
export const CLEAR = '\u001b[H\u001b[2J';

/** Aborts when somebody interrupts it, or nobody reads it any more; undefined for a verb that runs once. */
export function interrupted(watch: boolean): AbortSignal | undefined {
  if (!watch) return undefined;
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  process.stdout.once('error', () => stopping.abort());
  return stopping.signal;
}

/** Once without a signal, else each second until it aborts. Returns what the last one returned. */
export async function repeated(
  stopping: AbortSignal | undefined,
  once: () => Promise<number>,
): Promise<number> {
  for (;;) {
    const code = await once();
    if (stopping === undefined || isOver(stopping)) return code;
    await delay(REFRESH_MS, undefined, { signal: stopping }).catch(() => undefined);
    if (isOver(stopping)) return code;
  }
}

const isOver = (stopping: AbortSignal): boolean => stopping.aborted;
