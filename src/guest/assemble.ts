import { existsSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { call } from './call.js';
import { kernelIn, modulesInOrder } from './modules.js';
import { newcArchive, type ArchiveEntry } from './newc.js';

/** All that decides what an image holds, besides the versions of its packages. Its hash names the image. */
export interface Recipe {
  version: number;
  kernel: string;
  kernelPattern: RegExp;
  /** Debian's suites that have the kernel, the highest version of all; else those of this host's apt. */
  kernelSuites?: readonly string[];
  packages: readonly string[];
  /** Loaded at every boot. */
  modules: readonly string[];
  /** Loaded where a wedge asks for one by name. */
  spareModules: readonly string[];
  /** Programs of the packages, beyond busybox and dropbear. */
  programs: readonly string[];
  /** Files of guest/ with their paths in the guest. A C source becomes a program. */
  assets: Readonly<Record<string, string>>;
  /** Packages that this host needs to make it. */
  hostPackages: readonly string[];
  etc: Readonly<Record<string, string>>;
}

/** The guest of the demo. */
export const demoRecipe: Recipe = {
  version: 1,
  kernel: 'linux-image-cloud-amd64',
  kernelPattern: /^linux-image-\d.*-cloud-amd64$/,
  /** The libraries are those of dropbear beyond what the host must have itself. */
  packages: ['busybox-static', 'dropbear-bin', 'libtomcrypt1', 'libtommath1', 'libgmp10'],
  /** `virtio_mmio` and `virtio_input` for machines without PCI, and without a PS/2 keyboard; the last two for the power button. */
  modules: ['virtio_pci', 'virtio_mmio', 'virtio_input', 'virtio_net', 'virtiofs', 'button', 'evdev'],
  spareModules: ['virtio_console'],
  programs: [],
  assets: { init: 'init', 'serve-ssh': 'bin/serve-ssh' },
  hostPackages: [],
  etc: { passwd: 'root::0:0:root:/root:/bin/sh\n', group: 'root:x:0:\n', shells: '/bin/sh\n' },
};

const shortMs = 30_000;

interface Parts {
  recipe: Recipe;
  /** Where the packages are unpacked. */
  packages: string;
  /** Directory of guest/init and its companions. */
  assets: string;
  /** The new image's directory. */
  image: string;
  signal: AbortSignal | undefined;
}

/** Packages of Debian 12 put programs in /bin and /sbin too, those of Debian 13 in /usr alone. */
function inPackages(packages: string, path: string): string {
  const found = [join(packages, 'usr', path), join(packages, path)].find((candidate) =>
    existsSync(candidate),
  );
  if (found === undefined) throw new Error(`None of the packages in ${packages} has ${path}.`);
  return found;
}

function libraryPath(packages: string): Record<string, string> {
  const directories = ['usr/lib', 'lib'].map((path) => join(packages, path, 'x86_64-linux-gnu'));
  return { LD_LIBRARY_PATH: directories.join(':') };
}

async function libraries(program: string, { packages, signal }: Parts): Promise<ArchiveEntry[]> {
  const text = await call('ldd', [program], { timeoutMs: shortMs, signal, env: libraryPath(packages) });
  const lost = /^\s*(\S+) => not found/m.exec(text)?.[1];
  if (lost !== undefined)
    throw new Error(`${program} needs ${lost}, which neither its packages nor this host has.`);
  const paths = [...text.matchAll(/(?:^\s*|=> )(\/\S+)/gm)].flatMap((match) => match[1] ?? []);
  return Promise.all(
    paths.map(async (path) => {
      const inGuest = path.startsWith(packages) ? path.slice(packages.length) : path;
      return { path: inGuest.replace(/^\/+/, ''), mode: 0o755, content: await readFile(path) };
    }),
  );
}

/** The wanted modules and what they need, as files of one directory of the guest, in the order to load them in. */
async function kernelModules(
  { packages, signal }: Parts,
  busybox: string,
  wanted: readonly string[],
  directory: string,
): Promise<ArchiveEntry[]> {
  const kernel = await kernelIn(packages);
  const modules = await modulesInOrder(kernel.modules, wanted, async (path) => {
    if (!path.endsWith('.xz')) return readFile(path);
    await call(busybox, ['unxz', '-k', '-f', path], { timeoutMs: shortMs, signal });
    return readFile(path.replace(/\.xz$/, ''));
  });
  return modules.map(({ name, content }, index) => {
    const number = String(index).padStart(2, '0');
    return { path: `${directory}/${number}-${name}.ko`, mode: 0o644, content };
  });
}

async function spareModules(parts: Parts, busybox: string): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for (const name of parts.recipe.spareModules)
    entries.push(...(await kernelModules(parts, busybox, [name], `lib/spare/${name}`)));
  return entries;
}

