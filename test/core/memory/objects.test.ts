import { describe, expect, it } from 'vitest';
import { memoryDump } from '../../../src/core/memory/dump.js';
import type { Task } from '../../../src/core/model.js';
import { HandMade, LAYOUT, TEXT } from '../../support/hand-made-memory.js';

const dumped = (made: HandMade): Task[] => memoryDump(made.snapshot).tasks;
const filesystem = { type: 'virtiofs', source: 'store', on: '/mnt' };

function withFile() {
  const made = new HandMade();
  made.filesystem('ext4', '/dev/vda', '/');
  const { superblock, root } = made.filesystem('virtiofs', 'store', '/mnt');
  const directory = made.dentry('dir', superblock, root);
  const dentry = made.dentry('big', superblock, directory);
  return { made, superblock, directory, dentry, inode: made.inode(dentry, superblock) };
}

describe('objects on a stack', () => {
  it('are the page that is waited for, with its file, its mount and what was mounted there', () => {
    const { made, inode } = withFile();
    made.task('dd', 7, [['schedule'], ['folio_wait_bit_common', 5n, made.folio(inode, 9n, 225n, 1n)]]);
    expect(dumped(made)[0]?.objects).toEqual([
      { kind: 'folio', text: '/dir/big index 225', filesystem, state: 'locked' },
    ]);
  });

  it('are files, inodes, dentries and superblocks, each once, the innermost first', () => {
    const { made, inode, dentry, directory, superblock } = withFile();
    const file = made.make();
    made.set(file, 'file', 'f_inode', inode);
    made.set(file, 'file', 'f_path.dentry', dentry);
    made.task('dd', 7, [
      ['schedule', directory],
      ['vfs_read', file, inode, file],
      ['sync', superblock],
    ]);
    expect(dumped(made)[0]?.objects?.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'dentry /dir',
      'file /dir/big',
      'inode /dir/big',
      'superblock store',
    ]);
  });

  it('are in doubt where the list of filesystems does not close', () => {
    const { made, superblock } = withFile();
    const reasons = () => memoryDump(made.snapshot).incompleteBecause;
    const before = reasons();
    made.set(superblock, 'super_block', 's_list', 0n);
    expect(reasons()).toEqual([...before, 'the list of filesystems does not close']);
    made.set(superblock, 'super_block', 's_list', superblock);
    expect(reasons()).toEqual([...before, 'the list of filesystems does not close']);
  });

  it('are so many as have room, with a doubt: a few with long names may be on every stack', () => {
    const { made, superblock } = withFile();
    let parent = made.dentry('d'.repeat(120), superblock, null);
    const long = Array.from({ length: 12 }, (_, index) => {
      parent = made.dentry(`${index}`.repeat(100), superblock, parent);
      return parent;
    });
    const count = 10_000;
    for (let pid = 10; pid < 10 + count; pid += 1) made.task('dd', pid, [['schedule', ...long]]);
    const { tasks, incompleteBecause } = memoryDump(made.snapshot);
    expect(tasks[0]?.objects).toHaveLength(12);
    expect(tasks.at(-1)?.objects).toBeUndefined();
    expect(incompleteBecause.join()).toContain('there was too much of it');
  });

  it('are none of words that lie outside of live frames', () => {
    const { made, inode } = withFile();
    const task = made.task('dd', 7, [
      ['schedule', 1n],
      ['vfs_read', 2n, inode],
    ]);
    task.stack = task.stack && { ...task.stack, bytes: task.stack.bytes.slice(0, 16) };
    task.frames = task.frames.slice(0, 1);
    expect(dumped(made)[0]?.objects).toBeUndefined();
  });

  it('are a page under writeback by the flag of the kernel at hand', () => {
    const { made, inode } = withFile();
    made.task('dd', 7, [['folio_wait_writeback', made.folio(inode, 9n, 1n, 1n << 15n)]]);
    expect(dumped(made)[0]?.objects?.[0]?.state).toBe('writeback');
    made.task('cp', 8, [['folio_wait_writeback', made.folio(inode, 10n, 2n, 2n)]]);
    expect(dumped(made)[1]?.objects?.[0]?.state).toBeUndefined();
  });

  it('are nothing that a frozen task waits for', () => {
    const { made, inode } = withFile();
    made.task('dd', 7, [['schedule'], ['__refrigerator', 5n, made.folio(inode, 9n, 225n, 1n)]]);
    expect(dumped(made)[0]?.objects).toBeUndefined();
  });

  it('are not looked for on the stacks of tasks that rest', () => {
    const { made, inode } = withFile();
    const rests = made.task('sleep', 7, [
      ['schedule', inode],
      ['do_nanosleep', inode],
    ]);
    rests.state = 'S';
    expect(dumped(made)[0]?.objects).toBeUndefined();
  });
});

