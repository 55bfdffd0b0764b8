/** Reads the answers of query-status, query-cpus-fast and query-blockstats (QEMU qapi/{run-state,machine,block-core}.json). */
import type { DiskCounters, QmpView } from '../model.js';
import { printable } from '../printable.js';
import { isObject } from './codec.js';

/** The run state; `unknown` where the answer has none. */
export function runStateOf(answer: unknown): string {
  return isObject(answer) && typeof answer['status'] === 'string'
    ? printable(answer['status'], 40)
    : 'unknown';
}

export function vcpusOf(answer: unknown): { index: number; threadId: number }[] {
  return objects(answer).flatMap((cpu) => {
    const { 'cpu-index': index, 'thread-id': threadId } = cpu;
    return typeof index === 'number' && typeof threadId === 'number' ? [{ index, threadId }] : [];
  });
}

/** Sums over all devices, or null where there is none. Lower layers of a device repeat its I/O and are not counted. */
export function blockSums(answer: unknown): QmpView['block'] {
  const stats = objects(answer).flatMap((device) => (isObject(device['stats']) ? [device['stats']] : []));
  if (stats.length === 0) return null;
  const sum = (name: string) => stats.reduce((total, one) => total + numberOr0(one[name]), 0);
  return { reads: sum('rd_operations'), writes: sum('wr_operations') };
}

const DISKS_MAX = 64;

/** Each device by the name that QEMU or its user gave it. */
export function diskCounters(answer: unknown): DiskCounters[] {
  return objects(answer)
    .slice(0, DISKS_MAX)
    .flatMap(({ device, qdev, 'node-name': node, stats }): DiskCounters[] => {
      if (!isObject(stats)) return [];
      const name = [device, qdev, node].find((one) => typeof one === 'string' && one !== '');
      const sum = (...names: string[]) => names.reduce((total, one) => total + numberOr0(stats[one]), 0);
      return [
        {
          name: typeof name === 'string' ? printable(name, 80) : '?',
          ...{ reads: sum('rd_operations'), writes: sum('wr_operations'), flushes: sum('flush_operations') },
          failed: sum('failed_rd_operations', 'failed_wr_operations', 'failed_flush_operations'),
        },
      ];
    });
}

function objects(answer: unknown): Record<string, unknown>[] {
  return Array.isArray(answer) ? answer.filter(isObject) : [];
}

function numberOr0(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
