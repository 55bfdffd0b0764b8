/**
 * The FUSE request that a task waits for. Its head is the same since 5.4, and where fuse is a module no BTF tells of it:
 * fs/fuse/fuse_i.h, struct fuse_req; include/uapi/linux/fuse.h, struct fuse_in_header.
 */
import type { Task } from '../../model.js';
import type { Kernel, MemoryTask } from '../model.js';
import type { Filesystem, Filesystems } from './filesystems.js';
import { objectLayout } from './layout.js';
import { frameOf, liveWords } from './live.js';
import { isPointer, type Pointers } from './pointers.js';

/** Two list heads, the arguments, a count and the flags stand in front of the header. */
const HEADER = 56n;
/** Of fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid. */
const HEADER_SIZE = 40;
/** Where the mount of a request may be, behind both headers. */
const MOUNT_FROM = 56;
const MOUNT_TO = 56 + 16 * 8;
const LEN_MAX = 64 << 20;
const CANDIDATES_MAX = 512;

const WAITS = /^(?:request_wait_answer|fuse_\w+|__fuse_\w+|virtio_fs_\w+|cuse_\w+)/;
const FUSE = /^(?:fuse|fuseblk|virtiofs)$/;

/** enum fuse_opcode */
const OPERATIONS: readonly (string | undefined)[] = [
  ...[
    undefined,
    'LOOKUP',
    'FORGET',
    'GETATTR',
    'SETATTR',
    'READLINK',
    'SYMLINK',
    undefined,
    'MKNOD',
    'MKDIR',
  ],
  ...['UNLINK', 'RMDIR', 'RENAME', 'LINK', 'OPEN', 'READ', 'WRITE', 'STATFS', 'RELEASE', undefined, 'FSYNC'],
  ...[
    'SETXATTR',
    'GETXATTR',
    'LISTXATTR',
    'REMOVEXATTR',
    'FLUSH',
    'INIT',
    'OPENDIR',
    'READDIR',
    'RELEASEDIR',
  ],
  ...['FSYNCDIR', 'GETLK', 'SETLK', 'SETLKW', 'ACCESS', 'CREATE', 'INTERRUPT', 'BMAP', 'DESTROY', 'IOCTL'],
  ...['POLL', 'NOTIFY_REPLY', 'BATCH_FORGET', 'FALLOCATE', 'READDIRPLUS', 'RENAME2', 'LSEEK'],
  ...['COPY_FILE_RANGE', 'SETUPMAPPING', 'REMOVEMAPPING', 'SYNCFS', 'TMPFILE', 'STATX', 'COPY_FILE_RANGE_64'],
];

type Request = NonNullable<Task['request']>;

interface RequestFound {
  request: Request;
  /** Which it goes to; null where that was not found. */
  filesystem: Filesystem | null;
}

/** Null where it waits for none, or the request cannot be told from other words. */
export function requestOf(task: MemoryTask, kernel: Kernel, filesystems: Filesystems): RequestFound | null {
  if (frameOf(task.frames, WAITS) < 0) return null;
  const header = objectLayout(kernel).request.header ?? HEADER;
  const view = new DataView(new ArrayBuffer(HEADER_SIZE));
  const seen = new Set<bigint>();
  const pids = pidsOf(task, kernel, filesystems.pointers);
  for (const word of liveWords(task)) {
    if (!isPointer(word) || seen.has(word)) continue;
    if (seen.add(word).size > CANDIDATES_MAX) break;
    if (!filesystems.pointers.fill(word + header, view)) continue;
    const found = inHeader(view, pids);
    if (!found) continue;
    const filesystem = filesystemOf(word, kernel, filesystems);
    return { request: { ...found, source: filesystem?.source ?? null }, filesystem };
  }
  return null;
}

/** struct upid: its number, and its namespace. */
const NUMBER_SIZE = 16n;
/** MAX_PID_NS_LEVEL */
const LEVELS_MAX = 32;

/** In each of its namespaces: a request has the one of the namespace that mounted. */
function pidsOf({ address, pid }: MemoryTask, kernel: Kernel, pointers: Pointers): number[] {
  const at = objectLayout(kernel).pids;
  const struct = at && pointers.pointer(address + at.pid);
  if (!at || struct === null) return [pid];
  const level = Math.min(pointers.u32(struct + at.level) ?? 0, LEVELS_MAX);
  const inner = Array.from({ length: level }, (_, index) =>
    pointers.u32(struct + at.numbers + NUMBER_SIZE * BigInt(index + 1)),
  );
  return [pid, ...inner.filter((one): one is number => one !== null && one !== 0)];
}

function inHeader(view: DataView, pids: readonly number[]): Pick<Request, 'operation' | 'unique'> | null {
  const length = view.getUint32(0, true);
  const operation = OPERATIONS[view.getUint32(4, true)];
  const unique = view.getBigUint64(8, true);
  // Odd ones are interrupts.
  const valid = length >= HEADER_SIZE && length <= LEN_MAX && unique !== 0n && (unique & 1n) === 0n;
  if (!valid || operation === undefined || !pids.includes(view.getUint32(32, true))) return null;
  return { operation, unique: String(unique) };
}

/** Its source is what was mounted: for virtiofs the tag. */
function filesystemOf(request: bigint, kernel: Kernel, filesystems: Filesystems): Filesystem | null {
  const { pointers } = filesystems;
  const { header, mount, super: superOffset } = objectLayout(kernel).request;
  const superOf = (at: bigint): bigint | null => {
    const it = pointers.pointer(at);
    const superblock = it === null ? null : pointers.pointer(it + (superOffset ?? 8n));
    return superblock !== null && filesystems.has(superblock) ? superblock : null;
  };
  if (mount !== null) {
    const superblock = superOf(request + mount);
    return superblock === null ? null : filesystems.describe(superblock);
  }
  for (let at = MOUNT_FROM; at < MOUNT_TO; at += 8) {
    const superblock = superOf(request + (header ?? HEADER) + BigInt(at));
    if (superblock !== null) return filesystems.describe(superblock);
  }
  const [only, ...others] = filesystems.ofType(FUSE);
  return only === undefined || others.length > 0 ? null : filesystems.describe(only);
}
