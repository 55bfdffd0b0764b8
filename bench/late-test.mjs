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
import { parseConfig } from '../dist/core/config/parse-config.js';
import { Daemon } from '../dist/daemon/daemon.js';
import { ProcessMemoryReader } from '../dist/daemon/process-memory-reader.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { runtimeDirectory } from '../dist/io/paths.js';
import { inGuest, makeDisk, mountDisk } from './real-guests.mjs';

const NAMES = ['late-stuck', 'late-slow'];
/** The 5 min, two dumps 20 s apart, and some. */
const PATIENCE_MS = 360_000;
const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-late-'));
const guests = [];
let daemon;
let from = Date.now();
const say = (text) => process.stdout.write(`${((Date.now() - from) / 1000).toFixed(1)} s ${text}\n`);

function daemonOf(onFiled) {
  const configFile = join(scratch, 'ssh_config');
  writeFileSync(configFile, guests.map((guest) => readFileSync(guest.sshConfigFile, 'utf8')).join(''));
  writeFileSync(join(scratch, 'check.time'), 'generic/475 3\n');
  const { ok, config, problems } = parseConfig(
    JSON.stringify({
      memory: 'off',
      ssh: { configFile },
      detect: { testTimes: join(scratch, 'check.time') },
      discover: { enabled: false, directory: guests[0].qmpDirectory },
      guests: guests.map(({ vm, qmpSocket, console: at, sshHost }) => ({
        ...{ name: vm, qmp: qmpSocket, console: at, ssh: sshHost },
      })),
    }),
    'bench',
  );
  if (!ok) throw new Error(JSON.stringify(problems));
  const [state, reader] = [join(scratch, 'state'), new ProcessMemoryReader()];
  const log = (level, text) => level !== 'debug' && say(text);
  return new Daemon({ config, state, runtime: runtimeDirectory(), log, onFiled, reader });
}

try {
  const image = await buildGuest(guestCache(), { log: () => undefined }, await wedgeRecipe());
  const append = 'loglevel=7 wedge.mode=none sysctl.kernel.hung_task_timeout_secs=0';
  for (const vm of NAMES)
    guests.push(await startGuest({ vm, image, append, extra: makeDisk(join(scratch, vm)) }));
  const filed = [];
  daemon = daemonOf(({ vm }, { directory }) => directory && filed.push([vm, directory]));
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