describe('a FUSE request', () => {
  function asked(pid: number, unique: bigint, stack: string, inside?: number) {
    const { made, superblock } = withFile();
    const [request, mount] = [made.make(), made.make()];
    made.put32(request + 56n, 48);
    made.put32(request + 60n, 15);
    made.put(request + 64n, unique);
    made.put32(request + 88n, pid);
    made.put(request + 144n, mount);
    made.put(mount + 8n, superblock);
    const task = made.task('dd', 7, [['schedule'], [stack, 3n, request]]);
    if (inside !== undefined) {
      Object.assign(made.layout, { task_struct: { thread_pid: 8 }, pid: { level: 4, numbers: 16 } });
      const numbers = made.make();
      made.put(task.address + 8n, numbers);
      made.put32(numbers + 4n, 1);
      made.put32(numbers + 32n, inside);
    }
    return dumped(made)[0];
  }

  it('has the pid of a namespace of its own, where a container mounted', () => {
    expect(asked(3, 18n, 'request_wait_answer', 3)?.request).toMatchObject({
      operation: 'READ',
      unique: '18',
    });
    expect(asked(4, 18n, 'request_wait_answer', 3)?.request).toBeUndefined();
  });

  it('is known by its shape, where fuse is a module and no type tells of it', () => {
    expect(asked(7, 18n, 'request_wait_answer')?.request).toEqual({
      operation: 'READ',
      unique: '18',
      source: 'store',
    });
  });

  it('leads to the filesystem that it goes to, though nothing else on the stack names one', () => {
    const { objects } = asked(7, 18n, 'request_wait_answer') ?? {};
    expect(objects).toEqual([{ kind: 'fuse-request', text: 'READ 18', filesystem }]);
  });

  it('is that of the very task, no interrupt, and only where the task waits for an answer', () => {
    expect(asked(8, 18n, 'request_wait_answer')?.request).toBeUndefined();
    expect(asked(7, 19n, 'request_wait_answer')?.request).toBeUndefined();
    expect(asked(7, 18n, 'vfs_read')?.request).toBeUndefined();
  });
});

