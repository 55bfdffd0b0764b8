import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from '../../src/guest/call.js';
import { unpackPackages, type ProgressOptions } from '../../src/guest/packages.js';

/** What the host has beyond Debian's minimum; its hash names the directory. */
const recipe = {
  version: 1,
  suite: 'trixie',
  packages: [
    'ca-certificates',
    'dbus',
    'dbus-user-session',
    'iproute2',
    'libpam-systemd',
    'libvirt-clients',
    'libvirt-daemon',
    'libvirt-daemon-driver-qemu',
    'nodejs',
    'openssh-client',
    'procps',
    'qemu-system-x86',
    'socat',
    'systemd',
    'systemd-sysv',
    'uidmap',
    'virtiofsd',
  ],
  left: ['doc', 'man', 'locale', 'info'],
  /** Reach out of the machine, or only make its boot longer. */
  masked: [
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'systemd-networkd.service',
    'systemd-resolved.service',
    'systemd-timesyncd.service',
  ],
};

const bootstrapMs = 600_000;
const stepMs = 120_000;

/** The archives that this machine's apt takes Debian from, as lines of sources.list for another release of it. */
async function sources(suite: string, signal: AbortSignal | undefined): Promise<string[]> {
  const format = '$(REPO_URI) $(CODENAME)';
  const ask = [
    'indextargets',
    '--format',
    format,
    'Identifier: Packages',
    'Origin: Debian',
    'Component: main',
  ];
  const text = await call('apt-get', ask, { timeoutMs: stepMs, signal });
  const lines = text
    .split('\n')
    .filter((line) => /^\S+ [a-z]+(?:-updates|-security)?$/.test(line))
    .map((line) => `deb ${line.replace(/ [a-z]+/, ` ${suite}`)} main`);
  if (lines.length === 0) throw new Error(`apt-get indextargets names no archive of Debian:\n${text}`);
  return [...new Set(lines)];
}

/** The newest keyring that this machine's apt knows: one that was installed with it may not know a later release's keys. */
async function keyring(directory: string, options: ProgressOptions): Promise<string> {
  await mkdir(directory);
  await unpackPackages(['debian-archive-keyring'], directory, options);
  const names = ['pgp', 'gpg'].map((ending) =>
    join(directory, `usr/share/keyrings/debian-archive-keyring.${ending}`),
  );
  const found = names.find((name) => existsSync(name));
  if (found === undefined) throw new Error(`debian-archive-keyring has none of ${names.join(', ')}.`);
  return found;
}

async function bootstrap(partial: string, options: ProgressOptions): Promise<string> {
  const { signal } = options;
  options.log(`Installing a Debian ${recipe.suite} for the test world`);
  const root = join(partial, 'root');
  const words = [
    '--quiet',
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--keyring=${await keyring(join(partial, 'keyring'), options)}`,
    `--include=${recipe.packages.join(',')}`,
    '--dpkgopt=force-unsafe-io',
    ...recipe.left.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  ];
  await call('mmdebstrap', [...words, recipe.suite, root, ...(await sources(recipe.suite, signal))], {
    timeoutMs: bootstrapMs,
    signal,
  });
  await call('systemctl', [`--root=${root}`, 'mask', ...recipe.masked], { timeoutMs: stepMs, signal });
  return root;
}

/**
 * The root directory of a Debian 13 in the cache directory: made at its first use, as root, from the archives that apt
 * knows, in about a minute, and used again after that.
 * @throws CallError with the output of what failed
 */
export async function buildHost(cache: string, options: ProgressOptions): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const target = join(cache, `host-${recipe.suite}-${hash}`);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(join(cache, '.partial-'));
  try {
    await chmod(partial, 0o755); // apt's own user reads the keyring there
    await rename(await bootstrap(partial, options), target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}
