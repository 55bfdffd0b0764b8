/**
 * What memory-compare.mjs and memory.mjs read, of Debian's arm64 kernel under emulation: boots it with an initrd of busybox,
 * freezes an ext4, lets three touches block on it, has it print all tasks, and dumps its memory right after. Needs
 * `npm run build`, qemu-system-arm, and Debian; what it downloads is unpacked in a scratch directory and removed.
 *   node bench/memory-arm64.mjs SUITE DIRECTORY      trixie, for example; writes arm64-RELEASE.elf and .log there
 */
/* global performance */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { call } from '../dist/guest/call.js';
import { guestCache } from '../dist/guest/build.js';
import { kernelIn, modulesInOrder } from '../dist/guest/modules.js';
import { newcArchive } from '../dist/guest/newc.js';
import { dependencyOf, kernelPackages, unpackPackages } from '../dist/guest/packages.js';
import { suiteArchives } from '../dist/guest/suites.js';
import { makeDisk, qmp } from './real-guests.mjs';

const [suite, into] = process.argv.slice(2);
const BOOT_MS = 400_000;
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /lib/modules/*.ko; do insmod "$module"; done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /mnt
fsfreeze --freeze /mnt
for number in 1 2 3; do touch "/mnt/$number" & done
echo 8 >/proc/sysrq-trigger
sleep 15
echo t >/proc/sysrq-trigger
echo 'wedge: printed'
while :; do sleep 1000; done
`;

const log = (line) => process.stderr.write(`${line}\n`);
const options = { log };

async function assemble(scratch) {
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
  const loaded = await modulesInOrder(modules, ['virtio_pci', 'virtio_blk', 'ext4'], read);
  const busybox = ['usr/bin/busybox', 'bin/busybox'].map((path) => join(packages, path)).find(existsSync);
  const entries = [
    { path: 'init', mode: 0o755, content: INIT },
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

function boot(scratch) {
  const console = join(scratch, 'console');
  const args = [
    ['-M', 'virt', '-cpu', 'max,pauth-impdef=on', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '384M'],
    ['-nodefaults', '-display', 'none', '-serial', `file:${console}`],
    ['-qmp', `unix:${join(scratch, 'qmp')},server=on,wait=off`],
    ['-kernel', join(scratch, 'kernel'), '-initrd', join(scratch, 'initrd.gz')],
    ['-append', 'console=ttyAMA0 panic=0 loglevel=7'],
    makeDisk(join(scratch, 'disk')),
  ];
  const child = spawn('qemu-system-aarch64', args.flat(), { stdio: ['ignore', 'ignore', 'inherit'] });
  return { child, console, qmpSocket: join(scratch, 'qmp') };
}

const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-arm64-'));
mkdirSync(into, { recursive: true });
let guest;
try {
  const out = resolve(into, `arm64-${await assemble(scratch)}`);
  guest = boot(scratch);
  const printed = () => (existsSync(guest.console) ? readFileSync(guest.console, 'latin1') : '');
  for (const end = performance.now() + BOOT_MS; !printed().includes('wedge: printed'); await delay(500))
    if (performance.now() > end) throw new Error(`it did not print its tasks:\n${printed().slice(-2000)}`);
  await qmp(guest, 'stop');
  rmSync(`${out}.elf`, { force: true });
  const answer = await qmp(guest, 'dump-guest-memory', { paging: false, protocol: `file:${out}.elf` });
  if (answer.error !== undefined) throw new Error(answer.error.desc);
  writeFileSync(`${out}.log`, printed(), 'latin1');
  log(`${out}.elf`);
} finally {
  guest?.child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
}
