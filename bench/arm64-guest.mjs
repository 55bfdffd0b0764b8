/**
 * A guest of Debian's arm64 kernel, for the emulator of any host with Debian: kernel, and an initrd of busybox. Needs
 * `npm run build` and qemu-system-arm.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { call } from '../dist/guest/call.js';
import { guestCache } from '../dist/guest/build.js';
import { kernelIn, modulesInOrder } from '../dist/guest/modules.js';
import { newcArchive } from '../dist/guest/newc.js';
import { dependencyOf, kernelPackages, unpackPackages } from '../dist/guest/packages.js';
import { suiteArchives } from '../dist/guest/suites.js';

export const log = (line) => process.stderr.write(`${line}\n`);
const options = { log };

/** The beginning of every such guest's init: its file systems, and its modules. */
export const BEGIN = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /lib/modules/*.ko; do insmod "$module"; done
`;

/** Puts `kernel` and `initrd.gz` into the scratch directory; returns the kernel's release. */
export async function assemble(suite, scratch, { init, wanted }) {
  const archives = await suiteArchives(join(guestCache(), `apt-arm64-${suite}`), [suite], options, 'arm64');
  const named = await dependencyOf(
    'linux-image-cloud-arm64',
    /^linux-image-\d.*-cloud-arm64$/,
    options,
    archives,
  );
  const names = [...(await kernelPackages(named, options, archives)), 'busybox-static'];
  log(`Downloading ${names.join(', ')}`);
  const packages = join(scratch, 'packages');
  await unpackPackages(names, packages, options, archives);
  const { image, modules } = await kernelIn(packages);
  const read = async (path) => {
    if (path.endsWith('.xz')) await call('busybox', ['unxz', '-k', '-f', path], { timeoutMs: 30_000 });
    return readFileSync(path.replace(/\.xz$/, ''));
  };
  const loaded = await modulesInOrder(modules, wanted, read);
  const busybox = ['usr/bin/busybox', 'bin/busybox'].map((path) => join(packages, path)).find(existsSync);
  const entries = [
    { path: 'init', mode: 0o755, content: init },
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...loaded.map(({ name, content }, index) => ({
      path: `lib/modules/${String(index).padStart(2, '0')}-${name}.ko`,
      mode: 0o644,
      content,
    })),
  ];
  writeFileSync(join(scratch, 'initrd.gz'), gzipSync(newcArchive(entries), { level: 1 }));
  const kernel = readFileSync(image);
  writeFileSync(join(scratch, 'kernel'), kernel[0] === 0x1f ? gunzipSync(kernel) : kernel);
  return basename(modules);
}

/** Arguments of qemu-system-aarch64 for it, without a console. */
export const machine = (scratch, megabytes = 384) => [
  ...['-M', 'virt', '-cpu', 'max,pauth-impdef=on', '-accel', 'tcg,thread=multi', '-smp', '2'],
  ...['-m', `${megabytes}M`],
  ...['-nodefaults', '-display', 'none', '-qmp', `unix:${join(scratch, 'qmp')},server=on,wait=off`],
  ...['-kernel', join(scratch, 'kernel'), '-initrd', join(scratch, 'initrd.gz')],
];
