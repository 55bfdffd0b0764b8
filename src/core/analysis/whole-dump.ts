import type { Dump } from '../model.js';

/** Shows every task, asleep or not: printed for t, or read from memory. */
export const showsAll = ({ key }: Dump): boolean => key === 't' || key === 'memory';

/**
 * Which dump of all tasks counts, by index, among those that `fits` lets through; -1 where there is none. The newest that
 * the guest printed, unless that is not whole and memory is.
 */
export function wholeIndex(dumps: readonly Dump[], fits: (dump: Dump) => boolean = hasTasks): number {
  const printed = dumps.findLastIndex((dump) => dump.key === 't' && fits(dump));
  if (dumps[printed]?.complete === true) return printed;
  const read = dumps.findLastIndex((dump) => dump.key === 'memory' && fits(dump));
  return printed < 0 || dumps[read]?.complete === true ? read : printed;
}

const hasTasks = ({ tasks }: Dump): boolean => tasks.length > 0;

export const wholeDump = (dumps: readonly Dump[], fits?: (dump: Dump) => boolean): Dump | undefined =>
  dumps[wholeIndex(dumps, fits)];

/** Who runs on each CPU, by the newest dump of all tasks that tells. */
export const schedulerTable = (dumps: readonly Dump[]): NonNullable<Dump['onCpu']> =>
  dumps.findLast(({ key }) => key === 't')?.onCpu ??
  dumps.findLast(({ key }) => key === 'memory')?.onCpu ??
  [];
