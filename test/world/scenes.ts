/** What the demo guest can be made to do beyond its modes: scripts of test/world/scenes, in a second initrd behind its own. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assets, type GuestImage } from '../../src/guest/build.js';
import { newcArchive, type ArchiveEntry } from '../../src/guest/newc.js';

const scripts = join(import.meta.dirname, 'scenes');
/** Busybox has none; its library is there, because dropbear needs the same. */
const CHRT = '/usr/bin/chrt';

const file = async (path: string, from: string): Promise<ArchiveEntry> => ({
  path,
  mode: 0o755,
  content: await readFile(from),
});

/** What a guest with scenes is started from. */
export type SceneImage = Pick<GuestImage, 'kernel' | 'initrd' | 'sshKey'>;

/**
 * Puts the image into `<share>/<name>`, its initrd with all scenes, each as wedges/NAME.sh in the guest, and the modules
 * as wedges/NAME.ko: the kernel unpacks both archives. @returns its paths inside, where the share is /share
 */
export async function shareScenes(
  image: GuestImage,
  share: string,
  name: string,
  modules: Readonly<Record<string, string>> = {},
): Promise<SceneImage> {
  const directory = join(share, name);
  await mkdir(directory, { recursive: true });
  await copyFile(image.kernel, join(directory, 'vmlinuz'));
  await copyFile(image.sshKey, join(directory, 'id_ed25519'));
  await writeScenes(image, modules, join(directory, 'initrd.gz'));
  const inside = join('/share', name);
  return {
    kernel: join(inside, 'vmlinuz'),
    initrd: join(inside, 'initrd.gz'),
    sshKey: join(inside, 'id_ed25519'),
  };
}

async function writeScenes(
  image: GuestImage,
  modules: Readonly<Record<string, string>>,
  path: string,
): Promise<void> {
  const names = await readdir(scripts);
  const entries = await Promise.all([
    file('wedges/common.sh', join(assets, 'wedges/common.sh')),
    file('bin/chrt', CHRT),
    ...names.map((name) => file(`wedges/${name}`, join(scripts, name))),
    ...Object.entries(modules).map(([module, from]) => file(`wedges/${module}.ko`, from)),
  ]);
  const scenes = gzipSync(newcArchive(entries), { level: 1 });
  await writeFile(path, Buffer.concat([await readFile(image.initrd), scenes]));
}
