/**
 * Records what journalctl prints of guests' consoles, as wedgewatch asks it to, on the systemd of a Debian: boots that
 * Debian in a container, with units of a user that print what guests print, and writes test/golden/journal/SUITE.export.
 * Needs root, `npm run build` and the packages mmdebstrap and systemd-container; takes two minutes a suite.
 *   node test/golden/record-journal.mjs SUITE…         such as bookworm trixie sid
 */
/* global URL */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { guestMatches } from '../../dist/core/journal/route.js';
import { journalctlArguments } from '../../dist/io/journal-process.js';

const UID = 1990;
const STEP_MS = 600_000;
const GUESTS = ['vm-0a1b2c3d', 'vm-11223344'];

/** What a guest prints: golden.test.ts has the rows that journald makes of it. */
const CONSOLE = String.raw`#!/bin/sh
sleep 2
printf '[    0.000000] Linux version 6.12.43 of %s\n' "$1"
sleep 1 # journald looks up the unit of a process at its first line, and finds none where it has ended
printf '\033[0;32m  OK  \033[0m] Started \033[0;1;39mjob\033[0m.\r\n'
printf '\033M\r\033[K[ ***  ] (1 of 2) A start job is running\n'
printf 'bad \377\376 bytes\n'
printf 'tab\tand \303\274\n'
printf 'cut behind   \r\n\n'
printf 'before\0after\n'
printf 'MESSAGE=forged\n__CURSOR=forged\n_BOOT_ID=forged\n'
printf 'localhost login: '
`;

const TEMPLATE = `[Service]
Type=simple
Slice=machine.slice
SyslogIdentifier=qemu-system@%i
ExecStart=/console %i
ExecStartPost=-/bin/sh -c 'echo registered; sleep 1'
`;

const systemctl = `runuser -u dev -- env XDG_RUNTIME_DIR=/run/user/${UID} systemctl --user`;

/** Runs in the container: guests and a unit that is none, one after the other; then what the journal has of them. */
function recorder() {
  const args = journalctlArguments([], guestMatches('user', UID), { sinceMs: 0 });
  const past = args.filter((arg) => arg !== '--follow' && arg !== '--no-tail');
  const units = [...GUESTS.map((vm) => `qemu-system@${vm}.service`), 'other.service'];
  return `#!/bin/sh
exec 2>/recorder.log
set -ex
for unit in ${units.join(' ')}; do
  ${systemctl} start $unit
  while ${systemctl} is-active --quiet $unit; do sleep 0.1; done
done
journalctl --sync
runuser -u dev -- journalctl ${past.map((arg) => `'${arg}'`).join(' ')} >/recorded
`;
}

const RECORD = `[Unit]
DefaultDependencies=no
Requires=basic.target systemd-logind.service user@${UID}.service
After=basic.target systemd-logind.service user@${UID}.service
[Service]
Type=oneshot
ExecStart=-/recorder
ExecStart=systemctl poweroff --force
`;

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: STEP_MS,
    ...options,
  });

function bootstrap(suite, root) {
  const format = ['indextargets', '--format', '$(REPO_URI)', 'Identifier: Packages', 'Origin: Debian'];
  const [mirror] = execFileSync('apt-get', format, { encoding: 'utf8' }).split('\n');
  const packages = 'systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,passwd';
  // A mirror that stands still has a sid that has expired.
  const old = '--aptopt=Acquire::Check-Valid-Until "false"';
  const options = ['--quiet', '--variant=minbase', old, '--dpkgopt=force-unsafe-io', `--include=${packages}`];
  run('mmdebstrap', [...options, suite, root, `deb ${mirror} ${suite} main`]);
}

function furnish(root) {
  const write = (path, text, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
    chmodSync(join(root, path), mode);
  };
  run('chroot', [root, 'useradd', '--create-home', `--uid=${UID}`, 'dev']);
  mkdirSync(join(root, 'var/log/journal'), { recursive: true });
  write('console', CONSOLE, 0o755);
  write('recorder', recorder(), 0o755);
  write('etc/systemd/system/record.service', RECORD);
  write('etc/systemd/user/qemu-system@.service', TEMPLATE);
  write(
    'etc/systemd/user/other.service',
    '[Service]\nSlice=machine.slice\nExecStart=/bin/sh -c "echo not a guest; sleep 1"\n',
  );
  // The second guest is in the slice that a template has by itself.
  const dropIn = `etc/systemd/user/qemu-system@${GUESTS[1]}.service.d/slice.conf`;
  write(dropIn, '[Service]\nSlice=app-qemu\\x2dsystem.slice\n');
}

/** Control groups for the container where the host is not run by systemd, which would make them. */
function controlGroups(name) {
  if (existsSync('/run/systemd/system')) return [];
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts
    .map((line) => line.split(' '))
    .filter(([, , type, options]) => type === 'cgroup2' || options?.split(',').includes('name=systemd'))
    .map(([, path]) => join(path, name));
}

function boot(root, name) {
  const groups = controlGroups(name);
  for (const group of groups) mkdirSync(group);
  const enter = groups.map((group) => `echo $$ >${group}/cgroup.procs; `).join('');
  const nspawn = ['--boot', '--quiet', '--private-network', '--register=no', `--directory=${root}`];
  if (groups.length > 0) nspawn.push('--keep-unit');
  const args = [...nspawn, `--machine=${name}`, 'systemd.firstboot=no', 'systemd.unit=record.service'];
  run('sh', ['-c', `${enter}exec systemd-nspawn "$@"`, 'sh', ...args], {
    env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
  });
  for (const group of groups) run('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
}

for (const suite of process.argv.slice(2)) {
  const directory = mkdtempSync(join(tmpdir(), 'wedgewatch-journal-'));
  const root = join(directory, 'root');
  try {
    bootstrap(suite, root);
    furnish(root);
    boot(root, `record-${suite}-${process.pid}`);
    const target = new URL(`journal/${suite}.export`, import.meta.url).pathname;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, 'recorded'), target);
    const version = execFileSync('chroot', [root, 'journalctl', '--version'], { encoding: 'utf8' });
    process.stdout.write(`${target}: ${version.split('\n')[0]}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
