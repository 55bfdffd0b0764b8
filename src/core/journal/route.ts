/** Whose line a journal entry is. Field names: systemd.journal-fields(7). */
import { guestForUnit } from '../config/guest-settings.js';
import type { Config } from '../config/schema.js';
import { type Scope, SCOPES } from '../scope.js';
import type { JournalEntry } from './export-format.js';

/** The fields that routing needs, as `--output-fields` takes them; cursor, times and boot id come unasked. */
export function routedFields(scope: Scope): string {
  const { unit, aboutUnit, aboutInvocation } = SCOPES[scope];
  return ['MESSAGE', unit, '_SYSTEMD_INVOCATION_ID', '_PID', '_TRANSPORT', aboutUnit, aboutInvocation].join();
}

interface Route {
  unit: string;
  /** New for each start of the unit; null where the entry has none. */
  invocation: string | null;
  /** The process that wrote; null for the manager, which writes about the unit. */
  pid: number | null;
  /** `console`: the guest's serial line, or QEMU itself. `manager`: systemd about the unit. */
  kind: 'console' | 'manager';
}

/** Null for entries that are neither a unit's output nor its manager's words about a unit. */
export function routeOf(entry: JournalEntry, scope: Scope): Route | null {
  const { fields } = entry;
  const names = SCOPES[scope];
  const sender = fields.get(names.unit);
  if (sender === undefined) return null;
  if (sender === 'init.scope') {
    const unit = fields.get(names.aboutUnit);
    if (unit === undefined) return null;
    return { unit, invocation: fields.get(names.aboutInvocation) ?? null, pid: null, kind: 'manager' };
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
 * other units and, where `bootId` is given, other boots of the host, whose clocks do not compare and
 * whose guests are dead. Everyone who reads the journal asks here, so that all see the same guests.
 */
export function guestRouter(
  config: Config,
  bootId: string | null,
  scope: Scope,
): (entry: JournalEntry) => GuestRoute | null {
  // Rows of one process share their fields: those of a unit that is no guest's and talks much are judged once.
  const answers = new WeakMap<JournalEntry['fields'], GuestRoute | null>();
  return (entry) => {
    if (bootId !== null && entry.bootId !== bootId) return null;
    const known = answers.get(entry.fields);
    if (known !== undefined) return known;
    const route = routeOf(entry, scope);
    const vm = route && guestForUnit(config, route.unit);
    const answer = route === null || vm === null ? null : { ...route, vm };
    answers.set(entry.fields, answer);
    return answer;
  };
}

/**
 * What journalctl is asked for: what the units print, whatever their slice, and their manager; which units are guests'
 * says `guestRouter`. A glob (`--user-unit=qemu@*`) would be expanded once, at start, and miss guests that come later.
 * `_UID` keeps out the guests of other users, whom root and members of systemd-journal can read; a system unit may run
 * QEMU as any user.
 */
export function guestMatches(scope: Scope, uid: number): string[] {
  const { unit } = SCOPES[scope];
  const own = ofUser(scope, uid);
  return [...own, '_TRANSPORT=stdout', '+', ...own, `${unit}=init.scope`];
}

/** What selects the entries of one unit. */
export const unitMatches = (scope: Scope, uid: number, unit: string): string[] => [
  ...ofUser(scope, uid),
  `${SCOPES[scope].unit}=${unit}`,
];

const ofUser = (scope: Scope, uid: number): string[] => (scope === 'user' ? [`_UID=${uid}`] : []);
