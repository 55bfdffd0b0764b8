/** Doctor's checks of the host. */
import { join } from 'node:path';
import type { Config } from '../core/config/schema.js';
import { systemctl } from '../core/scope.js';
import { counted } from '../core/words.js';
import { makeIncidentsDirectory } from '../io/archive/directory.js';
import { followJournal } from '../io/journal.js';
import { ownMatches } from '../io/own-journal.js';
import { archiveRoot, qmpDirectory, runtimeDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import type { SourceStatus } from '../io/source-status.js';
import { type Check, fault, ok, tool, warning } from './check.js';
import { askStatus, controlSocket } from './control.js';
import { checkPending } from './pending-check.js';
import { checkRateLimit } from './rate-limit-check.js';

const JOURNAL_MS = 6_000;

/** Checks that do not depend on one guest; `vms` are those that are known. */
export async function checkHost(config: Config, vms: readonly string[]): Promise<Check[]> {
  const checks = await Promise.all([
    checkArchive(config),
    checkPending(runtimeDirectory()),
    checkJournal(config),
    checkDaemon(),
    ...(ownScope() === 'user' ? [checkLinger()] : []),
    checkRateLimit(config),
  ]);
  return [...checks, checkGuests(config, vms)];
}

/** Whether there are guests at all, and where one is looked for. */
export function checkGuests({ discover }: Pick<Config, 'discover'>, vms: readonly string[]): Check {
  if (vms.length > 0) return ok('guests', vms.join(', '));
  const socket = join(discover.directory ?? qmpDirectory(), 'VM', 'qmp.sock');
  const looked = [
    ...(discover.enabled ? [`no ${socket}`] : []),
    ...(discover.processes ? ['no QEMU with QMP among the processes of this user'] : []),
    'none in the configuration',
  ];
  const others = discover.processes
    ? ''
    : ', or find guests by their processes with discover: {processes: true}';
  const fix = `start QEMU with -qmp unix:${socket},server=on,wait=off${others}; see docs/README.md, "My guest is not seen"`;
  return warning('guests', `none seen: ${looked.join(', ')}`, fix);
}

async function checkArchive(config: Config): Promise<Check> {
  try {
    return ok('archive', await makeIncidentsDirectory(archiveRoot(config)));
  } catch (error) {
    return fault('archive', error instanceof Error ? error.message : String(error), null);
  }
}

/** Follows the journal as the daemon does, until it either works or fails. */
async function checkJournal(config: Config): Promise<Check> {
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), JOURNAL_MS);
  let read = 0;
  let last: SourceStatus = { state: 'catching-up', detail: 'still being read after 6 s' };
  await followJournal({
    matches: ownMatches(),
    position: null,
    onEntries: (entries) => void (read += entries.length),
    onStatus: (status) => {
      last = status;
      if (status.state !== 'catching-up') done.abort();
    },
    signal: done.signal,
  });
  clearTimeout(timer);
  if (last.state === 'down') {
    const needed = config.discover.enabled || config.guests.some(({ console }) => console === 'journal');
    if (needed) return fault('journal', last.detail, null);
    return warning('journal', last.detail, 'no fix is needed if all consoles are files');
  }
  return ok(
    'journal',
    last.state === 'live' ? `readable: ${counted(read, 'line')} in the last 15 min` : last.detail,
  );
}

async function checkDaemon(): Promise<Check> {
  try {
    const { pid, blind } = await askStatus(controlSocket(runtimeDirectory()));
    if (blind !== null)
      return fault('daemon', `running, pid ${pid}, but cannot read the journal: ${blind}`, null);
    return ok('daemon', `running, pid ${pid}`);
  } catch {
    return warning('daemon', 'not running', systemctl(ownScope(), 'enable --now wedgewatch'));
  }
}

async function checkLinger(): Promise<Check> {
  const uid = String(process.getuid?.() ?? 0);
  const said = await tool('loginctl', ['show-user', uid, '--property=Linger', '--value']);
  if (said === 'yes') return ok('linger', 'user units outlive the login');
  if (said === null)
    return warning(
      'linger',
      'logind does not answer',
      'run under systemd, or start `wedgewatch run` yourself',
    );
  return warning(
    'linger',
    'user units, guests and watchdog, end with the last login',
    'loginctl enable-linger',
  );
}
