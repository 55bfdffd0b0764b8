import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { call } from '../../src/guest/call.js';
import type { ProgressOptions } from '../../src/guest/packages.js';

/** A Debian with a kernel and a systemd of its own, to be booted without an initrd. */
export interface DebianImage {
  directory: string;
  kernel: string;
  /** An ext4 with its root, to be used as a snapshot. */
  root: string;
  /** Private key that root of the guest accepts. */
  sshKey: string;
}

/** The files of an image in its directory. */
export const debianIn = (directory: string): DebianImage => ({
  directory,
  kernel: join(directory, 'vmlinuz'),
  root: join(directory, 'root.ext4'),
  sshKey: join(directory, 'id_ed25519'),
});

/** What it has beyond Debian's minimum; its hash names the image, together with the files of test/world/debian. */
const recipe = {
  version: 1,
  packages: ['systemd-sysv', 'udev', 'kmod', 'dropbear-bin', 'linux-image-cloud-amd64'],
  left: ['doc', 'man', 'locale', 'info'],
  password: 'wedge',
  /** Would only make the boot longer, which is emulated. */
  masked: [
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'e2scrub_reap.service',
    'fstrim.timer',
    'getty-static.service',
    'systemd-random-seed.service',
    'systemd-update-utmp.service',
  ],
  size: '700M',
};

const files = join(import.meta.dirname, 'debian');
const bootstrapMs = 600_000;
const stepMs = 120_000;

async function recipeHash(units: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (const name of units) hash.update(name).update(await readFile(join(files, name)));
  return hash.digest('hex').slice(0, 12);
}

/** The archives that this host's apt takes Debian from, as lines of sources.list. */
async function sources(signal: AbortSignal | undefined): Promise<string[]> {
  const format = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)';
  const ask = ['indextargets', '--format', format, 'Identifier: Packages', 'Origin: Debian'];
  const text = await call('apt-get', ask, { timeoutMs: stepMs, signal });
  return [...new Set(text.split('\n').filter((line) => line !== ''))];
}

/** Debian's minimum and our packages, installed as on any machine. */
async function bootstrap(root: string, { log, signal }: ProgressOptions): Promise<void> {
  const release = await readFile('/etc/os-release', 'utf8');
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? 'stable';
  log(`Installing a Debian ${suite} for the guests`);
  const options = [
    '--quiet',
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--include=${recipe.packages.join(',')}`,
    '--dpkgopt=force-unsafe-io',
    ...recipe.left.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  ];
  await call('mmdebstrap', [...options, suite, root, ...(await sources(signal))], {
    timeoutMs: bootstrapMs,
    signal,
  });
}

/** Our units, switched on; a password, which systemd asks for in an emergency; a way in by SSH. */
async function settle(root: string, image: string, units: readonly string[], signal?: AbortSignal) {
  const options = { timeoutMs: stepMs, signal };
  await cp(files, root, { recursive: true });
  const names = units.map((name) => basename(name)).filter((name) => /\.(?:service|mount)$/.test(name));
  await call('systemctl', [`--root=${root}`, 'enable', 'systemd-networkd', ...names], options);
  await call('systemctl', [`--root=${root}`, 'mask', ...recipe.masked], options);
  // Newer than /usr, so that no boot updates its hardware database and caches (systemd-update-done.service).
  for (const name of ['etc', 'var']) await writeFile(join(root, name, '.updated'), '');
  const setPassword = `echo "root:${recipe.password}" | chpasswd`;
  await call('chroot', [root, 'sh', '-c', setPassword], options);
  const key = join(image, 'id_ed25519');
  await call('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'wedgewatch-world', '-f', key], options);
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
  await copyFile(`${key}.pub`, join(root, 'root/.ssh/authorized_keys'));
  await mkdir(join(root, 'etc/dropbear'), { recursive: true });
  await writeFile(join(root, 'etc/hostname'), 'debian\n');
}

async function pack(root: string, image: DebianImage, signal?: AbortSignal): Promise<void> {
  const boot = join(root, 'boot');
  const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) throw new Error(`The kernel package left no kernel in ${boot}.`);
  await rename(join(boot, kernel), image.kernel);
  await call('mke2fs', ['-q', '-t', 'ext4', '-d', root, image.root, recipe.size], {
    timeoutMs: stepMs,
    signal,
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
}

/**
 * The image in the cache directory: made at its first use, as root, from the archives that apt knows, in one to
 * three minutes, and used again after that.
 * @throws CallError with the output of what failed
 */
export async function buildDebian(cache: string, options: ProgressOptions): Promise<DebianImage> {
  await mkdir(cache, { recursive: true });
  const units = (await readdir(files, { recursive: true }))
    .filter((name) => /\.\w+$/.test(name) && !name.endsWith('.d'))
    .sort();
  const target = join(cache, `debian-${await recipeHash(units)}`);
  if (existsSync(target)) return debianIn(target);
  const partial = await mkdtemp(join(cache, '.partial-'));
  try {
    const [root, image] = [join(partial, 'root'), join(partial, 'image')];
    await mkdir(image);
    await bootstrap(root, options);
    await settle(root, image, units, options.signal);
    await pack(root, debianIn(image), options.signal);
    await rename(image, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return debianIn(target);
}
