/**
 * Makes what memory-compare.mjs and memory.mjs read: boots a guest with a frozen ext4 and so many tasks, lets it print all
 * of them for Alt+SysRq+t, and dumps its memory right after. Needs `npm run build`, and Debian on x86-64 as the demo does.
 *   node bench/memory-guest.mjs KERNEL TASKS DIRECTORY      writes KERNEL-TASKS.elf and .log there
 * KERNEL: host, 6.1, 6.12, newest, newest-rt; or the path of own-kernel/build.sh's, as own-TASKS
 */
/* global performance */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { buildKernelGuest } from '../dist/guest/kernels.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { makeDisk, qmp } from './real-guests.mjs';

const [kernel, wanted, into] = process.argv.slice(2);
/** What runs in it besides. */
const OWN = 65;
const [BOOT_MS, STAND_MS, SILENCE_MS] = [540_000, 15_000, 6_000];
const more = Math.max(0, Number(wanted) - OWN);
const memory = `${384 + Math.ceil((more * 0.35) / 128) * 128}M`;

const own = isAbsolute(kernel) ? { kernel } : {};
const out = resolve(into, `${isAbsolute(kernel) ? 'own' : kernel}-${wanted}`);
mkdirSync(into, { recursive: true });
const log = (line) => process.stderr.write(`${line}\n`);
const [cache, recipe] = [guestCache(), await wedgeRecipe()];
const image = await (kernel === 'host' || isAbsolute(kernel)
  ? buildGuest(cache, { log }, recipe)
  : buildKernelGuest(cache, kernel, { log }, recipe));
const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-memory-'));
let guest;

const consoleText = () =>
  guest.unit === null
    ? readFileSync(guest.console.replace('file:', ''), { encoding: 'latin1', flag: 'a+' })
    : execFileSync('journalctl', ['--user', '-u', guest.unit, '-o', 'cat'], { encoding: 'latin1' });

async function until(holds, limit, what) {
  for (const end = performance.now() + limit; !holds(); await delay(500))
    if (performance.now() > end)
      throw new Error(`not within ${limit / 1000} s: ${what}\n${consoleText().slice(-2000)}`);
}

async function silence() {
  let [size, since] = [-1, performance.now()];
  while (performance.now() - since < SILENCE_MS) {
    const now = consoleText().length;
    if (now !== size) [size, since] = [now, performance.now()];
    await delay(500);
  }
}

const press = (key) =>
  qmp(guest, 'send-key', { keys: ['alt', 'sysrq', key].map((data) => ({ type: 'qcode', data })) });

try {
  // Newer kernels print from a thread, and would overwrite what it has not come to.
  const append = `loglevel=7 log_buf_len=${more > 3_000 ? 32 : 8}M wedge.mode=frozen-fs wedge.tasks=${more}`;
  const extra = makeDisk(join(scratch, 'disk'));
  guest = await startGuest({ vm: 'wedgewatch-memory', image: { ...image, ...own }, append, extra, memory });
  const began = performance.now();
  await until(() => consoleText().includes('guest login:'), BOOT_MS, 'the guest’s login prompt');
  log(`${out}: up after ${((performance.now() - began) / 1000).toFixed(0)} s`);
  await delay(STAND_MS);
  await press('8');
  await delay(1_000);
  await press('t');
  await until(() => consoleText().includes('Show State'), 30_000, 'an answer to the key');
  await silence();
  await qmp(guest, 'stop');
  rmSync(`${out}.elf`, { force: true });
  const answer = await qmp(guest, 'dump-guest-memory', { paging: false, protocol: `file:${out}.elf` });
  if (answer.error !== undefined) throw new Error(answer.error.desc);
  writeFileSync(`${out}.log`, consoleText(), 'latin1');
} finally {
  await guest?.stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit();
