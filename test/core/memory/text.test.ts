import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { memoryText } from '../../../src/core/memory/text.js';
import type { Dump, Task } from '../../../src/core/model.js';
import { printable } from '../../../src/core/printable.js';

const back = (dump: Dump): Dump[] => parseDumps(memoryText(dump).split('\n'), { pasted: true });

const count = fc.nat(2 ** 31);
const seconds = fc.nat(10_000_000).map((ms) => ms / 1000);
/** What a guest may put in: any text, made fit for a line as everywhere. */
const hostile = (max: number) =>
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: max }).map((text) => printable(text, max)),
    fc.constantFrom(
      'task:x state:D',
      'End of the tasks from memory: 1',
      '", filesystem "x',
      '[ 1.000000] kernel: ',
    ),
  );
const comm = hostile(15).map((text) => text.slice(0, 15).trim() || '?');
const hex = fc.bigInt(0n, (1n << 64n) - 1n).map((value) => `0x${value.toString(16)}`);
const stackRead = fc.record(
  {
    tries: fc.nat(9),
    torn: fc.boolean(),
    uncalled: fc.array(fc.nat(511), { maxLength: 4 }),
    endsEarly: fc.option(
      fc.constantFrom('its frames leave the stack', 'no call leads to vfs_read, it is said'),
    ),
  },
  { noNullPrototype: true },
);
const symbol = fc.stringMatching(/^[a-z_][a-z0-9_.]{0,20}$/);
const frame = fc.record({
  symbol,
  offset: fc.nat(9999),
  size: fc.nat(9999),
  module: fc.option(fc.stringMatching(/^[a-z_]{1,10}$/)),
  reliable: fc.boolean(),
});
const optional = { noNullPrototype: true } as const;
const filesystem = fc.record(
  { type: hostile(20), source: fc.option(hostile(40)), on: fc.option(hostile(40)) },
  optional,
);
const object = fc.record(
  {
    kind: fc.constantFrom('file', 'folio', 'inode', 'dentry', 'superblock', 'lock', 'device'),
    text: hostile(60),
    filesystem,
    state: fc.constantFrom('locked', 'writeback'),
  },
  { ...optional, requiredKeys: ['kind', 'text'] },
);
const lock = fc.record(
  {
    kind: fc.constantFrom('mutex', 'rwsem', 'semaphore'),
    address: hex,
    owner: fc.option(fc.record({ comm, pid: count }, optional)),
    name: symbol,
    held: fc.constantFrom('writer', 'readers'),
  },
  { ...optional, requiredKeys: ['kind', 'address', 'owner'] },
);
const task = fc.record(
  {
    comm,
    ...{ pid: count, ppid: count, tgid: count },
    state: fc.constantFrom('R', 'S', 'D', 'T', 't', 'X', 'Z', 'P', 'I'),
    frames: fc.array(frame, { maxLength: 5 }),
    workqueue: fc.constant(null),
    blockedForSeconds: fc.constant(null),
    ...{ switches: count, cpu: fc.nat(9999), offCpuSeconds: seconds },
    queued: fc.constant(true),
    syscall: fc.record({ number: fc.nat(999), args: fc.array(hex, { maxLength: 6 }) }, optional),
    wantsLock: lock,
    request: fc.record(
      {
        operation: fc.constantFrom('READ', 'LOOKUP'),
        unique: count.map(String),
        source: fc.option(hostile(40)),
      },
      optional,
    ),
    objects: fc.array(object, { minLength: 1, maxLength: 4 }),
    doubt: fc.constantFrom('it ran while it was read', 'its stack ends early: no entry'),
    stackRead,
  },
  {
    ...optional,
    requiredKeys: ['comm', 'pid', 'ppid', 'tgid', 'state', 'frames', 'workqueue', 'blockedForSeconds'],
  },
);
const scheduled = fc.record(
  { comm, pid: count, priority: fc.integer({ min: -1, max: 139 }), switches: count, ranMs: count },
  optional,
);
const dumps = fc.record(
  {
    tasks: fc.array(task, { maxLength: 6 }),
    cpus: fc.array(
      fc.record(
        {
          ...{ cpu: fc.nat(99), comm: fc.constantFrom('dd', 'x y'), pid: count, idle: fc.constant(false) },
          frames: fc.array(frame, { maxLength: 4 }),
          ...{ user: fc.boolean(), interruptsOff: fc.boolean(), stackRead },
        },
        { ...optional, requiredKeys: ['cpu', 'comm', 'pid', 'idle', 'frames'] },
      ),
      { maxLength: 3 },
    ),
    onCpu: fc.array(
      fc.record(
        { cpu: fc.nat(99), running: fc.option(scheduled), waiting: count, preempted: scheduled },
        { ...optional, requiredKeys: ['cpu', 'running', 'waiting'] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    because: fc.array(fc.constantFrom('a list does not close', '2 tasks ran while they were read'), {
      maxLength: 2,
    }),
    clock: seconds,
    buildId: fc.option(fc.stringMatching(/^[0-9a-f]{40}$/)),
    way: fc.constantFrom(undefined, 'shared memory', 'QEMU’s own memory', 'copies that QEMU makes'),
  },
  optional,
);

function toDump({
  because,
  clock,
  buildId,
  way,
  ...rest
}: typeof dumps extends fc.Arbitrary<infer T> ? T : never): Dump {
  const memory = {
    ...{ release: '6.1.0-50-amd64', buildId, clock },
    how: { kernel: 'page tables of a vCPU', types: 'learned', stacks: 'frame records' } as const,
    ...(way !== undefined && { way }),
  };
  return {
    ...{
      key: 'memory',
      complete: because.length === 0,
      incompleteBecause: because,
      locks: [],
      workqueues: [],
    },
    ...{ headline: '', bootSeconds: clock, boot: 0, memory },
    ...(rest as Pick<Dump, 'tasks' | 'cpus' | 'onCpu'>),
  };
}

describe('memory.txt', () => {
  it('is read back to the very same dump, whatever the guest calls its things', () => {
    fc.assert(
      fc.property(dumps, (made) => {
        const dump = toDump(made);
        const [read, ...others] = back(dump);
        expect(others).toEqual([]);
        expect({ ...read, headline: '' }).toEqual(dump);
      }),
      { numRuns: 500 },
    );
  });

  const whole = toDump({
    ...{ tasks: [], cpus: [], onCpu: [], because: [], clock: 1, buildId: null, way: undefined },
  });
  const one: Task = {
    ...{
      comm: 'dd',
      pid: 7,
      ppid: 1,
      tgid: 7,
      state: 'D',
      frames: [],
      workqueue: null,
      blockedForSeconds: null,
    },
  };

  it('is incomplete where its end is missing, and the log behind it is a log again', () => {
    const text = memoryText({ ...whole, tasks: [one, { ...one, pid: 8 }] });
    const cut = parseDumps(text.split('\n').slice(0, -2), { pasted: true });
    expect(cut[0]).toMatchObject({
      complete: false,
      incompleteBecause: ['its end is missing: the file was cut'],
    });
    const log = ['sysrq: Show Blocked State', 'task:x               state:D stack:0 pid:9 ppid:2 flags:0x0'];
    const both = parseDumps([...text.split('\n'), ...log], { pasted: true });
    expect(both.map(({ key, tasks }) => `${key} ${tasks.length}`)).toEqual(['memory 2', 'w 1']);
  });

  it('is no dump of a console, on which the guest prints what it likes', () => {
    expect(parseDumps(memoryText({ ...whole, tasks: [one] }).split('\n')).map(({ key }) => key)).toEqual([
      'none',
    ]);
  });
});
