/**
 * The ways to a guest's memory, on a QEMU that stands still before its first instruction and whose RAM is that of a
 * recorded guest. Its reader runs from dist/.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { ProcessMemoryReader } from '../../../src/daemon/process-memory-reader.js';
import { KnownGuest } from '../../../src/core/memory/known-guest.js';
import { MemoryGuests } from '../../../src/daemon/memory-guests.js';
import { askMap, type MemorySource } from '../../../src/io/memory/source.js';
import type { SavedRam } from '../../../src/io/memory/saved-ram.js';
import { openRam } from '../../../src/io/memory/open-ram.js';
import { readArgv } from '../../../src/io/proc.js';
import { withQmp } from '../../../src/io/qmp/with-qmp.js';
import { LOADED, writeRecordedRam } from '../../golden-memory/raw-ram.js';
import { PAGE } from '../../golden-memory/recording.mjs';

const root = join(import.meta.dirname, '../../..');
const dist = <Module>(path: string): Promise<Module> => import(join(root, 'dist', path)) as Promise<Module>;
const SIZE = 384 * 2 ** 20;
const NODES = ['m0', 'm1'].flatMap((id, cpu) => [
  ...[
    '-object',
    `memory-backend-memfd,id=${id},size=192M,share=on`,
    '-numa',
    `node,cpus=${cpu},memdev=${id}`,
  ],
]);
const SHARED = ['-object', 'memory-backend-memfd,id=mem,size=384M,share=on', '-numa', 'node,memdev=mem'];

/** Most of it. */
const HALF = [
  ...['-object', 'memory-backend-memfd,id=m0,size=320M,share=on', '-numa', 'node,cpus=0,memdev=m0'],
  ...['-object', 'memory-backend-ram,id=m1,size=64M', '-numa', 'node,cpus=1,memdev=m1'],
];

const directory = mkdtempSync(join(tmpdir(), 'wedgewatch-ram-'));
const raw = join(directory, 'raw');
const qmpSocket = join(directory, 'qmp.sock');
/** In a file of so much, of which the guest has the first part. */
function inFile(size: string, share: 'on' | 'off'): string[] {
  const path = join(directory, `file-${size}-${share}`);
  writeFileSync(path, '');
  truncateSync(path, Number.parseInt(size) * 2 ** 20);
  return [
    ...['-object', `memory-backend-file,id=mem,size=384M,mem-path=${path},share=${share}`],
    ...['-numa', 'node,memdev=mem'],
  ];
}

let pages: Map<number, Uint8Array>;
let qemu: ChildProcess | null = null;
let reader: ProcessMemoryReader;

beforeAll(async () => {
  pages = writeRecordedRam(raw, '6.1-pagein', SIZE >> 20);
  const module = await dist<{ ProcessMemoryReader: new () => ProcessMemoryReader }>(
    'daemon/process-memory-reader.js',
  );
  reader = new module.ProcessMemoryReader();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  if (qemu !== null && qemu.exitCode === null && qemu.signalCode === null) {
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
  }
  rmSync(qmpSocket, { force: true });
});

afterAll(() => {
  reader.close();
  rmSync(directory, { recursive: true });
});

/** Returns its pid once its RAM is loaded. */
async function start(...more: string[]): Promise<number> {
  const words = [
    ...['-M', 'q35', '-accel', 'tcg', '-S', '-nodefaults', '-display', 'none', '-smp', '2', '-m', '384M'],
    ...['-qmp', `unix:${qmpSocket},server=on,wait=off`],
    ...['-device', `loader,file=${raw},addr=${LOADED},force-raw=on`, ...more],
  ];
  qemu = spawn('qemu-system-x86_64', words, { stdio: 'ignore' });
  while (!existsSync(qmpSocket)) await delay(50);
  // It answers once its machine is made.
  await withQmp(qmpSocket, { timeoutMs: 10_000, holdMs: 10_000 }, (session) =>
    session.execute('query-status'),
  );
  return qemu.pid ?? 0;
}

const read = () => reader.snapshot({ vm: 'still', qmpSocket, pid: null }, 20_000);

