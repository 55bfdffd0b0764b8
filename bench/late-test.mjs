/**
 * A test that takes ten times as long as it should, on two real guests that answer SSH, with hung_task off and memory not
 * read: in one a task stands on a frozen filesystem, in the other nothing does. The first is filed after 5 min, the second
 * is not. Needs `npm run build`, and Debian on x86-64 as the demo does.
 *   node bench/late-test.mjs
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessMemoryReader } from '../dist/daemon/process-memory-reader.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { daemonOver, inGuest, makeDisk, mountDisk } from './real-guests.mjs';

const NAMES = ['late-stuck', 'late-slow'];
/** The 5 min, two dumps 20 s apart, and some. */
const PATIENCE_MS = 360_000;
const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-late-'));
const guests = [];
let daemon;
let from = Date.now();
const say = (text) => process.stdout.write(`${((Date.now() - from) / 1000).toFixed(1)} s ${text}\n`);

try {
  const image = await buildGuest(guestCache(), { log: () => undefined }, await wedgeRecipe());
  const append = 'loglevel=7 wedge.mode=none sysctl.kernel.hung_task_timeout_secs=0';
  for (const vm of NAMES)
    guests.push(await startGuest({ vm, image, append, extra: makeDisk(join(scratch, vm)) }));
  const filed = [];
  writeFileSync(join(scratch, 'check.time'), 'generic/475 3\n');
  daemon = daemonOver(guests, scratch, {
    config: { memory: 'off', detect: { testTimes: join(scratch, 'check.time') } },
    reader: new ProcessMemoryReader(),
    log: (level, text) => level !== 'debug' && say(text),
    onFiled: ({ vm }, { directory }) => directory && filed.push([vm, directory]),
  });
  await daemon.start();
  while (NAMES.some((vm) => daemon.guests.get(vm)?.state.name !== 'up')) await delay(500);
  for (const guest of guests) {
    await inGuest(guest, mountDisk);
    await inGuest(guest, 'echo "run fstests generic/475 at 2026-11-29 06:20:00" >/dev/kmsg');
  }
  from = Date.now();
  await inGuest(guests[0], 'fsfreeze --freeze /mnt/disk; touch /mnt/disk/file >/dev/null 2>&1 &');
  await delay(PATIENCE_MS);
  for (const [vm, directory] of filed) {
    const { verdict, test, evidence } = JSON.parse(readFileSync(join(directory, 'incident.json'), 'utf8'));
    say(
      `${vm}, test ${test?.text}, evidence ${evidence.complete ? 'whole' : 'incomplete'}: ${verdict.title}`,
    );
  }
  process.exitCode = filed.map(([vm]) => vm).join() === NAMES[0] ? 0 : 1;
} finally {
  await daemon?.stop();
  for (const guest of guests) await guest.stop();
  rmSync(scratch, { recursive: true, force: true });
}
