import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dependsOn, modulesInOrder } from '../../src/guest/modules.js';

const modinfo = (depends: string) => `ELF\0license=GPL\0depends=${depends}\0name=x\0`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modules-'));
  const files = {
    'modules.builtin': 'kernel/drivers/virtio/virtio.ko\nkernel/fs/ext4/ext4.ko\n',
    'kernel/drivers/virtio/virtio_ring.ko': modinfo(''),
    'kernel/drivers/virtio/virtio_pci.ko.xz': modinfo('virtio,virtio_ring,virtio-pci-legacy'),
    'kernel/drivers/virtio/virtio-pci-legacy.ko': modinfo('virtio_ring'),
    'kernel/fs/fuse/fuse.ko': modinfo(''),
    'kernel/fs/fuse/virtiofs.ko': modinfo('fuse,virtio'),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
});

afterEach(() => rm(directory, { recursive: true }));

test('each module follows what it depends on; built-in ones are left out', async () => {
  const modules = await modulesInOrder(directory, ['virtio_pci', 'virtiofs'], (path) => readFile(path));
  expect(modules.map(({ name }) => name)).toEqual([
    'virtio_ring',
    'virtio_pci_legacy',
    'virtio_pci',
    'fuse',
    'virtiofs',
  ]);
});

test('a module that the kernel lacks is named', async () => {
  await expect(modulesInOrder(directory, ['virtio_net'], (path) => readFile(path))).rejects.toThrow(
    'virtio_net',
  );
});

test('a module without dependencies has none', () => {
  expect(dependsOn(Buffer.from(modinfo('')))).toEqual([]);
});