it.each([
  ['shared memory', 'one', SHARED],
  ['shared memory', 'one for each node', NODES],
  ['shared memory', 'one in a larger file', inFile('512M', 'on')],
  ['QEMU’s own memory', 'one', []],
  ['QEMU’s own memory', 'one in a file, of which QEMU writes its own copy', inFile('384M', 'off')],
  ['shared memory', 'one, and another that is not', HALF],
])('reads the tasks from %s: %s', async (way, _, more) => {
  await start(...more);
  const taken = await read();
  expect(taken).toMatchObject({ ok: true, dump: { memory: { way } } });
  const tasks = taken.ok ? taken.dump.tasks : [];
  expect(tasks.map(({ comm }) => comm)).toContain('kthreadd');
  expect(tasks).toHaveLength(59);
});

it.each([
  ['one memory', SHARED],
  ['one for each node', NODES],
])('reads without QMP, once QEMU has stopped: %s', async (_, more) => {
  await start(...more);
  qemu?.kill('SIGSTOP');
  try {
    const taken = await read();
    expect(taken).toMatchObject({ ok: true, dump: { memory: { way: 'shared memory' } } });
    expect(taken.ok ? taken.dump.tasks : []).toHaveLength(59);
  } finally {
    qemu?.kill('SIGCONT');
  }
});

it('knows a QEMU that was started anew', async () => {
  await start(...SHARED);
  expect(await read()).toMatchObject({ ok: true });
  qemu?.kill('SIGKILL');
  await once(qemu as ChildProcess, 'exit');
  rmSync(qmpSocket, { force: true });
  expect(await read()).toEqual({
    ok: false,
    why: 'no QEMU of this guest is running',
    fix: 'start the guest',
  });
  await start(...SHARED);
  expect(await read()).toMatchObject({ ok: true });
});

it('samples again by what it was told before, until its QEMU is another one', async () => {
  const guests = new MemoryGuests();
  const sample = (source: MemorySource | null, vm = 'still') =>
    guests.answer({ type: 'sample', vm, source, registers: null, standingForSeconds: 20 });
  const sourceOf = async (pid: number): Promise<MemorySource> => {
    const signal = AbortSignal.timeout(10_000);
    const argv = (await readArgv(pid, signal)) ?? [];
    return { pid, argv, qmpSocket, ...(await askMap(qmpSocket, { qmpMs: 10_000, signal })) };
  };
  const source = await sourceOf(await start(...SHARED));
  expect(sample(null)).toMatchObject({ ok: false, why: 'its QEMU is not known any more' });
  expect(sample(source)).toMatchObject({ ok: true, tasks: 59 });
  const forget = vi.spyOn(KnownGuest.prototype, 'rest');
  // It is known yet, but stands still.
  expect(sample(null)).toMatchObject({ ok: false, why: 'the clock of its kernel stands' });
  // The page tables of many guests are much.
  expect(forget).toHaveBeenCalledTimes(1);
  expect(sample(null, 'another')).toMatchObject({ ok: false });
  qemu?.kill('SIGKILL');
  await once(qemu as ChildProcess, 'exit');
  expect(sample(null)).toMatchObject({ ok: false, why: 'its QEMU is not known any more' });
});

it('reads memory that was plugged in since', async () => {
  const pid = await start(...SHARED);
  const signal = AbortSignal.timeout(10_000);
  const argv = (await readArgv(pid, signal)) ?? [];
  const told = await askMap(qmpSocket, { qmpMs: 10_000, signal });
  const guests = new MemoryGuests();
  const snapshot = (regions: MemorySource['regions']) => {
    const source = { pid, argv, qmpSocket, hostAddresses: told.hostAddresses, regions };
    return guests.answer({ type: 'snapshot', vm: 'still', source, registers: null });
  };
  const [first] = told.regions ?? [];
  const part = first && [{ ...first, end: first.first + SIZE / 2 }];
  expect(snapshot(part ?? null)).not.toMatchObject({ ok: true, dump: { complete: true } });
  expect(snapshot(told.regions)).toMatchObject({ ok: true, dump: { complete: true } });
});

