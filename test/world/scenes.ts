/** What the demo guest can be made to do beyond its modes: scripts of test/world/scenes, in a second initrd behind its own. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
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

/** Writes the image's initrd with all scenes, each as wedges/NAME.sh in the guest. The kernel unpacks both archives. */
export async function writeScenes(image: GuestImage, path: string): Promise<void> {
  const names = await readdir(scripts);
  const entries = await Promise.all([
    file('wedges/common.sh', join(assets, 'wedges/common.sh')),
    file('bin/chrt', CHRT),
    ...names.map((name) => file(`wedges/${name}`, join(scripts, name))),
  ]);
  const scenes = gzipSync(newcArchive(entries), { level: 1 });
  await writeFile(path, Buffer.concat([await readFile(image.initrd), scenes]));
}
