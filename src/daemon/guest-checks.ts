/** What doctor looks at of one guest, from outside. Nothing is pressed. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { guestSettings } from '../core/config/guest.js';
import type { Config, GuestSettings } from '../core/config/schema.js';
import type { GuestFacts, Look } from '../core/model.js';
import { gapIn } from '../core/watch/armed.js';
import { look } from '../io/look.js';
import { qmpDirectory, runtimeDirectory } from '../io/places.js';
import { readGuestFacts } from '../io/ssh/facts.js';
import { probeSsh } from '../io/ssh/probe.js';
import { type Check, fault, ok, tool, warning } from './check.js';
import { askStatus, controlSocket } from './control.js';
import { checkShares } from './share-checks.js';

/** Checks one guest: QMP, the console, SSH, and over SSH whether it would print its dumps. */
export async function checkGuest(config: Config, vm: string): Promise<Check[]> {
  const settings = guestSettings(config, vm, { qmpDirectory: qmpDirectory() });
  const seen = await look({ qmpSocket: settings.qmpSocket, pid: null }, { timeoutMs: settings.qmp.timeout });
  const consoleCheck = checkConsole(settings, seen.consoleFile ?? null);
  const checks = [checkQmp(settings, seen), ...(await Promise.all([consoleCheck, checkSsh(settings)]))];
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

async function checkConsole({ console, unit }: GuestSettings, consoleFile: string | null): Promise<Check> {
  if (console.kind === 'file') return checkConsoleFile(console.path);
  if (consoleFile !== null) {
    const file = await checkConsoleFile(consoleFile);
    if (file.result === 'ok')
      return ok('console', `in the journal of ${unit}; dumps are read from ${consoleFile}`);
    const fix = 'let this user read it, or the dumps are read from the journal';
    return warning('console', `QEMU writes it to a file as well, but ${file.detail}`, fix);
  }
  const newest = ['--quiet', '--boot', '--lines=1', '--output=cat', `_SYSTEMD_USER_UNIT=${unit}`];
  const said = await tool('journalctl', [...newest, '_TRANSPORT=stdout']);
  if (said !== null && said !== '') return ok('console', `in the journal of ${unit}`);
  return warning(
    'console',
    `${unit} has logged nothing in this boot`,
    'give QEMU -serial mon:stdio and the guest console=ttyS0, or name the unit or a file in its guests entry',
  );
}

async function checkConsoleFile(path: string): Promise<Check> {
  try {
    if (!(await stat(path)).isFile()) return fault('console', `${path} is not a regular file`, null);
    await access(path, constants.R_OK);
    return ok('console', path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fault('console', reason, 'start the guest, or correct console: in its guests entry');
  }
}

async function checkSsh(settings: GuestSettings): Promise<Check[]> {
  const { ssh } = settings;
  if (!ssh.enabled) {
    const fix = 'set ssh.enabled, or ssh in its guests entry';
    return [warning('SSH', 'is off: only blocked tasks accuse this guest', fix)];
  }
  const options = { timeoutMs: ssh.timeout, config: ssh.configFile };
  const probe = await probeSsh(ssh.host, options);
  const said = `${probe.kind}: ${probe.detail}`;
  if (probe.kind === 'host-fault') return [fault('SSH', said, null)];
  if (probe.kind !== 'ok') return [warning('SSH', said, `try: ssh ${ssh.host} true`)];
  const facts = await readGuestFacts(ssh.host, { ...options, timeoutMs: 3 * ssh.timeout });
  return [ok('SSH', `answers after ${probe.tookMs} ms`), ...(await checkSysrq(facts, settings))];
}

/** What its settings allow; and what the daemon has proven with `h`, where it runs. */
async function checkSysrq(facts: GuestFacts, { vm, ssh }: GuestSettings): Promise<Check[]> {
  const gap = gapIn(facts);
  if (gap !== null) return [fault('SysRq', gap.what, gap.fix)];
  if (facts.sysrqMask === null)
    return [warning('SysRq', 'could not be read: no login without a password', `try: ssh ${ssh.host} true`)];
  const proven = await provenBy(vm);
  if (proven?.startsWith('no: ') === true)
    return [fault('SysRq', proven.slice('no: '.length), 'see docs/guests.md: the keyboard and the console')];
  const said = proven === null ? 'its dumps are allowed' : `armed: ${proven}`;
  return [ok('SysRq', `${said}; ${telling(facts)}`)];
}

async function provenBy(vm: string): Promise<string | null> {
  const status = await askStatus(controlSocket(runtimeDirectory())).catch(() => null);
  return status?.guests.find((guest) => guest.vm === vm)?.armed ?? null;
}

function telling({ hungTaskSeconds, symbols }: GuestFacts): string {
  const hung = hungTaskSeconds ?? 0;
  const watches = hung === 0 ? 'hung_task is off' : `hung_task speaks after ${hung} s`;
  if (symbols === null) return `${watches}; its kernel's configuration cannot be read`;
  return `${watches}; locks are ${symbols.includes('LOCKDEP') ? 'told (LOCKDEP)' : 'not told (no LOCKDEP)'}`;
}
