/** What doctor looks at: first the host, then each guest from outside. Nothing is pressed. */
import { execa } from 'execa';
import { guestSettings } from '../core/config/guest.js';
import type { Config } from '../core/config/schema.js';
import { guestMatches } from '../core/journal/route.js';
import { makeIncidentsDirectory } from '../io/archive/directory.js';
import { followJournal } from '../io/journal.js';
import { look } from '../io/look.js';
import { archiveRoot, qmpDirectory, runtimeDirectory } from '../io/places.js';
import { probeSsh } from '../io/ssh/probe.js';
import type { SourceStatus } from '../io/source-status.js';
import { askStatus, controlSocket } from './control.js';

export interface Check {
  what: string;
  result: 'ok' | 'warning' | 'fault';
  detail: string;
  fix: string | null;
}

const JOURNAL_MS = 6_000;
const TOOL_MS = 5_000;
/** Lines that one large dump prints at once: 3,000 tasks of 16 lines. */
const DUMP_BURST = 50_000;

const ok = (what: string, detail: string): Check => ({ what, result: 'ok', detail, fix: null });
const warning = (what: string, detail: string, fix: string): Check => ({
  what,
  result: 'warning',
  detail,
  fix,
});
const fault = (what: string, detail: string, fix: string | null): Check => ({
  what,
  result: 'fault',
  detail,
  fix,
});

/** Checks that do not depend on a guest. */
export async function checkHost(config: Config): Promise<Check[]> {
  return Promise.all([
    checkArchive(config),
    checkJournal(config),
    checkDaemon(),
    checkLinger(),
    checkRateLimit(),
  ]);
}

async function checkArchive(config: Config): Promise<Check> {
  try {
    return ok('archive', await makeIncidentsDirectory(archiveRoot(config)));
  } catch (error) {
    return fault('archive', error instanceof Error ? error.message : String(error), null);
  }
}

/** Follows the journal just as the daemon does, until it is known to work or not. */
async function checkJournal(config: Config): Promise<Check> {
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), JOURNAL_MS);
  let last: SourceStatus = { state: 'catching-up', detail: 'it was still being read after 6 s' };
  await followJournal({
    matches: guestMatches({ uid: process.getuid?.() ?? 0, slice: config.journal.slice, units: [] }),
    position: null,
    onEntries: () => undefined,
    onStatus: (status) => {
      last = status;
      if (status.state !== 'catching-up') done.abort();
    },
    signal: done.signal,
  });
  clearTimeout(timer);
  if (last.state === 'down') return fault('journal', last.detail, null);
  return ok('journal', last.state === 'live' ? 'is read' : last.detail);
}

async function checkDaemon(): Promise<Check> {
  try {
    const { pid, blind } = await askStatus(controlSocket(runtimeDirectory()));
    if (blind !== null)
      return fault('daemon', `pid ${pid} runs, but cannot read the journal: ${blind}`, null);
    return ok('daemon', `runs, pid ${pid}`);
  } catch {
    return warning('daemon', 'does not run', 'systemctl --user enable --now wedgewatch');
  }
}

async function tool(file: string, args: string[]): Promise<string | null> {
  const { stdout, failed } = await execa(file, args, { timeout: TOOL_MS, reject: false });
  return failed ? null : stdout;
}

async function checkLinger(): Promise<Check> {
  const uid = String(process.getuid?.() ?? 0);
  const said = await tool('loginctl', ['show-user', uid, '--property=Linger', '--value']);
  if (said === 'yes') return ok('linger', 'user units outlive the login');
  if (said === null)
    return warning('linger', 'logind cannot be asked', 'run under systemd, or start wedgewatch run yourself');
  return warning(
    'linger',
    'user units, guests and watchdog, end with the last login',
    'loginctl enable-linger',
  );
}

/** journald's limit is one bucket of user@UID.service for all guests of a user; a dump that exceeds it loses lines. */
async function checkRateLimit(): Promise<Check> {
  const unit = `user@${process.getuid?.() ?? 0}.service`;
  const said = await tool('systemctl', [
    'show',
    unit,
    '--property=LogRateLimitIntervalUSec,LogRateLimitBurst',
  ]);
  const fix = 'install systemd/user@.service.d/50-wedgewatch.conf, as the README says';
  const burst = Number(/LogRateLimitBurst=(\d+)/.exec(said ?? '')?.[1] ?? 0);
  const interval = /LogRateLimitIntervalUSec=(\S+)/.exec(said ?? '')?.[1] ?? '0';
  if (burst >= DUMP_BURST)
    return ok('journald rate limit', `${unit} may log ${burst} messages in ${interval}`);
  return warning(
    'journald rate limit',
    `${unit} is under journald's default: a dump of many tasks loses lines`,
    fix,
  );
}

/** Checks of one guest, from outside. */
export async function checkGuest(config: Config, vm: string): Promise<Check[]> {
  const settings = guestSettings(config, vm, { qmpDirectory: qmpDirectory() });
  const { ssh, qmp, qmpSocket } = settings;
  const seen = await look({ qmpSocket, pid: null }, { timeoutMs: qmp.timeout });
  const checks = [
    seen.qmp.ok
      ? ok(`${vm}: QMP`, `run state ${seen.qmp.runState}, ${qmpSocket}`)
      : fault(`${vm}: QMP`, seen.qmp.detail, null),
  ];
  if (!ssh.enabled)
    return [
      ...checks,
      warning(
        `${vm}: SSH`,
        'is off: only blocked tasks accuse this guest',
        'set ssh.enabled, or ssh in its guests entry',
      ),
    ];
  const probe = await probeSsh(ssh.host, { timeoutMs: ssh.timeout, config: ssh.configFile });
  if (probe.kind === 'ok') return [...checks, ok(`${vm}: SSH`, `answers after ${probe.tookMs} ms`)];
  const said = `${probe.kind}: ${probe.detail}`;
  if (probe.kind === 'host-fault') return [...checks, fault(`${vm}: SSH`, said, null)];
  return [...checks, warning(`${vm}: SSH`, said, `try: ssh ${ssh.host} true`)];
}
