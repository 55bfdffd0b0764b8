import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { memoryDump } from '../../../src/core/memory/dump.js';
import { readLog } from '../../../src/core/memory/printk.js';
import { listStates } from '../../../src/core/memory/sample.js';
import { stacksOf, takeSnapshot } from '../../../src/core/memory/snapshot.js';
import { stateLetter } from '../../../src/core/memory/tasks.js';
import { fakeGuest, INIT, ip, RETURN, TASK_TYPES, taskAt, type FakeTask } from './fake-guest.js';
import { TEXT } from './fake-kernel.js';

const TASKS: FakeTask[] = [
  { comm: 'init', pid: 1, stack: 'syscall' },
  { comm: 'kthreadd', pid: 2, flags: 0x200000 },
  {
    comm: 'fsstress',
    pid: 40,
    parent: taskAt(1),
    state: 2,
    stack: 'syscall',
    cpu: 1,
    execStart: 90_250_000_000,
  },
  { comm: 'worker', pid: 41, tgid: 40, parent: taskAt(1), state: 0, lastQueued: 99_000_000_000 },
  { comm: 'gone', pid: 42, parent: taskAt(40), state: 0x80, exit: 0x20, stack: null },
  { comm: 'kworker/0:1', pid: 50, parent: taskAt(2), state: 0x402, flags: 0x200000, execStart: 0 },
];

const named = (snapshot: ReturnType<typeof takeSnapshot>, pid: number) =>
  snapshot.tasks.find((task) => task.pid === pid)!;

