import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { call } from '../../src/guest/call.js';
import { kernelIn, modulesInOrder } from '../../src/guest/modules.js';
import { dependencyOf, kernelPackages, unpackPackages, type Archives } from '../../src/guest/packages.js';

const old = '6.19.4+deb14-cloud-amd64';
const split = '7.3-cloud-amd64';
const alternatives = [' |Depends: dracut', '  Depends: <linux-initramfs-tool>', '    initramfs-tools'];

/** What `apt-cache depends` prints of Debian's kernels. */
const depends: Record<string, string[]> = {
  'linux-image-cloud-amd64': ['  Depends: linux-base-cloud-amd64', `  Depends: linux-image-${split}`],
  [`linux-image-${old}`]: ['  PreDepends: linux-base', '  Depends: kmod', ...alternatives],
  [`linux-image-${split}`]: [
    '  PreDepends: linux-base',
    ...alternatives,
    ...['base', 'binary', 'modules'].map((part) => `  Depends: linux-${part}-${split}`),
    `  Suggests: linux-doc-7.3`,
  ],
  [`linux-base-${split}`]: [],
  [`linux-binary-${split}`]: [`  Depends: linux-base-${split}`],
  [`linux-modules-${split}`]: ['  Depends: kmod', `  Depends: linux-base-${split}`],
};

const files: Record<string, Record<string, string>> = {
  [`linux-image-${old}`]: {
    [`boot/vmlinuz-${old}`]: 'old kernel',
    [`usr/lib/modules/${old}/modules.builtin`]: '',
  },
  [`linux-image-${split}`]: { 'usr/share/doc/empty': '' },
  [`linux-base-${split}`]: { [`usr/lib/modules/${split}/modules.builtin`]: 'kernel/fs/fuse/fuse.ko\n' },
  [`linux-binary-${split}`]: { [`usr/lib/modules/${split}/vmlinuz`]: 'kernel' },
  [`linux-modules-${split}`]: {
    [`usr/lib/modules/${split}/kernel/fs/fuse/virtiofs.ko`]: '\0depends=fuse\0',
  },
};

const archives: Archives = { options: ['-oof=ours'], refresh: () => Promise.reject(new Error('refreshed')) };
const options = { log: () => undefined };

let directory: string;

async function put(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}

/** An archive in which apt-cache and apt-get find those packages. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'packages-'));
  for (const [name, lines] of Object.entries(depends))
    await put(join(directory, 'depends', name), [name, ...lines, ''].join('\n'));
  const look = `[ "$1" = -oof=ours ] && [ "$2" = depends ] || exit 100; cat "${directory}/depends/$3"`;
  await put(join(directory, 'bin/apt-cache'), `#!/bin/sh\n${look}\n`, 0o755);
  const download = `while [ "$1" != download ]; do shift; done; shift; for name; do cp "${directory}/$name.deb" . || exit 100; done`;
  await put(join(directory, 'bin/apt-get'), `#!/bin/sh\n${download}\n`, 0o755);
  vi.stubEnv('PATH', `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

async function makePackages(): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const tree = join(directory, 'trees', name);
    for (const [path, text] of Object.entries(content)) await put(join(tree, path), text);
    const control = `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: us <us@localhost>\nDescription: x\n`;
    await put(join(tree, 'DEBIAN/control'), control);
    const build = ['--build', '-Znone', tree, join(directory, `${name}.deb`)];
    await call('dpkg-deb', build, { timeoutMs: 10_000 });
  }
}

async function unpackedKernel(release: string) {
  await makePackages();
  const packages = join(directory, 'unpacked');
  await mkdir(packages);
  const names = await kernelPackages(`linux-image-${release}`, options, archives);
  await unpackPackages(names, packages, options, archives);
  return kernelIn(packages);
}

test('the kernel is the one that its metapackage names', async () => {
  const found = dependencyOf('linux-image-cloud-amd64', /^linux-image-\d/, options, archives);
  expect(await found).toBe(`linux-image-${split}`);
});

test('a kernel in one package is that package', async () => {
  const { image, modules } = await unpackedKernel(old);
  expect(await readFile(image, 'utf8')).toBe('old kernel');
  expect(modules).toContain(`/usr/lib/modules/${old}`);
});

test('a kernel in several packages is all those of its release', async () => {
  expect(await kernelPackages(`linux-image-${split}`, options, archives)).toEqual(
    ['image', 'base', 'binary', 'modules'].map((part) => `linux-${part}-${split}`),
  );
  const { image, modules } = await unpackedKernel(split);
  expect(await readFile(image, 'utf8')).toBe('kernel');
  const [virtiofs, ...others] = await modulesInOrder(modules, ['virtiofs'], (path) => readFile(path));
  expect(virtiofs?.name).toBe('virtiofs');
  expect(others).toEqual([]);
});

test('a directory without a kernel is named', async () => {
  await mkdir(join(directory, 'usr/lib/modules', split), { recursive: true });
  await expect(kernelIn(directory)).rejects.toThrow(`in ${directory} has a kernel`);
});
