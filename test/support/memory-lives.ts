/** Chapters of healthy lives in which tasks are blocked for long, and nothing is wrong: what memory alone could misread. */
import type { Look, Share, SshProbe, SysrqKey, Task } from '../../src/core/model.js';
import { memoryAt, recordedTasks } from './memory-dumps.js';
import { answers, golden, type VirtualGuest } from './virtual-guest.js';

/** What the memory of a life shows: the tasks of a recording, and since when the blocked ones are; null: they move. */
export interface Shows {
  tasks: readonly Task[];
  since: number | null;
}

interface MemoryLife {
  guest: VirtualGuest;
  ssh: SshProbe['kind'];
  press: (key: SysrqKey) => string[];
  shares: Look['shares'];
  requests: number;
  pressure: { io?: number };
  shows: Shows;
  answer(): void;
}

/** A server that lives, and does nothing that is seen. */
export const LIVING: Share[] = [
  { tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'S', cpuMs: 5 } },
];

export const shown = ({ tasks, since }: Shows, at: number, busy: boolean) =>
  memoryAt(tasks, at, { since, busy });

const writing = recordedTasks('writeback');
const paging = recordedTasks('page-in');
const frozen = recordedTasks('frozen-fs');
const locking = recordedTasks('fuse-stopped').map((task) =>
  task.frames.some(({ symbol }) => symbol === 'request_wait_answer')
    ? {
        ...task,
        frames: [...task.frames, { ...task.frames[0], symbol: 'fuse_setlk' } as Task['frames'][number]],
      }
    : task,
);

/** For so many milliseconds; and a second number, where it takes one. */
export const MEMORY_CHAPTERS: Record<string, (life: MemoryLife, ms: number, other: number) => void> = {
  'writes all the time': (life, ms) => {
    life.shows = { tasks: writing, since: null };
    life.requests = 200;
    life.guest.run(ms);
    life.answer();
  },
  'syncs for minutes, and its disk works': (life, ms) => {
    life.shows = { tasks: writing, since: life.guest.now };
    life.requests = 40;
    life.guest.run(ms);
    life.answer();
  },
  'swaps, and its SSH does not come': (life, ms) => {
    life.shows = { tasks: paging, since: null };
    life.shares = LIVING;
    life.requests = 300;
    life.ssh = 'timed-out';
    life.guest.run(ms % 40_000);
    life.answer();
  },
  'is frozen for a backup': (life, ms, other) => {
    life.shows = { tasks: frozen, since: life.guest.now };
    life.press = answers(golden('frozen-fs'));
    life.shares = LIVING;
    if (other % 2 === 0) life.ssh = 'timed-out';
    life.guest.run(ms % 7_000);
    life.answer();
  },
  'waits for a disk of the host that stands still for seconds': (life, ms) => {
    life.shows = { tasks: paging, since: life.guest.now };
    life.press = answers(golden('page-in'));
    life.shares = LIVING;
    life.pressure = { io: 95 };
    life.ssh = 'timed-out';
    life.guest.run(ms % 7_000);
    life.answer();
  },
  'waits for a lock of a file, for as long as somebody holds it': (life, ms) => {
    life.shows = { tasks: locking, since: life.guest.now };
    life.guest.run(ms);
    life.answer();
  },
};
