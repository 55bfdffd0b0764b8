/**
 * Records golden logs: wedges a real guest for each name, captures it as wedgewatch does, and writes
 * test/golden/NAME.log with what the analysis says of it at its top. Needs `npm run build`, and Debian on x86-64 as the
 * demo does.
 *   node test/golden/record.mjs [--kernel=KERNEL] NAME…      without a name, the names that there are
 * A wedge is a script of guest/wedges, or `page-in`, the demo's own. The log begins with the script's comment; one that is
 * recorded again keeps the comment it has. Without a kernel (src/guest/kernels.ts) it is that of this host's Debian; with
 * one the log is called NAME-RELEASE.
 */
/* global URL */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildGuest, guestCache } from '../../dist/guest/build.js';
import { buildKernelGuest, kernelNames } from '../../dist/guest/kernels.js';
import { startGuest } from '../../dist/guest/start.js';
import { wedgeNames, wedgeRecipe } from '../../dist/guest/wedges.js';
import { pressChord } from '../../dist/io/qmp/chord.js';
import { withQmp } from '../../dist/io/qmp/with-qmp.js';
import { goldenNames, goldenPath, goldenText, readGolden } from './golden.mjs';

const project = new URL('../..', import.meta.url).pathname;
const VM = 'golden';
const BOOT_MS = 120_000;
/** After the wedge is set: so that every task has come to rest, and the dumps show the same. */
const SETTLE_MS = 8_000;
const BETWEEN_MS = 4_000;
const ANSWER_MS = 20_000;
const MAX_TRIES = 4;
const MAX_BYTES = 150_000;

const say = (text) => process.stdout.write(`${text}\n`);

/** What a guest asks for by a line `wedge: host WORD` (guest/wedges/common.sh). */
const actions = {
  'stop-store': (guest) => guest.wedge(),
  'throttle-disk': (guest) =>
    withQmp(guest.qmpSocket, { timeoutMs: 5_000 }, async (qmp) => {
      const off = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
      await qmp.execute('block_set_io_throttle', { device: 'disk', bps: 1, ...off });
      // The throttle lets one request pass at once; all others wait for the next twelve days.
      await qmp.execute('human-monitor-command', { 'command-line': 'qemu-io disk "read 0 1M"' });
    }),
};

function makeDisk(directory) {
  const path = join(directory, 'disk');
  writeFileSync(path, '');
  truncateSync(path, 256 << 20);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-E', 'lazy_itable_init=0', '-F', path], {
    env: { ...process.env, PATH: '/usr/sbin:/sbin' },
  });
  const drive = `if=none,id=disk,file=${path},format=raw,cache=unsafe`;
  return ['-drive', drive, '-device', 'virtio-blk-pci,drive=disk'];
}

const PAGE_IN = 'page-in';
const PAGE_IN_MAKING =
  '# A job runs from a virtiofs whose server is then stopped on the host: wedge.mode=job of guest/init.';
/** Its job has run some turns by then. */
const HEALTHY_MS = 8_000;

/** Whether the server of its share is stopped then. */
async function wedge(name, guest, file) {
  if (name !== PAGE_IN) return (await untilSet(guest, file)).has('stop-store');
  await untilSays(/^guest login:/m, file);
  await delay(HEALTHY_MS);
  guest.wedge();
  return true;
}

async function untilSays(pattern, file) {
  for (const end = performance.now() + BOOT_MS; !pattern.test(consoleOf(file)); await delay(100))
    if (performance.now() > end) throw new Error(`not booted in time; its console:\n${consoleOf(file)}`);
}

/** QEMU makes the file a moment after its sockets. */
const consoleOf = (file) => (existsSync(file) ? readFileSync(file, 'latin1') : '');

/** Follows the console until the wedge is set, and does what the guest asks for. Returns what that was. */
async function untilSet(guest, file) {
  const end = performance.now() + BOOT_MS;
  const done = new Set();
  for (;;) {
    const lines = consoleOf(file).split(/\r?\n/);
    for (const word of lines.flatMap((line) => /^wedge: host (\S+)$/.exec(line)?.[1] ?? [])) {
      if (done.has(word)) continue;
      done.add(word);
      await actions[word](guest);
    }
    if (lines.includes('wedge: set')) return done;
    if (performance.now() > end)
      throw new Error(`not wedged in time; its console:\n${lines.slice(-30).join('\n')}`);
    await delay(100);
  }
}

