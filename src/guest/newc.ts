/** A file or, without content, a directory, of an archive that belongs to root. */
export interface ArchiveEntry {
  /** Relative, without a leading slash. */
  path: string;
  /** Permission bits. */
  mode: number;
  content?: Uint8Array | undefined;
}

const regularFile = 0o100000;
const directory = 0o040000;
const alignment = 4;

function record(inode: number, { path, mode, content }: ArchiveEntry): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const data = content ?? Buffer.alloc(0);
  const type = content === undefined ? directory : regularFile;
  // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name size, check
  const fields = [inode, type | mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  const pad = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);
  return [header, name, pad(header.length + name.length), Buffer.from(data), pad(data.length)];
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/**
 * A cpio archive in the "newc" form that the kernel takes as an initrd; directories that entries lie in are
 * added, before them. Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
 */
export function newcArchive(entries: readonly ArchiveEntry[]): Buffer {
  const byPath = new Map<string, ArchiveEntry>();
  for (const entry of entries) {
    for (const path of parents(entry.path)) if (!byPath.has(path)) byPath.set(path, { path, mode: 0o755 });
    byPath.set(entry.path, entry);
  }
  const records = [...byPath.values(), { path: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) }];
  return Buffer.concat(records.flatMap((entry, index) => record(index + 1, entry)));
}
