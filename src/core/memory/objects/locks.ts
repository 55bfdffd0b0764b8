/**
 * The lock that a sleeping task waits for, and who owns it: by what the kernel itself notes of blockers, else by the
 * waiter that its stack holds. kernel/locking/{mutex,rwsem,semaphore,rtmutex}.c, include/linux/hung_task.h.
 */
import type { Task } from '../../model.js';
import { commOf } from '../comm.js';
import type { Kernel, MemoryTask } from '../model.js';
import type { Filesystems } from './filesystems.js';
import { type LockLayout, type ObjectLayout, objectLayout } from './layout.js';
import { frameOf, frameRange, stackWord } from './live.js';
import type { SeenObject } from './seen.js';
import { inImage, isPointer, type Pointers } from './pointers.js';

type WantedLock = NonNullable<Task['wantsLock']>;
type Kind = WantedLock['kind'];

interface LockFound {
  lock: WantedLock;
  /** What it guards, where that is known. */
  guards: SeenObject | null;
}

const SLOW_PATHS: readonly [Kind, RegExp][] = [
  ['mutex', /^(?:_*(?:ww_)?mutex_lock\w*|__mutex\w*)(?:\.|$)/],
  ['rwsem', /^(?:rwsem_down_\w+|_*down_(?:read|write)\w*)(?:\.|$)/],
  ['semaphore', /^(?:__down\w*|down(?:_interruptible|_killable|_timeout)?)(?:\.|$)/],
];
const RT_RWSEM = /^(?:rwbase_|rwsem_|_*down_(?:read|write))/;
const DEPTH_MAX = 10;
const WAITERS_MAX = 10_000;
/** Of an owner word: flags of a mutex, or of how an rwsem is held. */
const FLAGS = 7n;
const READER_OWNED = 1n;
const WRITER_LOCKED = 1n;
const READER_SHIFT = 8n;
/** The two low bits of task_struct.blocker, 6.16 and later. */
const BLOCKERS: readonly Kind[] = ['mutex', 'semaphore', 'rwsem', 'rwsem'];
const SYMBOL = /^[\w.$]{1,200}$/;

/** The locks of one snapshot. */
export class Locks {
  private readonly layout: ObjectLayout;
  private readonly pointers: Pointers;
  /** The lock of each waiter that was met: thousands may wait for one. */
  private readonly lockOf = new Map<bigint, bigint | null>();

  constructor(
    private readonly kernel: Kernel,
    private readonly filesystems: Filesystems,
    private readonly tasks: ReadonlyMap<bigint, MemoryTask>,
  ) {
    this.layout = objectLayout(kernel);
    this.pointers = filesystems.pointers;
  }

  /** Null where the task waits for none that is known. */
  wantedBy(task: MemoryTask): LockFound | null {
    return this.rt(task) ?? this.noted(task) ?? this.onStack(task);
  }

  /** A waiter for an rt_mutex hangs on its task. */
  private rt(task: MemoryTask): LockFound | null {
    const { rt } = this.layout;
    const waiter = rt && this.pointers.pointer(task.address + rt.blockedOn);
    const lock = rt && isPointer(waiter) ? this.pointers.pointer(waiter + rt.lock) : null;
    if (!rt || lock === null) return null;
    const kind = frameOf(task.frames.slice(0, DEPTH_MAX), RT_RWSEM) < 0 ? 'mutex' : 'rwsem';
    return this.found(kind, lock, this.taskAt(this.pointers.u64(lock + rt.owner)), task);
  }

  private noted({ blocker, blockedOn, ...task }: MemoryTask): LockFound | null {
    const whole = { ...task, blocker, blockedOn };
    if (blocker !== null && blocker !== 0n) {
      const kind = BLOCKERS[Number(blocker & 3n)];
      const lock = blocker & ~3n;
      if (kind !== undefined && isPointer(lock)) return this.owned(kind, lock, whole);
    }
    const mutex = blockedOn === null ? 0n : blockedOn & ~FLAGS;
    return isPointer(mutex) ? this.owned('mutex', mutex, whole) : null;
  }

  private onStack(task: MemoryTask): LockFound | null {
    for (const [kind, names] of SLOW_PATHS) {
      const index = frameOf(task.frames.slice(0, DEPTH_MAX), names);
      const layout = this.layoutOf(kind);
      if (index < 0 || layout === null) continue;
      const waiter = this.waiterIn(task, index, layout);
      const lock =
        waiter === null
          ? null
          : layout.firstWaiter === null
            ? this.headOf(waiter, layout)
            : this.ringOwner(task, waiter, layout, layout.firstWaiter);
      if (lock !== null) return this.owned(kind, lock, task);
    }
    return null;
  }

  private layoutOf(kind: Kind): LockLayout | null {
    const { mutex, rwsem, semaphore } = this.layout;
    return kind === 'mutex' ? mutex : kind === 'rwsem' ? rwsem : semaphore;
  }

  /** The waiter in the words of this frame, which names this very task. */
  private waiterIn(task: MemoryTask, index: number, { waiterTask }: LockLayout): bigint | null {
    const [from, to] = frameRange(task, index) ?? [0n, 0n];
    for (let at = from; at < to; at += 8n) if (stackWord(task, at) === task.address) return at - waiterTask;
    return null;
  }

