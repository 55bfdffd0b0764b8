/**
 * Real guests that are slow and well: each writes and syncs to a throttled disk, and uses twice the memory it has, which it
 * swaps to another. One daemon with default settings watches them and must accuse none. Needs `npm run build`, and Debian on
 * x86-64 as the demo does.
 *   node bench/slow-guests.mjs [MINUTES] [KERNEL,…]     10 and host,newest by default; ends with 1 if anything was filed
 */
/* global performance */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessMemoryReader } from '../dist/daemon/process-memory-reader.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { buildKernelGuest } from '../dist/guest/kernels.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { daemonOver, inGuest, makeDisk, mountDisk } from './real-guests.mjs';

const minutes = Number(process.argv[2] ?? 10);
const kernels = (process.argv[3] ?? 'host,newest').split(',');
const MEMORY = '256M';
/** Bytes a second. */
const [DISK, SWAP] = [192 * 1024, 4 * 2 ** 20];
const SAMPLE_MS = 15_000;
const STANDING_S = 5;
const place = mkdtempSync(join(tmpdir(), 'wedgewatch-slow-'));
const say = (text) => process.stdout.write(`${(performance.now() / 60_000).toFixed(1)} min  ${text}\n`);

function slowDisks(name) {
  const swap = join(place, `${name}.swap`);
  writeFileSync(swap, '');
  truncateSync(swap, 512 * 2 ** 20);
  const [drive, ...device] = makeDisk(join(place, `${name}.disk`)).slice(1);
  return [
    ...['-drive', `${drive},throttling.bps-write=${DISK}`, ...device],
    ...['-drive', `if=none,id=swap,file=${swap},format=raw,cache=unsafe,throttling.bps-total=${SWAP}`],
    ...['-device', 'virtio-blk-pci,drive=swap'],
  ];
}

const background = (script) => `(${script}) >/dev/null 2>&1 </dev/null &`;
const LOAD = [
  mountDisk,
  'mkswap /dev/vdb >/dev/null; swapon /dev/vdb',
  ...[1, 2, 3].map((n) =>
    background(`while :; do dd if=/dev/zero of=/mnt/disk/${n} bs=256k count=32 conv=fsync; done`),
  ),
  background('while :; do echo line >>/mnt/disk/log; sync /mnt/disk/log; done'),
  background('while :; do dd if=/dev/zero of=/dev/null bs=180M count=3; done'),
  background('while :; do dd if=/dev/urandom of=/dev/null bs=120M count=2; done'),
].join('\n');

async function startOne(kernel, recipe) {
  const options = { log: () => undefined };
  const image = await (kernel === 'host'
    ? buildGuest(guestCache(), options, recipe)
    : buildKernelGuest(guestCache(), kernel, options, recipe));
  const vm = `slow-${kernel.replaceAll('.', '-')}`;
  return startGuest({ vm, image, append: 'wedge.mode=none', extra: slowDisks(vm), memory: MEMORY });
}

/** Who has stood for how long, the longest. */
async function watch(guest, reader, worst) {
  const taken = await reader.sample({ vm: guest.vm, qmpSocket: guest.qmpSocket, pid: null }, STANDING_S);
  if (!taken.ok) return say(`${guest.vm}: not read: ${taken.why}`);
  const [first] = taken.standing;
  worst.samples += 1;
  if (first !== undefined && first.offCpuSeconds > worst.seconds)
    Object.assign(worst, {
      seconds: first.offCpuSeconds,
      who: `${first.comm} in ${first.frames
        .map(({ symbol }) => symbol)
        .slice(0, 8)
        .join(' < ')}`,
    });
}

const recipe = await wedgeRecipe();
const guests = [];
const filed = [];
const lines = [];
const [reader, own] = [new ProcessMemoryReader(), new ProcessMemoryReader()];
let daemon;
try {
  for (const kernel of kernels) guests.push(await startOne(kernel, recipe));
  daemon = daemonOver(guests, place, {
    reader,
    log: (_, line) => lines.push(`${(performance.now() / 60_000).toFixed(1)} min  ${line}`),
    onFiled: ({ vm }, { title }) => filed.push(`${vm}: ${title}`),
  });
  await daemon.start();
  for (const guest of guests) {
    while (daemon.guests.get(guest.vm)?.state.name !== 'up') await delay(500);
    await inGuest(guest, LOAD, 120_000);
  }
  say('all guests are under load');
  const worst = new Map(guests.map(({ vm }) => [vm, { seconds: 0, who: 'nobody', samples: 0 }]));
  for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
    await delay(SAMPLE_MS);
    for (const guest of guests) await watch(guest, own, worst.get(guest.vm));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const [vm, { seconds, who, samples }] of worst)
    say(`${vm}: ${samples} samples; stood longest: ${seconds.toFixed(1)} s, ${who}`);
  say(`${filed.length} incidents${filed.map((line) => `\n  ${line}`).join('')}`);
} finally {
  own.close();
  await daemon?.stop();
  reader.close();
  for (const guest of guests) await guest.stop();
  if (filed.length === 0) rmSync(place, { recursive: true, force: true });
  else say(`the incidents are in ${place}`);
}
process.exit(filed.length > 0 ? 1 : 0);
