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
/** Of all objects together: those of ten thousand tasks that wait fit. A few with long names may be on every stack. */
const TEXT_MAX = 16 * 2 ** 20;
/** It waits for nothing that its stack points at. */
const FROZEN = /^_*refrigerator$/;

/** Of one snapshot. */
export class Waits {
  readonly pointers: Pointers;
  private readonly locks: Locks;
  private readonly seen: SeenObjects;
  private readonly filesystems: Filesystems;
  private room = TEXT_MAX;

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
    const asked = requestOf(task, kernel, this.filesystems);
    const guards = wanted?.guards ? [wanted.guards] : [];
    const objects = this.fitting([...guards, ...this.seen.of(task), ...goesTo(asked)]);
    return {
      ...(wanted ? { wantsLock: wanted.lock } : {}),
      ...(asked ? { request: asked.request } : {}),
      ...(objects.length === 0 ? {} : { objects }),
    };
  }

  private fitting(objects: SeenObject[]): SeenObject[] {
    const size = objects.reduce((sum, object) => sum + sizeOf(object), 0);
    // Whoever finds no room leaves none: what is told is of the first tasks.
    this.room = size > this.room ? 0 : this.room - size;
    return this.room === 0 ? [] : objects;
  }

  /** Why it tells not of all; null where it does. */
  get doubt(): string | null {
    if (this.pointers.exhausted || this.room === 0)
      return 'what tasks wait for was read in part only: there was too much of it';
    return this.filesystems.broken ? 'the list of filesystems does not close' : null;
  }

  workOf(task: MemoryTask): Task['workqueue'] {
    return workOf(task, this.snapshot.kernel, this.pointers);
  }
}

/** Behind all else: a page or a file of that filesystem says more. */
function goesTo(asked: ReturnType<typeof requestOf>): SeenObject[] {
  if (!asked?.filesystem) return [];
  const { request, filesystem } = asked;
  return [{ kind: 'fuse-request', text: `${request.operation} ${request.unique}`, filesystem }];
}

const sizeOf = ({ text, filesystem }: SeenObject): number =>
  text.length +
  (filesystem === undefined
    ? 0
    : filesystem.type.length + (filesystem.source?.length ?? 0) + (filesystem.on?.length ?? 0));

const isWorthALook = ({ state, frames, blocker }: MemoryTask): boolean =>
  (state === 'D' && !frames.slice(0, INNERMOST).some(({ symbol }) => FROZEN.test(symbol))) ||
  (blocker ?? 0n) !== 0n ||
  frames.slice(0, INNERMOST).some(({ symbol }) => WORTH_A_LOOK.test(symbol));
