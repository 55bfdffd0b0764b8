/** At its start, a daemon completes, analyses and files the captures that a killed one left half written. */
import { fileURLToPath } from 'node:url';
import { tailLimits } from '../core/capture/cut-short.js';
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import { parseIncidentName } from '../core/report/incident.js';
import type { Filed } from '../io/archive/contents.js';
import { type FinishOne, finishPartials } from '../io/archive/finish.js';
import { HelperProcess } from '../io/helper-process.js';
import type { Log } from '../io/log.js';
import type { FinishOrder } from './finish-process.js';

const ENTRY = fileURLToPath(new URL('./finish-process.js', import.meta.url));
const HEAP_MB = 512;
/** Its console may go on with the capture for two minutes; the rest is for reading what there is. */
const DEADLINE_MS = 180_000;

/**
 * Completes every partial incident in the archive, until the signal aborts: what is left then waits for the next start.
 * Never rejects: what goes wrong is logged.
 */
export async function finishCutShort(
  config: Config,
  root: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { finished, failed } = await finishPartials(root, finisher(config, signal), signal);
    for (const { path, missing } of finished) {
      log('notice', `archived the unfinished capture of an earlier run: ${path}`);
      for (const { file, why } of missing) log('warning', `${path}: ${file} was not written in full: ${why}`);
    }
    for (const { path, why } of failed) log('warning', `could not complete ${path}: ${why}`);
  } catch (error) {
    log('warning', `could not complete the unfinished captures of an earlier run: ${String(error)}`);
  }
}

/** Each in a process of its own: what kills one costs no other. */
function finisher(config: Config, signal: AbortSignal): FinishOne {
  return async (partial) => {
    const vm = parseIncidentName(partial.id)?.vm ?? '';
    const { capture, detect } = guestSettings(config, vm, { qmpDirectory: '' });
    const limits = tailLimits(capture, detect.secondLook);
    const order: FinishOrder = { partial, limits, consoleLines: config.archive.consoleLines };
    const helper = new HelperProcess(ENTRY, { heapMb: HEAP_MB });
    try {
      return (await helper.ask(order, DEADLINE_MS, signal)) as Filed | null;
    } finally {
      helper.close();
    }
  };
}