describe('takeSnapshot', () => {
  test('tasks in the order of SysRq, with their stacks', () => {
    const { kernel } = fakeGuest(TASKS);
    const snapshot = takeSnapshot(kernel, { registers: [] });
    expect(snapshot).toMatchObject({ complete: true, incompleteBecause: [], clock: 100.5 });
    expect(snapshot.tasks.map(({ comm, state, pid, tgid, ppid }) => [comm, state, pid, tgid, ppid])).toEqual([
      ['init', 'S', 1, 1, 0],
      ['kthreadd', 'S', 2, 2, 0],
      ['fsstress', 'D', 40, 40, 1],
      ['worker', 'R', 41, 40, 1],
      ['gone', 'Z', 42, 42, 40],
      ['kworker/0:1', 'I', 50, 50, 2],
    ]);
    const task = named(snapshot, 40);
    expect(task.frames.map(({ symbol }) => symbol)).toEqual([
      ...['schedule', 'vfs_read', 'entry_SYSCALL_64_after_hwframe'],
    ]);
    expect(task).toMatchObject({
      ...{ end: { proper: true, why: 'user' }, syscall: { number: 0, args: [3n, 0n, 0n, 0n, 0n, 0n] } },
      ...{
        kernelThread: false,
        switches: 41,
        queued: false,
        torn: false,
        cpu: 1,
        blocker: 0n,
        blockedOn: null,
      },
    });
    expect(task.stack?.bytes.length).toBe(512);
    expect(named(snapshot, 50)).toMatchObject({
      kernelThread: true,
      end: { proper: true, why: 'end' },
      syscall: null,
    });
    expect(named(snapshot, 42)).toMatchObject({ frames: [], end: { proper: true } });
  });

  test('since when a task is off the CPU, by the clock of its own run queue', () => {
    const snapshot = takeSnapshot(fakeGuest(TASKS).kernel, { registers: [] });
    expect(named(snapshot, 40).offCpuSeconds).toBeCloseTo(10, 6);
    expect(named(snapshot, 1).offCpuSeconds).toBeCloseTo(99.5, 6);
    expect(named(snapshot, 50).offCpuSeconds).toBeNull();
    expect(named(snapshot, 41)).toMatchObject({ queued: true });
  });

  test('a task on a CPU has the stack of its vCPU, where every call is proved', () => {
    const running = TASKS.map((task) => (task.pid === 40 ? { ...task, onCpu: true, state: 0 } : task));
    const { kernel, registers, memory } = fakeGuest(running, [0, 40]);
    const snapshot = takeSnapshot(kernel, { registers });
    expect(snapshot.cpus).toMatchObject([
      { cpu: 0, vcpu: 0, idle: true, task: { comm: 'swapper/0' } },
      { cpu: 1, vcpu: 1, idle: false, task: { pid: 40 }, interruptsOff: true, user: false },
    ]);
    expect(snapshot.cpus[1]?.frames.map(({ symbol }) => symbol)).toEqual([
      ...['spin', 'vfs_read', 'entry_SYSCALL_64_after_hwframe'],
    ]);
    expect(named(snapshot, 40)).toMatchObject({ offCpuSeconds: 0, end: { why: 'user' }, stack: null });
    expect(named(snapshot, 40).frames).toHaveLength(3);
    expect(snapshot.complete).toBe(true);

    memory.bytes(TEXT + RETURN.read - 5n, [0x90]);
    const moved = takeSnapshot(fakeGuest(running, [0, 40]).kernel, { registers: [] });
    expect(moved.incompleteBecause).toEqual(['1 task runs, and its stack is not sure']);
    const unproved = takeSnapshot({ ...kernel }, { registers });
    expect(unproved.cpus[1]?.end).toEqual({ proper: false, why: 'no call leads to vfs_read' });
    expect(named(unproved, 40).frames).toEqual([]);
    const dump = memoryDump(unproved);
    const stackRead = { tries: 1, torn: false, uncalled: [1], endsEarly: 'no call leads to vfs_read' };
    expect([dump.cpus[1]?.stackRead, dump.tasks.find(({ pid }) => pid === 40)?.stackRead]).toEqual([
      stackRead,
      stackRead,
    ]);
  });

  test('a vCPU in user mode', () => {
    const running = TASKS.map((task) => (task.pid === 40 ? { ...task, onCpu: true } : task));
    const { kernel, registers } = fakeGuest(running, [0, 40]);
    const user = registers.map((one) => ({ ...one, user: one.vcpu === 1 }));
    const snapshot = takeSnapshot(kernel, { registers: user });
    expect(snapshot.cpus[1]).toMatchObject({ user: true, frames: [], end: { proper: true, why: 'user' } });
    expect(snapshot.complete).toBe(true);
  });

  test('a task that runs while it is read is read again, three times', () => {
    const { kernel, memory } = fakeGuest(TASKS);
    let switches = 100;
    let reads = 0;
    // Its stack is read: meanwhile it ran.
    memory.onRead = (va) => {
      if (va < 0xffff_c900_0000_0000n + 40n * 0x8000n || va >= 0xffff_c900_0000_0000n + 41n * 0x8000n) return;
      if (++reads <= moving) memory.u64(taskAt(40) + 136n, ++switches);
    };
    let moving = 2;
    const settled = takeSnapshot(kernel, { registers: [] });
    expect(named(settled, 40)).toMatchObject({ torn: false, switches: 103, end: { why: 'user' } });
    const readOf = (snapshot: typeof settled) =>
      memoryDump(snapshot).tasks.map(({ pid, stackRead }) => [pid, stackRead]);
    expect(readOf(settled)).toContainEqual([40, { tries: 3, torn: false, uncalled: [], endsEarly: null }]);
    expect(readOf(settled)).toContainEqual([1, undefined]);
    [moving, reads] = [3, 0];
    const torn = takeSnapshot(kernel, { registers: [] });
    expect(named(torn, 40)).toMatchObject({
      torn: true,
      frames: [],
      end: { why: 'it ran while it was read' },
    });
    expect(torn.incompleteBecause).toEqual(['1 task ran while it was read']);
    expect(readOf(torn)).toContainEqual([
      40,
      { tries: 3, torn: true, uncalled: [], endsEarly: 'it ran while it was read' },
    ]);
  });

  test.each([
    ['the list of processes leads in a circle', taskAt(50), taskAt(2)],
    ['the list of processes leads nowhere', taskAt(50), 0x1000n],
    ['the list of processes leads to what is no task', taskAt(50), TEXT],
  ])('%s', (why, from, to) => {
    const { kernel, memory } = fakeGuest(TASKS);
    memory.u64(from + BigInt(TASK_TYPES['task_struct.tasks.next']), to + 80n);
    const snapshot = takeSnapshot(kernel, { registers: [] });
    expect(snapshot).toMatchObject({ complete: false, incompleteBecause: [why] });
    expect(snapshot.tasks).toHaveLength(6);
  });

  test('one stack without its end', () => {
    const { kernel, memory } = fakeGuest(TASKS);
    memory.u64(0xffff_c900_0000_0000n + 40n * 0x8000n + 16384n - 512n + 56n + 24n, 0);
    const snapshot = takeSnapshot(kernel, { registers: [] });
    expect(snapshot.incompleteBecause).toEqual(['1 stack has no proper end']);
    expect(named(snapshot, 40).frames).toHaveLength(2);
  });

  test('types that do not tell its tasks', () => {
    const { kernel } = fakeGuest(TASKS);
    const blind = { ...kernel, layouts: { ...kernel.layouts, offset: () => null } };
    expect(takeSnapshot(blind, { registers: [] }).incompleteBecause).toEqual([
      'the types of its tasks are not known',
    ]);
    expect(stacksOf(blind, [taskAt(1)])).toEqual([]);
  });

  test('what learned types lack is left open', () => {
    const { kernel } = fakeGuest(TASKS);
    const learned = [
      'tasks',
      'pid',
      'comm',
      'stack',
      '__state',
      'thread.sp',
      'signal',
      'thread_node',
      'real_parent',
    ];
    const offset = (struct: string, path: string) =>
      struct !== 'task_struct' || learned.some((name) => path.startsWith(name))
        ? kernel.layouts.offset(struct, path)
        : null;
    const snapshot = takeSnapshot({ ...kernel, layouts: { ...kernel.layouts, offset } }, { registers: [] });
    expect(snapshot.complete).toBe(true);
    expect(named(snapshot, 40)).toMatchObject({
      state: 'D',
      ppid: 1,
      switches: 0,
      offCpuSeconds: null,
      cpu: null,
    });
    expect(named(snapshot, 42).state).toBe('Z');
    expect(named(snapshot, 50).kernelThread).toBe(true);
  });
});