it('samples a QEMU that was started anew', async () => {
  const sample = () => reader.sample({ vm: 'still', qmpSocket, pid: null }, 20);
  await start(...SHARED);
  for (let n = 0; n < 2; n += 1) expect(await sample()).toMatchObject({ ok: true, tasks: 59 });
  qemu?.kill('SIGKILL');
  await once(qemu as ChildProcess, 'exit');
  rmSync(qmpSocket, { force: true });
  expect(await sample()).toMatchObject({ ok: false, why: 'no QEMU of this guest is running' });
  await start(...SHARED);
  expect(await sample()).toMatchObject({ ok: true, tasks: 59 });
});

it('reads what QEMU copies', async () => {
  await start();
  const module = await dist<{ SavedRam: typeof SavedRam }>('io/memory/saved-ram.js');
  const saved = new module.SavedRam(qmpSocket, [{ id: 'ram', first: 0, end: SIZE, offset: 0 }]);
  try {
    saved.open();
    const [page, bytes] = [...pages].find(([number]) => number * PAGE >= 2 * LOADED) ?? [0, new Uint8Array()];
    const into = new Uint8Array(PAGE);
    expect(saved.read(page * PAGE, into)).toBe(true);
    expect(Buffer.from(into).equals(bytes)).toBe(true);
    expect(saved.read(SIZE - 8, new Uint8Array(16))).toBe(false);
  } finally {
    saved.end();
  }
});

it('leaves nothing of the memory behind between two looks, nor what a killed reader left', async () => {
  await start();
  vi.stubEnv('XDG_RUNTIME_DIR', directory);
  vi.stubEnv('TMPDIR', directory);
  const left = () => readdirSync(directory).filter((name) => name.startsWith('wedgewatch-memory-'));
  const [gone, ours] = [4_194_303, process.pid].map((pid) => `wedgewatch-memory-${pid}-0123456789abcdef`);
  for (const name of [gone, ours]) mkdirSync(join(directory, name ?? ''));
  const module = await dist<{ SavedRam: typeof SavedRam }>('io/memory/saved-ram.js');
  const saved = new module.SavedRam(qmpSocket, [{ id: 'ram', first: 0, end: SIZE, offset: 0 }]);
  try {
    expect(left()).toEqual([ours]);
    for (let look = 0; look < 2; look += 1) {
      saved.open();
      expect(saved.read(0, new Uint8Array(8))).toBe(true);
      const during = left().filter((name) => name !== ours);
      expect(during).toHaveLength(1);
      expect(statSync(join(directory, during[0] ?? '')).mode & 0o777).toBe(0o700);
      saved.close();
      expect(left()).toEqual([ours]);
    }
  } finally {
    saved.end();
  }
});

it('says where QEMU makes no copy', async () => {
  const module = await dist<{ SavedRam: typeof SavedRam }>('io/memory/saved-ram.js');
  const saved = new module.SavedRam(join(directory, 'nobody'), [
    { id: 'ram', first: 0, end: SIZE, offset: 0 },
  ]);
  try {
    saved.open();
    expect(saved.read(0, new Uint8Array(8))).toBe(false);
    expect(saved.failure).toContain(join(directory, 'nobody'));
    saved.open();
    expect(saved.failure).toBeNull();
  } finally {
    saved.end();
  }
});

it('says where it had to guess where the memory lies', async () => {
  const own = NODES.map((word) => word.replace(/-memfd,(.*),share=on/, '-ram,$1'));
  await start(...own);
  qemu?.kill('SIGSTOP');
  try {
    const why = expect.stringMatching(
      /^QEMU does not answer, and where its memory lies is a guess: no kernel found/,
    ) as string;
    expect(await read()).toMatchObject({ ok: false, why });
  } finally {
    qemu?.kill('SIGCONT');
  }
});

it('says that a process that is gone has ended', () => {
  const source = { pid: 4_194_303, argv: [], qmpSocket, regions: null, hostAddresses: {} };
  expect(openRam(source)).toMatchObject({ ok: false, why: 'its QEMU has ended' });
});
