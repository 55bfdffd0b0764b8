import type { Dump } from '../model.js';

/** What people call a dump: its key, numbered where there are several, `w.1` and `w.2`. */
export function nameDump(dumps: readonly Dump[], index: number): string {
  const key = dumps[index]?.key ?? 'none';
  const name = key === 'none' ? 'task list' : key;
  if (dumps.filter((dump) => dump.key === key).length < 2) return name;
  return `${name}.${dumps.slice(0, index + 1).filter((dump) => dump.key === key).length}`;
}
