/**
 * What memory-compare.mjs and memory.mjs read, of Debian's arm64 kernel under emulation: boots it with an initrd of busybox,
 * freezes an ext4, lets three touches block on it, has it print all tasks, and dumps its memory right after. Needs
 * `npm run build`, qemu-system-arm, busybox, and Debian; what it downloads is unpacked in a scratch directory and removed.
 *   node bench/memory-arm64.mjs SUITE DIRECTORY [TASKS]      trixie, for example; writes arm64-RELEASE.elf and .log there,
 * with TASKS arm64-RELEASE-TASKS
 */
/* global performance */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { assemble, BEGIN, log, machine } from './arm64-guest.mjs';
import { makeDisk, qmp } from './real-guests.mjs';

const [suite, into, wanted] = process.argv.slice(2);
/** What runs in it besides. */
const OWN = 62;
const more = Math.max(0, Number(wanted ?? 0) - OWN);
const BOOT_MS = 400_000;
const WANTED = ['virtio_pci', 'virtio_blk', 'ext4'];
const INIT = `${BEGIN}until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /mnt
fsfreeze --freeze /mnt
for number in 1 2 3; do touch "/mnt/$number" & done
number=0
while [ "$number" -lt ${more} ]; do sleep 100000 & number=$((number + 1)); done
echo 8 >/proc/sysrq-trigger
sleep 15
echo t >/proc/sysrq-trigger
echo 'wedge: printed'
while :; do sleep 1000; done
`;

function boot(scratch) {
  const console = join(scratch, 'console');
  const args = [
    machine(scratch, 384 + Math.ceil((more * 0.35) / 128) * 128),
    ['-serial', `file:${console}`],
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
  const release = await assemble(suite, scratch, { init: INIT, wanted: WANTED });
  const out = resolve(into, ['arm64', release, ...(wanted === undefined ? [] : [wanted])].join('-'));
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
