/** What tasks of one snapshot wait for: locks, requests, files and pages. */
import type { Task } from '../../model.js';
import type { Snapshot, MemoryTask } from '../model.js';
import { Filesystems } from './filesystems.js';
import { Locks } from './locks.js';
import { requestOf } from './requests.js';
import { SeenObjects, type SeenObject } from './seen.js';
import { workOf } from './workers.js';
import type { Pointers } from './pointers.js';

/** Sleepers whose stacks are not worth a look: nearly all of a guest's tasks. */
const WORTH_A_LOOK =
  /(?:^|_)(?:fuse|virtio_fs|cuse|nfs\d?|rpc|p9|v9fs|cifs|smb\d?|ceph|afs|autofs|orangefs|folio|page|rwsem|mutex|rtmutex|rwbase|rtlock|down|request_wait_answer)(?:_|$)/;
const INNERMOST = 12;

/** Of one snapshot. */
export class Waits {
  readonly pointers: Pointers;
  private readonly locks: Locks;
  private readonly seen: SeenObjects;
  private readonly filesystems: Filesystems;

  constructor(private readonly snapshot: Snapshot) {
    const { kernel, tasks } = snapshot;
    this.filesystems = new Filesystems(kernel, tasks);
    this.pointers = this.filesystems.pointers;
    this.locks = new Locks(kernel, this.filesystems, new Map(tasks.map((task) => [task.address, task])));
    this.seen = new SeenObjects(kernel, this.filesystems);
  }

  /** What its live frames and the kernel's own notes tell; empty for a task that rests. */
  of(task: MemoryTask): Pick<Task, 'wantsLock' | 'request' | 'objects'> {
    if (task.stack === null || !isWorthALook(task)) return {};
    const { kernel } = this.snapshot;
    const wanted = this.locks.wantedBy(task);
    const request = requestOf(task, kernel, this.filesystems);
    const objects: SeenObject[] = [...(wanted?.guards ? [wanted.guards] : []), ...this.seen.of(task)];
    return {
      ...(wanted ? { wantsLock: wanted.lock } : {}),
      ...(request ? { request } : {}),
      ...(objects.length === 0 ? {} : { objects }),
    };
  }

  /** Why it tells not of all; null where it does. */
  get doubt(): string | null {
    if (this.pointers.exhausted) return 'what tasks wait for was read in part only: there was too much of it';
    return this.filesystems.broken ? 'the list of filesystems does not close' : null;
  }

  workOf(task: MemoryTask): Task['workqueue'] {
    return workOf(task, this.snapshot.kernel, this.pointers);
  }
}

const isWorthALook = ({ state, frames, blocker }: MemoryTask): boolean =>
  state === 'D' ||
  (blocker ?? 0n) !== 0n ||
  frames.slice(0, INNERMOST).some(({ symbol }) => WORTH_A_LOOK.test(symbol));
