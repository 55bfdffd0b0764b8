/** ps, stacks and dmesg of wedged guests, by their user and without a daemon, beside what the guests print for SysRq-t. */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StackGroup } from '../../src/core/model.js';
import type { Incident } from '../../src/core/report/incident.js';
import type { TaskRow } from '../../src/core/report/task-table.js';
import type { Check } from '../../src/daemon/check.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { buildKernelGuest } from '../../src/guest/kernels.js';
import { LOADED, writeRecordedRam } from '../golden-memory/raw-ram.js';
import { verb } from './by-hand.js';
import { continueStore, newVm, qmpSocket, startGuest, stopGuest, stopStore, waitForSsh } from './guests.js';
import { shareScenes } from './scenes.js';
import { World } from './world.js';

const options = { log: () => undefined };
const guests = [
  // Of a buffer so large the kernel's own tables alone are 70 MB.
  { kernel: 'of the host', vm: newVm(), port: 2510, append: 'loglevel=7 log_buf_len=16M' },
  { kernel: 'newest', vm: newVm(), port: 2511 },
];

let world: World;

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), options));
  const newest = await shareScenes(
    await buildKernelGuest(guestCache(), 'newest', options),
    world.share,
    'newest',
  );
  for (const { kernel, vm, port, append } of guests) {
    const image = kernel === 'newest' ? newest : undefined;
    await startGuest(world, { vm, mode: 'job', port, image, ...(append !== undefined && { append }) });
    await waitForSsh(world, vm, 120_000);
    await stopStore(world, vm);
  }
}, 600_000);

afterAll(async () => {
  for (const { vm } of guests) await continueStore(world, vm).catch(() => undefined);
  for (const { vm } of guests) await stopGuest(world, vm).catch(() => undefined);
  await world.down();
});

const shown = (symbol: string, module: string | null) =>
  `${symbol.replace(/\..*$/, '')}${module === null ? '' : ` [${module}]`}`;

describe.each(guests)('a guest whose store has stopped, kernel $kernel', ({ vm }) => {
  test('ps says which task waits for which page', async () => {
    const blocked = async () => {
      const { out } = await verb(world, `ps ${vm} --json`);
      // A login may have waited before it, for the page of another file.
      return (JSON.parse(out) as TaskRow[]).find(
        ({ state, offCpuSeconds, waitsIn }) =>
          state === 'D' && (offCpuSeconds ?? 0) > 3 && waitsIn === 'filemap_fault',
      );
    };
    await expect.poll(blocked, { timeout: 90_000, interval: 1_000 }).toMatchObject({
      waitsIn: 'filemap_fault',
      waitsFor: expect.stringMatching(/^folio \/ash index \d+ of virtiofs:store on \/mnt\/store$/) as string,
    });
  });

  test('dmesg has the log from its first line on', async () => {
    const { out, code } = await verb(world, `dmesg ${vm}`);
    expect(code).toBe(0);
    expect(out).toMatch(/^\[ +\d+\.\d+\] Linux version \d/);
    expect(out).toContain('virtiofs');
  });

  test('stacks are those that SysRq-t shows', async () => {
    const { out, code } = await verb(world, `stacks ${vm} --all --json`);
    expect(code).toBe(0);
    const told = new Map(
      (JSON.parse(out) as StackGroup[]).flatMap(({ pids, state, frames }) =>
        pids.map(
          (pid) => [pid, `${state} ${frames.map((frame) => frame.replace(/\.\S*/, '')).join(' ')}`] as const,
        ),
      ),
    );
    const capture = await verb(world, `capture ${vm} --keys t --json`, 180_000);
    const dump = (JSON.parse(capture.out) as Incident).dumps.find(({ key }) => key === 't');
    // Logins and their children came in between.
    const printed = (dump?.tasks ?? []).filter(
      ({ pid, state }) => (state === 'D' || state === 'S') && told.has(pid ?? -1),
    );
    expect(printed.length).toBeGreaterThan(20);
    const other = printed.filter(({ pid, state, frames }) => {
      const firm = frames.filter(({ reliable }) => reliable);
      const text = `${state} ${firm.map(({ symbol, module }) => shown(symbol, module)).join(' ')}`;
      return told.get(pid ?? -1) !== text;
    });
    // One that ran in between, such as a flusher, may stand elsewhere.
    expect(other.map(({ comm }) => comm)).toHaveLength(Math.min(other.length, 2));
  }, 240_000);

  test('doctor says how its memory is read', async () => {
    const { out } = await verb(world, `doctor ${vm} --json`, 120_000);
    const check = (JSON.parse(out) as Check[]).find(({ what }) => what === `${vm}: memory`);
    expect(check).toMatchObject({ result: 'ok', detail: expect.stringContaining('shared memory') as string });
  });
});

/** As with file capabilities: the kernel lets nobody read a process whose program cannot be read. */
describe('a QEMU that is not dumpable, with the memory of a recorded guest', () => {
  const vm = newVm();
  const size = 384;
  const program = '/usr/bin/qemu-system-unread';
  const unit = `${vm}.service`;

  beforeAll(async () => {
    writeRecordedRam(join(world.share, 'ram'), '6.1-pagein', size);
    await world.root(['install', '--mode=711', '/usr/bin/qemu-system-x86_64', program]);
    await world.dev(['mkdir', '-p', dirname(qmpSocket(vm))]);
    const args = [
      ...[
        '-M',
        'q35',
        '-accel',
        'tcg',
        '-S',
        '-nodefaults',
        '-display',
        'none',
        '-smp',
        '2',
        '-m',
        `${size}M`,
      ],
      ...['-object', `memory-backend-memfd,id=mem,size=${size}M,share=on`, '-numa', 'node,memdev=mem'],
      ...['-qmp', `unix:${qmpSocket(vm)},server=on,wait=off`],
      ...['-device', `loader,file=/share/ram,addr=${LOADED},force-raw=on`],
    ];
    await world.dev(['systemd-run', '--user', '--quiet', '--collect', `--unit=${unit}`, program, ...args]);
  });

  afterAll(() => world.dev(['systemctl', '--user', 'kill', '--signal=KILL', unit]));

  test('is read through its own copies, and ps says why and what opens more', async () => {
    let [out, err] = ['', ''];
    const ps = async () => {
      const ended = await verb(world, `ps ${vm} --all --json`);
      [out, err] = [ended.out, ended.err];
      return ended.code;
    };
    await expect.poll(ps, { timeout: 60_000, interval: 500 }).toBe(4);
    expect((JSON.parse(out) as TaskRow[]).map(({ comm }) => comm)).toContain('kthreadd');
    expect(err).toMatch(
      /QEMU copied the memory piece by piece[^]*it was read so because QEMU is not dumpable/,
    );
    expect(err).toMatch(/to read it whole: start QEMU as this user/);
  });

  test('and is not read at all once it has stopped', async () => {
    await world.dev(['systemctl', '--user', 'kill', '--signal=STOP', unit]);
    const { code, err } = await verb(world, `ps ${vm}`);
    expect(code).toBe(5);
    expect(err).toMatch(/cannot be read: QEMU is not dumpable: /);
  });
});
