/** Doctor's checks of one guest, from outside. They press nothing. */
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config, GuestSettings } from '../core/config/schema.js';
import type { GuestFacts, Look } from '../core/model.js';
import { LET_SSH_KNOW, wayText } from '../core/ssh/ssh-config.js';
import { gapIn } from '../core/watch/slices/armed.js';
import type { GuestStatus } from '../core/watch/status.js';
import { look } from '../io/look.js';
import { qmpDirectory, runtimeDirectory } from '../io/paths.js';
import { identify } from '../io/qemu-process.js';
import { readGuestFacts } from '../io/ssh/read-facts.js';
import { probeSsh } from '../io/ssh/probe.js';
import { type Check, fault, ok, warning } from './check.js';
import { checkConsole } from './console-checks.js';
import { askStatus, controlSocket } from './control.js';
import { checkMemory } from './memory-checks.js';
import { checkShares } from './share-checks.js';

/** Checks one guest: QMP, the console, SSH, and over SSH whether it would print its dumps. */
export async function checkGuest(config: Config, vm: string): Promise<Check[]> {
  const settings = guestSettings(config, vm, { qmpDirectory: qmpDirectory() });
  const seen = await look({ qmpSocket: settings.qmpSocket, pid: null }, { timeoutMs: settings.qmp.timeout });
  const consoleCheck = checkConsole(config, settings, seen.consoleFile ?? null);
  const others = Promise.all([consoleCheck, checkSsh(settings)]);
  // By itself, after the others: it asks QMP too, which serves one at a time.
  const checks = [checkQmp(settings, seen), ...(await others), await checkMemory(settings)];
  return [...checks.flat(), ...checkShares(seen)].map((check) => ({
    ...check,
    what: `${vm}: ${check.what}`,
  }));
}

function checkQmp({ qmpSocket }: GuestSettings, seen: Look): Check {
  return seen.qmp.ok
    ? ok('QMP', `run state ${seen.qmp.runState}, ${qmpSocket}`)
    : fault('QMP', seen.qmp.detail, null);
}

async function checkSsh(settings: GuestSettings): Promise<Check[]> {
  const { ssh } = settings;
  if (!ssh.enabled) {
    const fix = 'set ssh.enabled, or ssh: in its guests entry';
    return [warning('SSH', 'is off: only blocked tasks accuse this guest', fix)];
  }
  const wayIn = await identify({ qmpSocket: settings.qmpSocket, pid: null });
  const byName = settings.hostIsName === true ? { byName: { wayIn } } : {};
  const options = { timeoutMs: ssh.timeout, config: ssh.configFile, ...byName };
  const probe = await probeSsh(ssh.host, options);
  const said = `${probe.kind}: ${probe.detail}`;
  if (probe.kind === 'host-fault') return [fault('SSH', said, null)];
  if (probe.way !== undefined) {
    const { kind, detail, tookMs, way } = probe;
    const answer = kind === 'ok' ? `answers after ${tookMs} ms` : `${kind}: ${detail}`;
    return [warning('SSH', `${answer}, ${wayText(way, ssh.host)}`, LET_SSH_KNOW)];
  }
  if (probe.kind !== 'ok') return [warning('SSH', said, `try: ssh ${ssh.host} true`)];
  const facts = await readGuestFacts(ssh.host, { ...options, timeoutMs: 3 * ssh.timeout });
  return [ok('SSH', `answers after ${probe.tookMs} ms`), ...(await checkSysrq(facts, settings))];
}

/** What its settings allow; and what a running daemon has proven with `h`. */
async function checkSysrq(facts: GuestFacts, { vm, ssh }: GuestSettings): Promise<Check[]> {
  const gap = gapIn(facts);
  if (gap !== null) return [fault('SysRq', gap.what, gap.fix)];
  if (facts.sysrqMask === null)
    return [warning('SysRq', 'could not be read: no login without a password', `try: ssh ${ssh.host} true`)];
  const proven = await provenBy(vm);
  if (proven?.isArmed === false)
    return [fault('SysRq', proven.armedGap ?? '', 'see docs/guests.md: the keyboard and the console')];
  const said = proven?.isArmed === true ? `armed: ${proven.armed ?? ''}` : 'its dumps are allowed';
  return [ok('SysRq', `${said}; ${telling(facts)}`)];
}

async function provenBy(vm: string): Promise<GuestStatus | null> {
  const status = await askStatus(controlSocket(runtimeDirectory())).catch(() => null);
  return status?.guests.find((guest) => guest.vm === vm) ?? null;
}

function telling({ hungTaskSeconds, symbols }: GuestFacts): string {
  const hung = hungTaskSeconds ?? 0;
  const watches = hung === 0 ? 'hung_task is off' : `hung_task reports after ${hung} s`;
  if (symbols === null) return `${watches}; its kernel configuration cannot be read`;
  return `${watches}; dumps show ${symbols.includes('LOCKDEP') ? 'held locks (LOCKDEP)' : 'no locks (no LOCKDEP)'}`;
}