async function programs(parts: Parts): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for (const path of parts.recipe.programs) {
    const program = inPackages(parts.packages, path);
    entries.push({ path: `bin/${basename(path)}`, mode: 0o755, content: await readFile(program) });
    entries.push(...(await libraries(program, parts)));
  }
  return entries;
}

function assetFiles({ recipe, assets, image, signal }: Parts): Promise<ArchiveEntry[]> {
  const files = Object.entries(recipe.assets).map(async ([from, path]) => {
    const source = join(assets, from);
    if (!from.endsWith('.c')) return { path, mode: 0o755, content: await readFile(source) };
    const program = join(image, basename(path));
    const options = ['-static', '-pthread', '-O1', '-Wall', '-Werror', '-o', program];
    await call('gcc', [...options, source], { timeoutMs: shortMs, signal });
    return { path, mode: 0o755, content: await readFile(program) };
  });
  return Promise.all(files);
}

async function keys({ packages, image, signal }: Parts): Promise<ArchiveEntry[]> {
  const [userKey, hostKey] = [join(image, 'id_ed25519'), join(image, 'host_key')];
  const env = libraryPath(packages);
  await call('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'wedgewatch-demo', '-f', userKey], {
    timeoutMs: shortMs,
    signal,
  });
  await call(inPackages(packages, 'bin/dropbearkey'), ['-t', 'ed25519', '-f', hostKey], {
    timeoutMs: shortMs,
    signal,
    env,
  });
  return [
    { path: 'root', mode: 0o700 },
    { path: 'root/.ssh', mode: 0o700 },
    { path: 'root/.ssh/authorized_keys', mode: 0o600, content: await readFile(`${userKey}.pub`) },
    { path: 'etc/dropbear/host_key', mode: 0o600, content: await readFile(hostKey) },
  ];
}

/** What the guest mounts: programs that stop working once their server does. */
async function makeStore(image: string, busybox: string, dropbear: string): Promise<void> {
  const store = join(image, 'store');
  await mkdir(store);
  await copyFile(dropbear, join(store, 'dropbear'));
  await copyFile(busybox, join(store, 'ash'));
  await link(join(store, 'ash'), join(store, 'true'));
  for (const name of ['dropbear', 'ash']) await chmod(join(store, name), 0o755);
}

/** Makes kernel, initrd, store and SSH key in `parts.image` from unpacked packages. */
export async function assembleImage(parts: Parts): Promise<void> {
  const { recipe, packages, image } = parts;
  const busybox = inPackages(packages, 'bin/busybox');
  const dropbear = inPackages(packages, 'sbin/dropbear');
  await copyFile((await kernelIn(packages)).image, join(image, 'vmlinuz'));
  await makeStore(image, busybox, dropbear);
  const etc = Object.entries(recipe.etc);
  const entries: ArchiveEntry[] = [
    ...(await assetFiles(parts)),
    { path: 'bin/busybox', mode: 0o755, content: await readFile(busybox) },
    { path: 'bin/dropbear', mode: 0o755, content: await readFile(dropbear) },
    ...(await libraries(dropbear, parts)),
    ...(await programs(parts)),
    ...(await kernelModules(parts, busybox, recipe.modules, 'lib/modules')),
    ...(await spareModules(parts, busybox)),
    ...etc.map(([name, text]) => ({ path: `etc/${name}`, mode: 0o644, content: Buffer.from(text) })),
    ...(await keys(parts)),
  ];
  await writeFile(join(image, 'initrd.gz'), gzipSync(newcArchive(entries), { level: 1 }));
}