test('a kernel that does not name its run queues tells the time by who ran last', () => {
  const { kernel } = fakeGuest(TASKS);
  const address = (name: string) => (name === 'runqueues' ? null : kernel.symbols.address(name));
  const nameless = {
    ...kernel,
    symbols: { ...kernel.symbols, at: (va: bigint) => kernel.symbols.at(va), address },
  };
  const whole = takeSnapshot(nameless, { registers: [] });
  const { clock } = listStates(nameless);
  expect(clock).toBeGreaterThan(0);
  expect(clock).toBe(whole.clock);
  const age = named(whole, 1).offCpuSeconds;
  expect(age).toBeGreaterThan(0);
  expect(stacksOf(nameless, [taskAt(1)], clock)[0]?.offCpuSeconds).toBe(age);
});

test('stacksOf and listStates tell the same of one task', () => {
  const { kernel } = fakeGuest(TASKS);
  const taken = takeSnapshot(kernel, { registers: [] });
  expect(stacksOf(kernel, [taskAt(40), 0n, taskAt(1)])).toEqual([named(taken, 40), named(taken, 1)]);
  const states = listStates(kernel);
  expect(states).toMatchObject({ clock: 100.5, broken: null });
  expect(states.tasks).toHaveLength(6);
  expect(states.tasks[2]).toEqual({
    ...{ address: taskAt(40), pid: 40, comm: 'fsstress', state: 'D', switches: 41, onCpu: false },
  });
});

test('stacksOf reads the list of modules once, not for each stack', () => {
  const { kernel } = fakeGuest(TASKS);
  stacksOf(kernel, [taskAt(40)]);
  const forget = vi.spyOn(kernel.space, 'forget');
  expect(stacksOf(kernel, [taskAt(40), taskAt(1), taskAt(40)])).toHaveLength(3);
  expect(forget).toHaveBeenCalledTimes(1);
});

test.each([
  ['R', 0, 0],
  ['S', 1, 0],
  ['D', 2, 0],
  ['D', 2 | 0x100, 0],
  ['I', 0x402, 0],
  ['I', 0x2402, 0],
  ['T', 4, 0],
  ['t', 8, 0],
  ['X', 0x80, 0x10],
  ['Z', 0x80, 0x20],
  ['P', 0x40, 0],
  ['D', 0x1000, 0],
  ['D', 0x8000, 0],
  ['Z', 0x80, null],
])('state %s of 0x%s', (letter, state, exit) => {
  expect(stateLetter(state, exit)).toBe(letter);
});

test('a forged memory misleads about itself, and nothing throws or grows', () => {
  const interesting = [
    0n,
    0xffffffffffffffffn,
    INIT,
    taskAt(1),
    taskAt(40),
    TEXT,
    ip('read'),
    0xffffc90000140000n,
  ];
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(2, 20, 200), (seed, rarely) => {
      const { kernel, memory, registers } = fakeGuest(TASKS, [0, 40]);
      let state = seed;
      const random = (limit: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state >>> 8) % limit;
      };
      memory.mutate = (into) => {
        if (random(rarely) !== 0) return;
        const at = random(into.length);
        if (random(2) === 0) into[at] = random(256);
        else if (at + 8 <= into.length)
          new DataView(into.buffer, into.byteOffset).setBigUint64(
            at,
            interesting[random(interesting.length)]!,
            true,
          );
      };
      const snapshot = takeSnapshot(kernel, { registers });
      expect(snapshot.tasks.length).toBeLessThanOrEqual(50_000);
      for (const { frames } of snapshot.tasks) expect(frames.length).toBeLessThanOrEqual(512);
      listStates(kernel);
      stacksOf(kernel, [taskAt(40)]);
      readLog(kernel);
    }),
    { numRuns: 300 },
  );
});
