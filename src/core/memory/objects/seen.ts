/** Files, folios, inodes, dentries and superblocks that the words of live frames point at. */
import type { Task } from '../../model.js';
import type { Kernel, MemoryTask } from '../model.js';
import type { Filesystem, Filesystems } from './filesystems.js';
import { type FileLayout, type ObjectLayout, objectLayout } from './layout.js';
import { liveWords } from './live.js';
import { inImage, isPointer, type Pointers } from './pointers.js';

export type SeenObject = NonNullable<Task['objects']>[number];

const OBJECTS_MAX = 12;
/** The array of struct page of the largest machine ends before this. */
const PAGES_SPAN = 1n << 42n;
const LOCKED = 1n;

/** What the stacks of one snapshot point at; each address is looked at once. */
export class SeenObjects {
  private readonly seen = new Map<bigint, SeenObject | null>();
  private readonly layout: ObjectLayout;
  private readonly pointers: Pointers;
  private readonly writeback: bigint;
  private readonly head: DataView | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly filesystems: Filesystems,
  ) {
    this.layout = objectLayout(kernel);
    this.pointers = filesystems.pointers;
    this.writeback = 1n << writebackBit(kernel.release);
    const { files } = this.layout;
    if (files && filesystems.any) this.head = new DataView(new ArrayBuffer(spanOf(files)));
  }

  /** Innermost first, each once. */
  of(task: MemoryTask): SeenObject[] {
    const found = new Map<string, SeenObject>();
    if (this.head === null) return [];
    for (const word of liveWords(task)) {
      const object = this.at(word);
      if (object) found.set(`${object.kind} ${object.text}`, object);
      if (found.size >= OBJECTS_MAX) break;
    }
    return [...found.values()];
  }

  private at(word: bigint): SeenObject | null {
    if (!isPointer(word) || inImage(this.kernel, word)) return null;
    const before = this.seen.get(word);
    if (before !== undefined) return before;
    const object = this.folio(word) ?? this.superblock(word) ?? this.ofHead(word);
    this.seen.set(word, object);
    return object;
  }

  private superblock(word: bigint): SeenObject | null {
    if (!this.filesystems.has(word)) return null;
    const filesystem = this.filesystems.describe(word);
    return { kind: 'superblock', text: filesystem.source ?? filesystem.type, filesystem };
  }

  private folio(word: bigint): SeenObject | null {
    const { vmemmap } = this.kernel;
    const { folios, files, pageSize } = this.layout;
    if (vmemmap === null || !folios || !files || word < vmemmap || word >= vmemmap + PAGES_SPAN) return null;
    if (pageSize <= 0n || (word - vmemmap) % pageSize !== 0n) return null;
    const mapping = this.pointers.pointer(word + folios.mapping);
    const host = mapping === null ? null : this.pointers.pointer(mapping + files.host);
    const inode = host === null ? null : this.inodeAt(host, files);
    const flags = this.pointers.u64(word + folios.flags);
    const index = this.pointers.u64(word + folios.index);
    if (inode === null || flags === null || index === null) return null;
    const state = flags & LOCKED ? 'locked' : flags & this.writeback ? 'writeback' : null;
    return {
      kind: 'folio',
      text: `${inode.text} index ${index}`,
      filesystem: inode.filesystem,
      ...(state === null ? {} : { state }),
    };
  }

  /** A file, a dentry or an inode, by what it must point at itself. */
  private ofHead(word: bigint): SeenObject | null {
    const { files } = this.layout;
    const { head } = this;
    if (!files || !head || !this.pointers.fill(word, head)) return null;
    const field = (offset: bigint) => head.getBigUint64(Number(offset), true);
    const [inode, dentry, itsSuper] = [
      field(files.fileInode),
      field(files.fileDentry),
      field(files.dentrySuper),
    ];
    const [parent, inodeSuper, mapping] = [
      field(files.dentryParent),
      field(files.inodeSuper),
      field(files.inodeMapping),
    ];
    if (isPointer(inode) && isPointer(dentry) && this.pointers.u64(dentry + files.dentryInode) === inode) {
      const known = this.inodeAt(inode, files);
      if (known) return { kind: 'file', text: this.filesystems.path(dentry), filesystem: known.filesystem };
    }
    if (
      this.filesystems.has(itsSuper) &&
      isPointer(parent) &&
      this.pointers.u64(parent + files.dentrySuper) === itsSuper
    )
      return {
        kind: 'dentry',
        text: this.filesystems.path(word),
        filesystem: this.filesystems.describe(itsSuper),
      };
    if (this.filesystems.has(inodeSuper) && isPointer(mapping)) {
      const known = this.inodeAt(word, files);
      if (known) return { kind: 'inode', ...known };
    }
    return null;
  }

  private inodeAt(inode: bigint, files: FileLayout): { text: string; filesystem: Filesystem } | null {
    const superblock = this.pointers.pointer(inode + files.inodeSuper);
    if (superblock === null || !this.filesystems.has(superblock)) return null;
    const mapping = this.pointers.pointer(inode + files.inodeMapping);
    if (mapping === null || this.pointers.u64(mapping + files.host) === null) return null;
    const filesystem = this.filesystems.describe(superblock);
    const disk = filesystem.type === 'bdev' ? this.disk(inode) : null;
    if (disk !== null) return { text: disk, filesystem: { ...filesystem, source: disk } };
    const path = this.filesystems.inodePath(inode);
    return { text: path ?? `inode ${this.pointers.u64(inode + files.inodeNumber) ?? '?'}`, filesystem };
  }

  /** The name of the disk whose pages an inode of the block devices' own filesystem holds. */
  private disk(inode: bigint): string | null {
    const { disks } = this.layout;
    const device = disks && inode - disks.inode + disks.device;
    const disk = disks && device !== null ? this.pointers.pointer(device + disks.disk) : null;
    return disks && disk !== null ? this.pointers.text(disk + disks.name, 32) : null;
  }
}

/** So many bytes hold all the fields by which a structure is recognised. */
function spanOf(files: FileLayout): number {
  const { fileInode, fileDentry, dentrySuper, dentryParent, inodeSuper, inodeMapping } = files;
  return (
    Number(
      [fileInode, fileDentry, dentrySuper, dentryParent, inodeSuper, inodeMapping].reduce((a, b) =>
        a > b ? a : b,
      ),
    ) + 8
  );
}

/** include/linux/page-flags.h: PG_writeback moved to the low byte in 6.7. */
function writebackBit(release: string): bigint {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})/.exec(release) ?? [];
  return Number(major) * 1000 + Number(minor) >= 6007 ? 1n : 15n;
}
