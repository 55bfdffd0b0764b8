/**
 * How fast the journal is taken in, as a share of the speed of `journalctl … > /dev/null` with the same matches and
 * fields. Needs `npm run build` and the package systemd-journal-remote, which makes a journal of console lines.
 *   node bench/ingest.mjs [LINES [OTHERS]]  a journal of its own, 200,000 lines by default; of ten, so many are no guest's
 *   node bench/ingest.mjs --source ARG…     the last 15 minutes of a journal that exists: arguments for journalctl, --directory=…
 */
/* global AbortController, Buffer, clearTimeout, setTimeout */
import { execa } from 'execa';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { hrtime } from 'node:process';
import { cleanRow } from '../dist/core/console/clean.js';
import { configSchema } from '../dist/core/config/schema.js';
import { guestMatches, guestRouter } from '../dist/core/journal/route.js';
import { followJournal } from '../dist/io/journal.js';
import { journalctlArguments } from '../dist/io/journal-process.js';

const REMOTE = '/lib/systemd/systemd-journal-remote';
const ROUNDS = 5;
/** Within what a daemon without a saved position reads. */
const CONTEXT_MS = 15 * 60_000;
const START = (Date.now() - CONTEXT_MS / 2) * 1000;
const UID = 1000;
const matches = guestMatches('user', UID);
const guestOf = guestRouter(configSchema.parse({}), null, 'user');

function consoleLine(i) {
  const stamp = `[${(i / 100).toFixed(6).padStart(12)}] `;
  if (i % 7 === 0) return `\x1b[0;32m  OK  \x1b[0m] Started job ${i}.\r`;
  if (i % 11 === 0)
    return `${stamp}task:kworker/u8:${i % 40}     state:D stack:0     pid:${i % 32768} ppid:2      flags:0x00004000`;
  return `${stamp} folio_wait_bit_common+0x${(i % 4096).toString(16)}/0x350 [virtiofs]`;
}

function exportEntry(i, others) {
  const vm = `vm${i % 3}`;
  const unit = i % 10 < others ? 'other.service' : `qemu-system@${vm}.service`;
  const cgroup = `/user.slice/user-${UID}.slice/user@${UID}.service/app.slice/app-qemu\\x2dsystem.slice/${unit}`;
  const text = `__REALTIME_TIMESTAMP=${START + i * 50}
__MONOTONIC_TIMESTAMP=${1e9 + i * 50}
_BOOT_ID=00112233445566778899aabbccddeeff
PRIORITY=6
SYSLOG_FACILITY=3
SYSLOG_IDENTIFIER=qemu-system@${vm}
_UID=${UID}
_GID=${UID}
_CAP_EFFECTIVE=0
_SYSTEMD_OWNER_UID=${UID}
_SYSTEMD_UNIT=user@${UID}.service
_SYSTEMD_SLICE=user-${UID}.slice
_MACHINE_ID=0123456789abcdef0123456789abcdef
_HOSTNAME=host
_RUNTIME_SCOPE=system
_TRANSPORT=stdout
_STREAM_ID=0000000000000000000000000000000${i % 3}
_PID=${100 + (i % 3)}
_COMM=qemu-system-x86
_EXE=/usr/bin/qemu-system-x86_64
_SYSTEMD_CGROUP=${cgroup}
_SYSTEMD_USER_UNIT=${unit}
_SYSTEMD_USER_SLICE=app-qemu\\x2dsystem.slice
_SYSTEMD_INVOCATION_ID=0000000000000000000000000000001${i % 3}
`;
  const line = consoleLine(i);
  if (!line.includes('\x1b')) return Buffer.from(`${text}MESSAGE=${line}\n\n`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(line.length));
  return Buffer.concat([Buffer.from(`${text}MESSAGE\n`), length, Buffer.from(`${line}\n\n`)]);
}

async function makeJournal(directory, lines, others) {
  const remote = execa(REMOTE, [`--output=${join(directory, 'bench.journal')}`, '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  for (let i = 0; i < lines; i += 1000) {
    const batch = Array.from({ length: Math.min(1000, lines - i) }, (_, k) => exportEntry(i + k, others));
    if (!remote.stdin.write(Buffer.concat(batch))) await once(remote.stdin, 'drain');
  }
  remote.stdin.end();
  await remote;
}

const seconds = (from) => Number(hrtime.bigint() - from) / 1e9;

async function baseline(source) {
  const sink = await open('/dev/null', 'w');
  const args = journalctlArguments(source, matches, { sinceMs: Date.now() - CONTEXT_MS }).filter(
    (arg) => arg !== '--follow' && arg !== '--no-tail',
  );
  const from = hrtime.bigint();
  await execa('journalctl', args, { stdin: 'ignore', stdout: sink.fd, stderr: 'ignore' });
  const took = seconds(from);
  await sink.close();
  return took;
}

async function ingest(source, expected) {
  const stop = new AbortController();
  const quiet = setTimeout(() => stop.abort(), 5000);
  const from = hrtime.bigint();
  const cpu = process.cpuUsage();
  let seen = 0;
  let took = 0;
  await followJournal({
    matches,
    source,
    position: null,
    signal: stop.signal,
    onStatus: () => undefined,
    onEntries: (entries) => {
      for (const entry of entries) if (guestOf(entry) !== null) cleanRow(entry.message);
      seen += entries.length;
      took = seconds(from);
      quiet.refresh();
      if (seen === expected) stop.abort();
    },
  });
  clearTimeout(quiet);
  return { seen, took, own: process.cpuUsage(cpu).user / 1e6 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function measure(source, expected) {
  const plain = [];
  const ours = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    plain.push(await baseline(source));
    const { seen, took, own } = await ingest(source, expected);
    ours.push(took);
    process.stdout.write(
      `journalctl ${plain[round].toFixed(2)} s, taken in ${took.toFixed(2)} s (${seen} lines, own CPU ${own.toFixed(2)} s)\n`,
    );
  }
  process.stdout.write(
    `speed: ${(median(plain) / median(ours)).toFixed(2)} of journalctl's own (budget 0.9)\n`,
  );
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--source') await measure(rest, Infinity);
else {
  const [lines, others] = [Number(first ?? 200_000), Number(rest[0] ?? 0)];
  const directory = await mkdtemp(join(tmpdir(), 'wedgewatch-bench-'));
  try {
    await makeJournal(directory, lines, others);
    await measure([`--directory=${directory}`], lines);
  } finally {
    await rm(directory, { recursive: true });
  }
}
