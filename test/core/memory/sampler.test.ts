import { describe, expect, it } from 'vitest';
import type { Task } from '../../../src/core/model.js';
import type { TaskState } from '../../../src/core/memory/sample.js';
import { Sampler, waitsForServer } from '../../../src/core/memory/sampler.js';

const frames = (...symbols: string[]) =>
  symbols.map((symbol) => ({ symbol, offset: 1, size: 2, module: null, reliable: true }));
const REST = frames('schedule', 'ep_poll', 'do_epoll_wait');
const REQUEST = frames('schedule', 'request_wait_answer', 'fuse_simple_request.isra.0', 'fuse_do_getattr');
const IO = frames('io_schedule', 'folio_wait_bit_common', 'filemap_fault');

interface Living {
  pid: number;
  state: string;
  switches: number;
  frames: Task['frames'];
  off?: number;
}

/** Guests' tasks at one moment, with what was read of them. */
function guest(sampler = new Sampler()) {
  const read: number[] = [];
  const sample = (clock: number, living: readonly Living[], seconds = 20) => {
    const tasks: TaskState[] = living.map(({ pid, state, switches }) => {
      return { address: BigInt(pid), pid, comm: `task${pid}`, state, switches, onCpu: state === 'R' };
    });
    const taken = sampler.sample({ clock, tasks, broken: null }, seconds, (addresses) => {
      return new Map(
        addresses.flatMap((address) => {
          const one = living.find(({ pid }) => BigInt(pid) === address);
          read.push(Number(address));
          return one === undefined ? [] : [[address, taskOf(one)] as const];
        }),
      );
    });
    return taken.standing.map(({ pid, offCpuSeconds }) => [pid, offCpuSeconds]);
  };
  return { sample, read };
}

const taskOf = ({ pid, state, switches, frames: own, off = 0 }: Living): Task => ({
  ...{ comm: `task${pid}`, pid, ppid: 1, state, frames: own, workqueue: null, blockedForSeconds: null },
  ...{ switches, offCpuSeconds: off },
});

describe('a sampler', () => {
  it('says that a list of tasks did not close', () => {
    const sampled = (broken: string | null) =>
      new Sampler().sample({ clock: 1, tasks: [], broken }, 20, () => new Map());
    expect(sampled(null).broken).toBe(false);
    expect(sampled('the list of processes leads nowhere').broken).toBe(true);
  });

  it('tells who stands in D, and in S inside a request, by its age', () => {
    const { sample } = guest();
    const blocked = { pid: 7, state: 'D', switches: 5, frames: IO };
    const asks = { pid: 8, state: 'S', switches: 5, frames: REQUEST };
    expect(sample(100, [blocked, asks])).toEqual([]);
    expect(sample(115, [{ ...blocked, off: 25 }, asks])).toEqual([[7, 25]]);
    expect(
      sample(130, [
        { ...blocked, off: 40 },
        { ...asks, off: 31 },
      ]),
    ).toEqual([
      [7, 40],
      [8, 31],
    ]);
  });

  it('tells of nobody who was switched in between', () => {
    const { sample, read } = guest();
    for (let clock = 100; clock < 400; clock += 15)
      expect(sample(clock, [{ pid: 7, state: 'D', switches: clock, frames: IO, off: 0.01 }])).toEqual([]);
    expect(read).toEqual([]);
  });

  it('reads the stack of one who rests once, and again only after it ran', () => {
    const { sample, read } = guest();
    const rests = { pid: 9, state: 'S', switches: 3, frames: REST };
    for (let clock = 100; clock < 1_000; clock += 15) expect(sample(clock, [rests])).toEqual([]);
    expect(read).toEqual([9]);
    for (let clock = 1_000; clock < 1_100; clock += 15) sample(clock, [{ ...rests, switches: 4 }]);
    expect(read).toEqual([9, 9]);
  });

  it('takes nobody for another one whose place in memory it has now', () => {
    const blocked = { pid: 7, state: 'D', switches: 5, frames: IO };
    const other: TaskState = { address: 7n, pid: 70, comm: 'other', state: 'D', switches: 5, onCpu: false };
    const same = new Sampler();
    const read = () => new Map([[7n, taskOf({ ...blocked, off: 50 })]]);
    same.sample({ clock: 100, tasks: [{ ...other, pid: 7 }], broken: null }, 20, read);
    expect(same.sample({ clock: 115, tasks: [other], broken: null }, 20, read).standing).toEqual([]);
  });

  it('reads a few hundred stacks in one sample at most, those in D first', () => {
    const { sample, read } = guest();
    const many = Array.from({ length: 1_000 }, (_, pid) => ({ pid, state: 'S', switches: 1, frames: REST }));
    const blocked = { pid: 5_000, state: 'D', switches: 1, frames: IO, off: 30 };
    sample(100, [...many, blocked]);
    expect(sample(121, [...many, blocked])).toEqual([[5_000, 30]]);
    expect(read).toHaveLength(200);
  });

  it('leaves out file locks, which somebody may hold for long', () => {
    expect(waitsForServer(REQUEST)).toBe(true);
    expect(waitsForServer([...REQUEST, ...frames('fuse_setlk', 'fuse_file_lock')])).toBe(false);
    expect(waitsForServer(REST)).toBe(false);
    expect(waitsForServer(REQUEST.map((frame) => ({ ...frame, reliable: false })))).toBe(false);
  });
});
