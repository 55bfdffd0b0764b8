import { expect, it } from 'vitest';
import type { Task } from '../../../src/core/model.js';
import { blockedText, fallbacksOf, taskRows } from '../../../src/core/report/task-table.js';

const frame = (symbol: string) => ({ symbol, offset: 1, size: 2, module: null, reliable: true });

const task = (comm: string, more: Partial<Task>): Task => ({
  ...{ comm, pid: 7, ppid: 1, state: 'S', workqueue: null, blockedForSeconds: null, frames: [] },
  ...more,
});

const store = { type: 'virtiofs', source: 'store', on: '/mnt/store' };
const tasks = [
  task('busy', { state: 'R', onCpu: true, cpu: 1, offCpuSeconds: 0 }),
  task('late', { state: 'R', queued: true, cpu: 0, offCpuSeconds: 3 }),
  task('mv', {
    state: 'D',
    offCpuSeconds: 9.5,
    frames: ['__schedule', 'schedule', 'rwsem_down_write_slowpath', 'lock_rename', 'do_renameat2'].map(frame),
    wantsLock: { kind: 'rwsem', address: 'ffff8880', owner: { comm: 'mv', pid: 9 }, held: 'writer' },
  }),
  task('cat', {
    state: 'D',
    offCpuSeconds: 20,
    frames: ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit_common', 'filemap_fault'].map(frame),
    objects: [
      { kind: 'file', text: '/big', filesystem: store },
      { kind: 'folio', text: '/big index 4', filesystem: store, state: 'locked' },
    ],
  }),
  task('ls', { offCpuSeconds: 1, request: { operation: 'LOOKUP', unique: '12', source: 'store' } }),
  task('kworker/0:1', {
    offCpuSeconds: 50,
    frames: ['__schedule', 'schedule', 'worker_thread', 'kthread', 'ret_from_fork'].map(frame),
  }),
];

it('shows who is longest off the CPU first, where and for what', () => {
  const { rows, hidden } = taskRows({ tasks }, false);
  expect(hidden).toBe(1);
  expect(rows.map(({ comm, waitsIn, waitsFor }) => [comm, waitsIn, waitsFor])).toEqual([
    ['cat', 'filemap_fault', 'folio /big index 4 of virtiofs:store on /mnt/store'],
    ['mv', 'lock_rename', 'rwsem ffff8880 of mv:9'],
    ['late', 'waits for CPU 0', null],
    ['ls', null, 'LOOKUP request 12 to store'],
    ['busy', 'on CPU 1', null],
  ]);
  expect(rows.at(-1)?.offCpuSeconds).toBeNull();
});

it('names who is blocked, whom one would find late among those that rest for days', () => {
  const waits = (pid: number) =>
    task('ls', { pid, offCpuSeconds: pid, request: { operation: 'LOOKUP', unique: '1', source: null } });
  expect(blockedText({ tasks: [task('sshd', { offCpuSeconds: 99_999 })] })).toBe('');
  expect(blockedText({ tasks })).toBe(
    'blocked: cat:7 for 20.0 s in filemap_fault, mv:7 for 9.5 s in lock_rename, ls:7 for 1.0 s',
  );
  expect(blockedText({ tasks: [1, 2, 3, 4, 5].map(waits) })).toBe(
    'blocked: ls:5 for 5.0 s, ls:4 for 4.0 s, ls:3 for 3.0 s, and 2 more',
  );
});

it('says what it had to fall back on', () => {
  const memory = { release: '7.0.0', buildId: null, clock: 1 };
  const usual = { kernel: 'note', types: 'btf', stacks: 'orc' } as const;
  const last = { kernel: 'page tables of a vCPU', types: 'learned', stacks: 'frame records' } as const;
  expect(fallbacksOf({ memory: { ...memory, how: usual, way: 'shared memory' } })).toEqual([]);
  expect(fallbacksOf({ memory: { ...memory, how: { ...usual, kernel: 'kept note' } } })).toEqual([]);
  expect(fallbacksOf({ memory: { ...memory, how: last, way: 'QEMU’s own memory' } })).toEqual([
    'read from QEMU’s own memory',
    'kernel found by the page tables of a vCPU',
    'types learned from its tasks',
    'stacks by frame records',
  ]);
});

it('says of which stack it is not sure', () => {
  const doubt = 'it ran while it was read';
  const { rows } = taskRows({ tasks: [task('torn', { doubt }), task('sure', {})] }, false);
  expect(rows.map((row) => row.doubt)).toEqual([doubt, null]);
});

it('names the call of a task that sleeps in nothing else', () => {
  const stack = [
    '__schedule',
    'schedule',
    '__do_sys_pause',
    'do_syscall_64',
    'entry_SYSCALL_64_after_hwframe',
  ];
  const place = (frames: string[]) =>
    taskRows({ tasks: [task('sleeps', { frames: frames.map(frame) })] }, false).rows[0]?.waitsIn;
  expect(place(stack)).toBe('__do_sys_pause');
  expect(place(stack.filter((symbol) => symbol !== '__do_sys_pause'))).toBe('do_syscall_64');
});

it('shows idle kernel threads where all are wanted', () => {
  expect(taskRows({ tasks }, true).rows[0]).toMatchObject({ comm: 'kworker/0:1', offCpuSeconds: 50 });
});
