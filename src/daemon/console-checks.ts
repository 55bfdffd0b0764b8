/**
 * Whether a guest's console is read. Two readers are compared: journalctl's own choice of the unit's lines, as JSON, and
 * the running daemon, or the daemon's reader if none runs. If they differ, the watchdog is blind although the lines exist.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config, GuestSettings } from '../core/config/schema.js';
import { SCOPES, systemctl } from '../core/scope.js';
import { counted } from '../core/words.js';
import { newestLine } from '../io/journal-newest.js';
import { runtimeDirectory } from '../io/paths.js';
import { ownRouter } from '../io/own-journal.js';
import { ownScope } from '../io/scope.js';
import { type Check, fault, ok, tool, warning } from './check.js';
import { GIVE_CONSOLE } from './console-reading.js';
import { askStatus, controlSocket, type DaemonStatus } from './control.js';

/** From journald to the daemon, on a busy host. */
const ON_ITS_WAY_MS = 3_000;

/** `consoleFile`: the file that QEMU writes the console to, beside its standard output. */
export async function checkConsole(
  config: Config,
  settings: GuestSettings,
  consoleFile: string | null,
): Promise<Check> {
  const { console, unit } = settings;
  if (console.kind === 'file') return checkFile(console.path);
  const check = await checkJournal(config, settings);
  if (check.result !== 'ok' || consoleFile === null) return check;
  const file = await checkFile(consoleFile);
  if (file.result === 'ok')
    return ok('console', `in the journal of ${unit}; dumps are read from ${consoleFile}`);
  const fix = 'let this user read it; until then, dumps are read from the journal';
  return warning('console', `QEMU writes it to a file as well, but ${file.detail}`, fix);
}

async function checkJournal(config: Config, settings: GuestSettings): Promise<Check> {
  const { unit, vm } = settings;
  const held = await newestHeld(unit);
  if (held === 'none')
    return fault('console', `blind: ${unit} has logged nothing in this boot`, GIVE_CONSOLE);
  if (held === 'unknown')
    return warning('console', `journalctl does not say what ${unit} logged`, `try: ${logOf(unit)}`);
  const daemon = await guestOfDaemon(vm);
  return daemon === null ? checkReader(config, settings) : checkDaemon(unit, vm, held);
}

type DaemonGuest = DaemonStatus['guests'][number];

async function guestOfDaemon(vm: string): Promise<DaemonGuest | null> {
  const status = await askStatus(controlSocket(runtimeDirectory())).catch(() => null);
  return status?.guests.find((guest) => guest.vm === vm) ?? null;
}

/** The command that shows the lines of a unit. */
const logOf = (unit: string): string => `journalctl ${SCOPES[ownScope()].unitOption}=${unit}`;

/** When journalctl says that the newest line of the unit was logged, in milliseconds since 1970. */
async function newestHeld(unit: string): Promise<number | 'none' | 'unknown'> {
  const choice = [
    '--quiet',
    '--boot',
    '--lines=1',
    '--output=json',
    `${SCOPES[ownScope()].unitOption}=${unit}`,
  ];
  const said = await tool('journalctl', [...choice, '--output-fields=_TRANSPORT', '_TRANSPORT=stdout']);
  if (said === null) return 'unknown';
  if (said.trim() === '') return 'none';
  try {
    const { __REALTIME_TIMESTAMP: us } = JSON.parse(said) as Record<string, unknown>;
    return typeof us === 'string' && /^\d+$/.test(us) ? Number(us) / 1_000 : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Compares what the running daemon has read with what the journal holds. */
async function checkDaemon(unit: string, vm: string, held: number): Promise<Check> {
  // A line that was just logged may be on its way.
  for (let waited = 0; waited <= ON_ITS_WAY_MS; waited += 500) {
    const newest = (await guestOfDaemon(vm))?.read.newestMs ?? null;
    if (newest !== null && newest >= Math.floor(held)) break;
    await delay(500);
  }
  const guest = await guestOfDaemon(vm);
  return compareRead(unit, held, guest?.read ?? { rows: 0, newestMs: null });
}

/** `held`: when the journal's newest line of the unit was logged; `newestMs`: the newest that the daemon has read. */
export function compareRead(unit: string, held: number, { rows, newestMs }: DaemonGuest['read']): Check {
  if (newestMs !== null && newestMs >= Math.floor(held))
    return ok('console', `in the journal of ${unit}; the daemon has read ${counted(rows, 'line')} of it`);
  const behind = newestMs === null ? 'none of them' : `none after ${new Date(newestMs).toISOString()}`;
  return fault(
    'console',
    `blind: the journal holds lines of ${unit} up to ${new Date(held).toISOString()}, and the daemon has read ${behind}`,
    `${systemctl(ownScope(), 'restart wedgewatch')}; if that does not help, report it with: ${logOf(unit)} --lines=3 --output=export`,
  );
}

/** Without a daemon: its own reader finds the line, or does not. */
async function checkReader(config: Config, { unit, vm }: GuestSettings): Promise<Check> {
  const { entry, problem } = await newestLine({ unit });
  if (problem !== null) return fault('console', `blind: ${problem}`, null);
  const route = entry === null ? null : ownRouter(config)(entry);
  if (route?.vm === vm) return ok('console', `in the journal of ${unit}`);
  const finds = entry === null ? 'does not find them' : `assigns them to ${route?.vm ?? 'no guest'}`;
  return fault(
    'console',
    `blind: the journal holds lines of ${unit}, and wedgewatch ${finds}`,
    `check that the unit is ${ownScope() === 'user' ? "the user's own" : "the system's"}, and that discover.unit or guests names it; see: ${logOf(unit)} --lines=3 --output=export`,
  );
}

async function checkFile(path: string): Promise<Check> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return fault('console', `${path} is not a regular file`, null);
    await access(path, constants.R_OK);
    if (found.size === 0) return fault('console', `blind: ${path} is empty`, GIVE_CONSOLE);
    return ok('console', path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fault('console', reason, 'start the guest, or correct console: in its guests entry');
  }
}