/** The keys of a capture, each with the kernel's line that ends its answer; HELP (h) is the fence behind a dump. */
const FENCE = /sysrq: HELP : /g;
const SERIES = [
  ['8', /sysrq: Loglevel set to 8/g],
  ...['w', 'w', 't'].flatMap((key) => [
    [key, /sysrq: Show (?:Blocked )?State/g],
    ['h', FENCE],
    [null, null],
  ]),
];

/** Presses the series, a key at a time, the dumps some seconds apart. */
async function capture(guest, file) {
  const count = (pattern) => consoleOf(file).match(pattern)?.length ?? 0;
  for (const [key, answer] of SERIES) {
    if (key === null) {
      await delay(BETWEEN_MS);
      continue;
    }
    const before = count(answer);
    for (let tries = 0; count(answer) === before; tries += 1) {
      // A keyboard's queue that is full drops keys without a word; HELP can be asked for again without harm.
      if (tries > 0 && (key !== 'h' || tries > MAX_TRIES)) throw new Error(`no answer to ${key}`);
      await pressChord(guest.qmpSocket, key, { timeoutMs: 5_000 });
      for (const end = performance.now() + ANSWER_MS; count(answer) === before && performance.now() < end;)
        await delay(50);
    }
  }
}

const KEPT = /Linux version|Command line|virtiofs|fuse|EXT4|device-mapper|nbd|loop:|NFS|RPC| vd[a-z]/;

/** Of the boot what tells the kernel and its filesystems, then everything since init printed its first line. */
function trimmed(text) {
  const lines = text.split(/\r?\n/);
  const ours = lines.findIndex((line) => line.startsWith('Mounted '));
  return [...lines.slice(0, ours).filter((line) => KEPT.test(line)), ...lines.slice(ours)].join('\n');
}

function makingOf(name, called) {
  if (goldenNames().includes(called)) return readGolden(called).making;
  if (name === PAGE_IN) return [PAGE_IN_MAKING];
  const script = readFileSync(join(project, 'guest/wedges', `${name}.sh`), 'utf8');
  return script.slice(0, script.search(/^[^#]/m)).trimEnd().split('\n');
}

/** NAME, or e.g. NAME-6.12 and NAME-7.3-rt. */
function logOf(name, release) {
  if (release === undefined) return name;
  return `${name}-${/^\d+\.\d+/.exec(release)[0]}${release.includes('-rt-') ? '-rt' : ''}`;
}

async function record(name, image) {
  const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-golden-'));
  const append = `loglevel=7 wedge.mode=${name === PAGE_IN ? 'job' : name}`;
  const store = join(scratch, 'store'); // the image's own stays as it is
  cpSync(image.store, store, { recursive: true });
  const guest = await startGuest({ vm: VM, image: { ...image, store }, append, extra: makeDisk(scratch) });
  try {
    const file = guest.console.replace(/^file:/, '');
    const storeStopped = await wedge(name, guest, file);
    await delay(SETTLE_MS);
    await capture(guest, file);
    const called = logOf(name, image.release);
    const log = Buffer.from(trimmed(consoleOf(file)), 'latin1');
    if (log.length > MAX_BYTES) throw new Error(`${called}.log would have ${log.length} bytes`);
    writeFileSync(goldenPath(called), goldenText({ making: makingOf(name, called), storeStopped, log }));
    execFileSync('npm', ['run', '-s', 'golden', '--', '--update', '-t', ` ${called}$`], { cwd: project });
    const title = readFileSync(goldenPath(called), 'utf8').match(/^TITLE: .*/m)?.[0];
    say(`${called}.log: ${log.length} bytes; ${title}`);
  } finally {
    await guest.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const { values, positionals: names } = parseArgs({
  options: { kernel: { type: 'string' } },
  allowPositionals: true,
});
const { kernel } = values;
const known = [PAGE_IN, ...(await wedgeNames())];
const unknown = names.filter((name) => !known.includes(name));
if (names.length === 0 || unknown.length > 0 || (kernel && !kernelNames.includes(kernel))) {
  say(`usage: record.mjs [--kernel=${kernelNames.join('|')}] NAME…, of: ${known.join(' ')}`);
  process.exitCode = 2;
} else {
  delete process.env.XDG_RUNTIME_DIR; // so that the guest is a child of this process and its console a file
  const recipe = await wedgeRecipe();
  const image = await (kernel
    ? buildKernelGuest(guestCache(), kernel, { log: say }, recipe)
    : buildGuest(guestCache(), { log: say }, recipe));
  for (const name of names) {
    await record(name, image).catch((error) => {
      say(`${name}: ${error.stack}`);
      process.exitCode = 1;
    });
  }
}
