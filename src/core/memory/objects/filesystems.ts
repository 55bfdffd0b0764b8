/** Superblocks, where they are mounted, and paths of their dentries. */
import type { Task } from '../../model.js';
import { printable } from '../../printable.js';
import type { Kernel, MemoryTask } from '../model.js';
import { type FileLayout, type ObjectLayout, objectLayout } from './layout.js';
import { inImage, isPointer, Pointers } from './pointers.js';

/** A filesystem as a dump tells it: its type, what was mounted, and where. */
export type Filesystem = NonNullable<NonNullable<Task['objects']>[number]['filesystem']>;

const SUPERS_MAX = 10_000;
const MOUNTS_MAX = 16;
const MOUNT_DEPTH = 32;
const PATH_DEPTH = 64;
const PATH_MAX = 200;
const NAME_MAX = 128;

/** The superblocks of one snapshot. */
export class Filesystems {
  readonly pointers: Pointers;
  /** The list of superblocks was not followed to its end: what lies behind is not known. */
  broken = false;
  private readonly supers = new Set<bigint>();
  private readonly described = new Map<bigint, Filesystem>();
  private readonly at: FileLayout | null;
  private readonly mounts: ObjectLayout['mounts'];

  constructor(
    private readonly kernel: Kernel,
    tasks: readonly MemoryTask[],
  ) {
    this.pointers = new Pointers(kernel.space);
    const layout = objectLayout(kernel);
    this.at = layout.files;
    this.mounts = layout.mounts;
    if (this.at) this.walk(this.at, this.head() ?? this.throughRoot(this.at, layout.root, tasks));
  }

  private head(): bigint | null {
    return this.kernel.object('super_blocks') ?? this.kernel.symbols.address('super_blocks');
  }

  /** Without the symbol: any member of the list leads to all others. */
  private throughRoot(
    at: FileLayout,
    root: ObjectLayout['root'],
    tasks: readonly MemoryTask[],
  ): bigint | null {
    const init = tasks.find(({ pid }) => pid === 1);
    if (!init || !root) return null;
    const fs = this.pointers.pointer(init.address + root.fs);
    const mount = fs === null ? null : this.pointers.pointer(fs + root.mount);
    const first = mount === null ? null : this.pointers.pointer(mount + root.super);
    return first === null ? null : first + at.superList;
  }

  /** From one element of the list around to it again; the list's head is none of them, and lies in the image. */
  private walk(at: FileLayout, start: bigint | null): void {
    let element = start;
    for (let steps = 0; element !== null && steps < SUPERS_MAX; steps += 1) {
      if (!inImage(this.kernel, element)) this.supers.add(element - at.superList);
      element = this.pointers.pointer(element);
      if (element === start) return;
    }
    this.broken = start !== null;
  }

  get any(): boolean {
    return this.supers.size > 0;
  }

  has(address: bigint): boolean {
    return this.supers.has(address);
  }

  /** Of a superblock of this snapshot. */
  describe(address: bigint): Filesystem {
    const before = this.described.get(address);
    if (before) return before;
    const { pointers, at } = this;
    if (!at) return { type: 'unknown', source: null, on: null };
    const type = pointers.pointer(address + at.superType);
    const name = type === null ? null : pointers.u64(type + at.typeName);
    const mounted = this.mounted(address);
    const found = {
      type: textOr(pointers, name, 'unknown'),
      source: mounted?.source ?? pointers.text(address + at.superId, 32),
      on: mounted?.on ?? null,
    };
    this.described.set(address, found);
    return found;
  }

  /** All of them of these types. */
  ofType(pattern: RegExp): bigint[] {
    return [...this.supers].filter((address) => pattern.test(this.describe(address).type));
  }

  /** Namespaces of services have copies of it: the shortest path is what people call it. */
  private mounted(superblock: bigint): Pick<Filesystem, 'source' | 'on'> | null {
    const at = this.mounts;
    if (!at) return null;
    const all = this.mountsOf(superblock).map((mount) => {
      const source = this.pointers.u64(mount + at.source);
      return { source: textOr(this.pointers, source, null), on: this.mountPath(mount) };
    });
    return all.sort((a, b) => a.on.length - b.on.length)[0] ?? null;
  }

  private mountsOf(superblock: bigint): bigint[] {
    const at = this.mounts;
    const found: bigint[] = [];
    if (!at) return found;
    const head = superblock + at.mounts;
    const [shift, next] = at.chain === null ? [at.instance ?? 0n, 0n] : [0n, at.chain];
    let step = this.pointers.pointer(head);
    while (step !== null && step !== head && found.length < MOUNTS_MAX) {
      found.push(step - shift);
      step = this.pointers.pointer(step + next);
    }
    return found;
  }

  private mountPath(start: bigint): string {
    const at = this.mounts;
    if (!at) return '/';
    let [mount, path] = [start, ''];
    for (let depth = 0; depth < MOUNT_DEPTH && path.length < PATH_MAX; depth += 1) {
      const parent = this.pointers.pointer(mount + at.parent);
      if (parent === null || parent === mount) break;
      const point = this.pointers.pointer(mount + at.point);
      const here = point === null ? '/' : this.path(point);
      path = (here === '/' ? '' : here) + path;
      mount = parent;
    }
    return path === '' ? '/' : printable(path, PATH_MAX);
  }

  /** From its filesystem's root; of a long path the end. */
  path(start: bigint): string {
    const { at } = this;
    if (!at) return '/';
    let [dentry, path] = [start, ''];
    for (let depth = 0; depth < PATH_DEPTH; depth += 1) {
      const parent = this.pointers.pointer(dentry + at.dentryParent);
      if (parent === dentry || parent === null) break;
      const name = this.pointers.u64(dentry + at.dentryName);
      path = `/${(isName(name) && this.pointers.text(name, NAME_MAX)) || '?'}${path}`;
      if (path.length > PATH_MAX) return `…${path.slice(1 - PATH_MAX)}`;
      dentry = parent;
    }
    return path === '' ? '/' : path;
  }

  /** By the first of its dentries; null where it has none in memory. */
  inodePath(inode: bigint): string | null {
    const { at } = this;
    const alias = at && this.pointers.pointer(inode + at.inodeDentries);
    return at && isPointer(alias) ? this.path(alias - at.alias) : null;
  }
}

const textOr = <Else>(pointers: Pointers, address: bigint | null, otherwise: Else): string | Else =>
  (address === null ? null : pointers.text(address, NAME_MAX)) ?? otherwise;

/** A short name lies within its dentry at any address. */
const isName = (word: bigint | null): word is bigint => word !== null && isPointer(word & ~7n);
