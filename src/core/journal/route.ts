/** Whose line a journal entry is. Field names: systemd.journal-fields(7). */
import { guestForUnit } from '../config/guest-settings.js';
import type { Config } from '../config/schema.js';
import type { JournalEntry } from './export-format.js';

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

/** Whose an entry is, and what it is to that guest. */
interface GuestRoute extends Route {
  vm: string;
}

/**
 * Says of each entry which guest's console row it is, or of which guest's unit the manager speaks; null for all else:
 * other units of the user and, where `bootId` is given, other boots of the host, whose clocks do not compare and
 * whose guests are dead. Everyone who reads the journal asks here, so that all see the same guests.
 */
export function guestRouter(
  config: Config,
  bootId: string | null,
): (entry: JournalEntry) => GuestRoute | null {
  // Rows of one process share their fields: those of a unit that is no guest's and talks much are judged once.
  const answers = new WeakMap<JournalEntry['fields'], GuestRoute | null>();
  return (entry) => {
    if (bootId !== null && entry.bootId !== bootId) return null;
    const known = answers.get(entry.fields);
    if (known !== undefined) return known;
    const route = routeOf(entry);
    const vm = route && guestForUnit(config, route.unit);
    const answer = route === null || vm === null ? null : { ...route, vm };
    answers.set(entry.fields, answer);
    return answer;
  };
}

/**
 * What journalctl is asked for: what the user's units print, whatever their slice, and the user manager; which units
 * are guests' says `guestRouter`. A glob (`--user-unit=qemu@*`) would be expanded once, at start, and miss guests that
 * come later. `_UID` keeps out the guests of other users, whom root and members of systemd-journal can read.
 */
export function guestMatches(uid: number): string[] {
  return [`_UID=${uid}`, '_TRANSPORT=stdout', '+', `_UID=${uid}`, '_SYSTEMD_USER_UNIT=init.scope'];
}