  /** Of the list that a waiter is in, the one element that is no waiter is the lock's. */
  private headOf(waiter: bigint, { waiterList, waiterTask, waitList }: LockLayout): bigint | null {
    const own = waiter + waiterList;
    const known = this.lockOf.get(own);
    if (known !== undefined) return known;
    const met = [own];
    let found: bigint | null = null;
    let element = this.pointers.pointer(own);
    for (let steps = 0; element !== null && element !== own && steps < WAITERS_MAX; steps += 1) {
      const names = this.pointers.u64(element - waiterList + waiterTask);
      if (names === null || !this.tasks.has(names)) {
        found = waitList === null ? null : element - waitList;
        break;
      }
      met.push(element);
      element = this.pointers.pointer(element);
    }
    for (const one of met) this.lockOf.set(one, found);
    return found;
  }

  /** The waiters form a ring; a word of the stack points at the lock, which points into it. */
  private ringOwner(
    task: MemoryTask,
    waiter: bigint,
    { waiterList }: LockLayout,
    firstWaiter: bigint,
  ): bigint | null {
    const own = waiter + waiterList;
    const known = this.lockOf.get(own);
    if (known !== undefined && known !== null) return known;
    const ring = new Set([waiter]);
    let element = this.pointers.pointer(own);
    for (let steps = 0; element !== null && element !== own && steps < WAITERS_MAX; steps += 1) {
      ring.add(element - waiterList);
      element = this.pointers.pointer(element);
    }
    for (let index = 0; index < Math.min(task.frames.length, DEPTH_MAX); index += 1) {
      const [from, to] = frameRange(task, index) ?? [0n, 0n];
      for (let at = from; at < to; at += 8n) {
        const word = stackWord(task, at);
        const first = isPointer(word) ? this.pointers.u64(word + firstWaiter) : null;
        if (!isPointer(word) || first === null || !ring.has(first)) continue;
        for (const one of ring) this.lockOf.set(one + waiterList, word);
        return word;
      }
    }
    return null;
  }

  private owned(kind: Kind, lock: bigint, task: MemoryTask): LockFound {
    const layout = this.layoutOf(kind);
    const { owner: at = null, count: countAt = null } = layout ?? {};
    const raw = at === null ? null : this.pointers.u64(lock + at);
    if (kind !== 'rwsem' || countAt === null) return this.found(kind, lock, this.taskAt(raw), task);
    const count = this.pointers.u64(lock + countAt) ?? 0n;
    const held =
      count & WRITER_LOCKED ? 'writer' : BigInt.asIntN(64, count) >> READER_SHIFT > 0n ? 'readers' : null;
    const byReader = raw !== null && (raw & READER_OWNED) !== 0n;
    const owner = held !== null && byReader === (held === 'readers') ? this.taskAt(raw) : null;
    return this.found(kind, lock, owner, task, held);
  }

  private taskAt(owner: bigint | null): MemoryTask | null {
    return owner === null ? null : (this.tasks.get(owner & ~FLAGS) ?? null);
  }

  private found(
    kind: Kind,
    address: bigint,
    owner: MemoryTask | null,
    task: MemoryTask,
    held: 'writer' | 'readers' | null = null,
  ): LockFound {
    const name = this.nameOf(address);
    return {
      lock: {
        kind,
        address: `0x${address.toString(16)}`,
        ...(name === null ? {} : { name }),
        owner: owner && { comm: commOf(owner), pid: owner.pid },
        ...(held === null ? {} : { held }),
      },
      guards: this.guardedBy(address, task),
    };
  }

  /** Of a static one. */
  private nameOf(address: bigint): string | null {
    if (!inImage(this.kernel, address)) return null;
    const symbol = this.kernel.symbols.at(address);
    return symbol && symbol.offset < symbol.size && SYMBOL.test(symbol.name) ? symbol.name : null;
  }

  /** The inode, superblock or address space that the lock lies in. */
  private guardedBy(address: bigint, task: MemoryTask): SeenObject | null {
    const { lockOwners: at, files } = this.layout;
    for (const [text, offset] of [
      ['s_umount', at.super],
      ['s_vfs_rename_mutex', at.rename],
    ] as const) {
      const superblock = offset === null ? null : address - offset;
      if (superblock !== null && this.filesystems.has(superblock))
        return { kind: 'lock', text, filesystem: this.filesystems.describe(superblock) };
    }
    if (
      at.memory !== null &&
      at.mm !== null &&
      this.pointers.u64(task.address + at.mm) === address - at.memory
    )
      return { kind: 'lock', text: 'mmap_lock' };
    if (at.inode === null || !files) return null;
    const inode = address - at.inode;
    const its = this.pointers.pointer(inode + files.inodeSuper);
    if (its === null || !this.filesystems.has(its)) return null;
    const path = this.filesystems.inodePath(inode);
    return {
      kind: 'lock',
      text: path === null ? 'i_rwsem' : `i_rwsem of ${path}`,
      filesystem: this.filesystems.describe(its),
    };
  }
}
