/** Doctor's check of journald's rate limit, which all guests of a user share; a system unit has its own. */
import { lstat, readdir, readlink, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import { LINES_A_TASK, rateLimit, type RateLimitFacts } from '../core/journal/rate-limit.js';
import { seconds } from '../core/words.js';
import { qmpDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import { type Check, ok, tool, warning } from './check.js';
import { knownGuests } from './known-guests.js';

const WHAT = 'journald rate limit';
const UNITS = '/run/systemd/units';
const JOURNAL = '/var/log/journal';
/** Of a large guest. */
const TASKS = 3_000;

/** Says how many tasks one dump may have before journald drops lines of it, and the fix if that is too few. */
export async function checkRateLimit(config: Config): Promise<Check> {
  const isShared = ownScope() === 'user';
  const unit = isShared ? `user@${process.getuid?.() ?? 0}.service` : await aGuestsUnit(config);
  if (unit === null) return ok(WHAT, 'each unit has its own; no guest runs now');
  const [interval, burst, journaldConf, disk] = await Promise.all([
    readlink(join(UNITS, `log-rate-limit-interval:${unit}`)).catch(() => null),
    readlink(join(UNITS, `log-rate-limit-burst:${unit}`)).catch(() => null),
    tool('systemd-analyze', ['cat-config', 'systemd/journald.conf']),
    journalDisk(),
  ]);
  const limit = rateLimit({ unit: { interval, burst }, journaldConf: journaldConf ?? '', disk });
  if (limit.burst === Infinity) return ok(WHAT, 'journald drops nothing');
  const tasks = Math.floor(limit.burst / LINES_A_TASK);
  const allowed = `${unit} may log ${limit.burst} messages in ${seconds(limit.intervalMs)}${isShared ? ', all its guests together' : ''}`;
  const fits = `a dump of ${tasks} tasks (${LINES_A_TASK} lines each)`;
  if (tasks >= TASKS) return ok(WHAT, `${allowed}: ${fits} fits`);
  const installed =
    (await tool('systemctl', ['show', '--property=LogRateLimitBurst', '--value', unit])) ?? '0';
  return warning(
    WHAT,
    `${allowed}: ${fits} fits, a larger one loses lines`,
    Number(installed) > Number(burst ?? 0)
      ? `its drop-in is installed and applies when ${unit} next starts: reboot, or, as root (this stops ${isShared ? 'all its guests' : 'the guest'}): systemctl restart ${unit}`
      : `install systemd/user@.service.d/50-wedgewatch.conf${isShared ? '' : ' as a drop-in of the unit'}, or let QEMU write the console to a file as well: docs/lossless-console.md`,
  );
}

async function aGuestsUnit(config: Config): Promise<string | null> {
  const [vm] = await knownGuests(config);
  return vm === undefined ? null : guestSettings(config, vm, { qmpDirectory: qmpDirectory() }).unit;
}

async function journalDisk(): Promise<RateLimitFacts['disk']> {
  try {
    const { bsize, blocks, bavail } = await statfs(JOURNAL);
    let used = 0;
    for (const name of await readdir(JOURNAL, { recursive: true }))
      if (/\.journal~?$/.test(name)) used += (await lstat(join(JOURNAL, name))).blocks * 512;
    return { size: blocks * bsize, free: bavail * bsize, used };
  } catch {
    return null;
  }
}
