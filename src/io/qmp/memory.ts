/** The guest's memory as a file: the last resort, which stops the guest and can hang QEMU. */
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CaptureRung } from '../../core/capture/rungs.js';
import { isObject } from '../../core/qmp/codec.js';
import { printable } from '../../core/printable.js';
import { withQmp, type QmpOptions } from './with-qmp.js';

/** Left free beside the image. */
const SPARE_BYTES = 1 << 30;
const POLL_MS = 1_000;
/** An image that takes longer is left to QEMU, which cannot be told to stop. */
const LIMIT_MS = 180_000;

type Outcome = Pick<CaptureRung, 'outcome' | 'detail'>;

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * Lets QEMU write the guest's memory to a new file, if there is room, and waits for it without holding QMP.
 * Throws only for the signal.
 */
export async function dumpMemory(socketPath: string, file: string, options: QmpOptions): Promise<Outcome> {
  try {
    const size = await withQmp(socketPath, options, (session) =>
      session.execute('query-memory-size-summary'),
    );
    const bytes = isObject(size) && typeof size['base-memory'] === 'number' ? size['base-memory'] : null;
    if (bytes === null) return { outcome: 'failed', detail: 'QEMU does not report the size of its memory' };
    const disk = await statfs(dirname(file));
    const free = disk.bavail * disk.bsize;
    if (free < bytes + SPARE_BYTES)
      return {
        outcome: 'skipped',
        detail: `${gib(bytes)} of memory, and ${gib(free)} free in ${dirname(file)}`,
      };
    // Detached, or the answer would come at the end only, and QMP be held until then.
    const order = { paging: false, protocol: `file:${file}`, detach: true };
    await withQmp(socketPath, options, (session) => session.execute('dump-guest-memory', order));
    return await written(socketPath, file, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    return {
      outcome: 'failed',
      detail: printable(error instanceof Error ? error.message : String(error), 300),
    };
  }
}

async function written(socketPath: string, file: string, options: QmpOptions): Promise<Outcome> {
  const end = performance.now() + LIMIT_MS;
  while (performance.now() < end) {
    await delay(POLL_MS, undefined, { signal: options.signal });
    const answer = await withQmp(socketPath, options, (session) => session.execute('query-dump'));
    const status = isObject(answer) ? answer['status'] : null;
    if (status === 'active') continue;
    if (status !== 'completed') return { outcome: 'failed', detail: 'QEMU could not write all of it' };
    const { size } = await stat(file);
    return {
      outcome: 'worked',
      detail: `memory.elf, ${gib(size)}, for crash or drgn; it holds whatever the guest held`,
    };
  }
  return { outcome: 'failed', detail: `QEMU is still writing memory.elf after ${LIMIT_MS / 1000} s` };
}