describe('the lock that a task waits for', () => {
  /** Two waiters on the list of a lock, in the frames of their own stacks. */
  function queue(made: HandMade, lock: bigint, listAt: bigint, slowPath: string) {
    const owner = made.task('owner', 3, [['schedule']]);
    const waiters = [4, 5].map((pid) => {
      const task = made.task('waits', pid, [['schedule'], [slowPath, 0n, 0n, 0n, 0n]]);
      return { task, node: (task.frames[1]?.sp ?? 0n) + 8n };
    });
    const ring = [lock + listAt, ...waiters.map(({ node }) => node)];
    ring.forEach((at, index) => made.put(at, ring[(index + 1) % ring.length] ?? 0n));
    for (const { task, node } of waiters) {
      made.put(node + 16n, task.address);
      made.recopy(task);
    }
    return { owner, waiters };
  }

  it('is that of its waiter on the stack, and its owner is told without the flags', () => {
    const made = new HandMade();
    const lock = made.make();
    const { owner } = queue(made, lock, 16n, '__mutex_lock.constprop.0');
    made.put(lock, owner.address | 1n);
    const wanted = { kind: 'mutex', address: `0x${lock.toString(16)}`, owner: { comm: 'owner', pid: 3 } };
    expect(dumped(made).map(({ wantsLock }) => wantsLock)).toEqual([undefined, wanted, wanted]);
  });

  it('tells its owner by a name of one line', () => {
    const made = new HandMade();
    const lock = made.make();
    const { owner } = queue(made, lock, 16n, '__mutex_lock.constprop.0');
    owner.comm = 'a\nCPU: 1';
    made.put(lock, owner.address);
    expect(dumped(made)[1]?.wantsLock?.owner).toEqual({ comm: 'a CPU: 1', pid: 3 });
  });

  it('has no owner where that word is of no task', () => {
    const made = new HandMade();
    const lock = made.make();
    queue(made, lock, 16n, '__mutex_lock.constprop.0');
    made.put(lock, 0xffff888000777000n);
    expect(dumped(made)[1]?.wantsLock?.owner).toBeNull();
  });

  it('is held by readers or a writer by its count: the last reader is named long after it has gone', () => {
    const held = (count: bigint, flags: bigint) => {
      const made = new HandMade();
      const lock = made.make();
      const { owner } = queue(made, lock, 24n, 'rwsem_down_write_slowpath');
      made.put(lock, count);
      made.put(lock + 8n, owner.address | flags);
      const { held, owner: its } = dumped(made)[1]?.wantsLock ?? {};
      return [held, its?.pid];
    };
    expect(held(1n, 0n)).toEqual(['writer', 3]);
    expect(held(0x100n, 1n)).toEqual(['readers', 3]);
    expect(held(2n, 1n)).toEqual([undefined, undefined]);
    expect(held(1n, 1n)).toEqual(['writer', undefined]);
  });

  it('is what the kernel notes of it, before all search', () => {
    const made = new HandMade();
    const lock = made.make();
    const owner = made.task('owner', 3, [['schedule']]);
    made.put(lock, owner.address);
    made.task('waits', 4, [['schedule']]).blocker = lock;
    made.task('waits', 5, [['schedule']]).blockedOn = lock | 1n;
    expect(dumped(made).map(({ wantsLock }) => wantsLock?.owner?.pid)).toEqual([undefined, 3, 3]);
  });

  it('is found through the ring of its waiters, of which newer kernels point only at the first', () => {
    const layout = structuredClone(LAYOUT);
    layout['mutex'] = { owner: 0, first_waiter: 16 };
    const made = new HandMade(layout);
    const lock = made.make();
    const owner = made.task('owner', 3, [['schedule']]);
    const task = made.task('waits', 4, [['schedule'], ['__mutex_lock', 0n, 0n, 0n], ['caller', lock]]);
    const node = task.frames[1]?.sp ?? 0n;
    made.put(node, node);
    made.put(node + 16n, task.address);
    made.recopy(task);
    made.put(lock, owner.address);
    made.put(lock + 16n, node);
    expect(dumped(made)[1]?.wantsLock?.owner?.pid).toBe(3);
  });

  it('has the name of its symbol where it is a static one, and says which inode it guards', () => {
    const made = new HandMade();
    const { superblock, root } = made.filesystem('ext4', '/dev/vda', '/mnt');
    const inode = made.inode(made.dentry('dir', superblock, root), superblock);
    queue(made, inode + 160n, 24n, 'rwsem_down_read_slowpath');
    expect(dumped(made)[1]?.objects?.[0]).toMatchObject({ kind: 'lock', text: 'i_rwsem of /dir' });
    const other = new HandMade();
    const lock = other.symbol('rtnl_mutex', TEXT + 0x200000n);
    queue(other, lock, 16n, '__mutex_lock.constprop.0');
    expect(dumped(other)[1]?.wantsLock?.name).toBe('rtnl_mutex');
  });

  it('is looked for once, whoever waits for it: the queue of thousands is walked once', () => {
    const reads = (count: number) => {
      const made = new HandMade();
      const lock = made.make();
      const nodes = [lock + 16n];
      for (let pid = 10; pid < 10 + count; pid += 1) {
        const task = made.task('waits', pid, [['__mutex_lock', 0n, 0n, 0n, 0n]]);
        const node = (task.frames[0]?.sp ?? 0n) + 8n;
        made.put(node + 16n, task.address);
        made.recopy(task);
        nodes.push(node);
      }
      nodes.forEach((at, index) => made.put(at, nodes[(index + 1) % nodes.length] ?? 0n));
      made.reads = 0;
      const found = dumped(made).filter(({ wantsLock }) => wantsLock !== undefined);
      expect(found).toHaveLength(count);
      return made.reads;
    };
    expect(reads(400)).toBeLessThan(2.5 * reads(200));
  });
});
