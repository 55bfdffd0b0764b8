/** Whose line a journal entry is. Field names: systemd.journal-fields(7). */
import type { JournalEntry } from './export.js';

/** The fields that routing needs, as `--output-fields` takes them; cursor, times and boot id come unasked. */
export const ROUTED_FIELDS =
  'MESSAGE,_SYSTEMD_USER_UNIT,_SYSTEMD_INVOCATION_ID,_PID,_TRANSPORT,USER_UNIT,USER_INVOCATION_ID';

interface Route {
  unit: string;
  /** New for each start of the unit; null where the entry has none. */
  invocation: string | null;
  /** The process that wrote; null for the manager, which writes about the unit. */
  pid: number | null;
  /** `console`: the guest's serial line, or QEMU itself. `manager`: systemd about the unit. */
  kind: 'console' | 'manager';
}

/** Null for entries that are neither a unit's output nor the user manager's words about a unit. */
export function routeOf(entry: JournalEntry): Route | null {
  const { fields } = entry;
  const sender = fields.get('_SYSTEMD_USER_UNIT');
  if (sender === undefined) return null;
  if (sender === 'init.scope') {
    const unit = fields.get('USER_UNIT');
    if (unit === undefined) return null;
    return { unit, invocation: fields.get('USER_INVOCATION_ID') ?? null, pid: null, kind: 'manager' };
  }
  if (fields.get('_TRANSPORT') !== 'stdout') return null;
  const pid = Number(fields.get('_PID') ?? Number.NaN);
  return {
    unit: sender,
    invocation: fields.get('_SYSTEMD_INVOCATION_ID') ?? null,
    pid: Number.isInteger(pid) ? pid : null,
    kind: 'console',
  };
}

/**
 * What journalctl is asked for: all units of the slice, the user manager, and units that run elsewhere. `_UID` keeps
 * out the guests of other users, whom root and members of systemd-journal can read. A glob (`--user-unit=qemu@*`)
 * would be expanded once, at start, and miss guests that come later.
 */
export function guestMatches(options: { uid: number; slice: string; units: readonly string[] }): string[] {
  const any = [
    `_SYSTEMD_USER_SLICE=${options.slice}`,
    '_SYSTEMD_USER_UNIT=init.scope',
    ...options.units.map((unit) => `_SYSTEMD_USER_UNIT=${unit}`),
  ];
  return any.flatMap((match, index) => [...(index > 0 ? ['+'] : []), `_UID=${options.uid}`, match]);
}
