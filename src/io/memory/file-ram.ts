/** RAM that lies in files: a memfd of QEMU's, its /proc/PID/mem, or an image. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Ram } from '../../core/memory/model.js';

/** Guest-physical addresses and where they begin in a file, ascending. */
export interface Segment {
  first: number;
  end: number;
  /** Index of the file. */
  file: number;
  at: number;
}

export interface RamFile {
  path: string;
  /** What `identityOf` said of it as it was found; null where that does not matter. */
  identity: string | null;
}

/** What was opened is not what was found before: the guest is another one. */
export class OtherMemory extends Error {
  override readonly name = 'OtherMemory';
}

/** Device and inode: a memfd has one of its own as long as somebody has it open. */
export function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** Not through a FIFO or a device that somebody put there, which could hang. */
export function openFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Open only while it is read: a memfd that is held would keep the RAM of a guest that has ended. */
export class FileRam implements Ram {
  readonly ranges: readonly { first: number; end: number }[];
  /** What is open can be read. */
  readonly failure = null;
  private fds: number[] = [];

  constructor(
    private readonly files: readonly RamFile[],
    private readonly segments: readonly Segment[],
  ) {
    this.ranges = segments.map(({ first, end }) => ({ first, end }));
  }

  /** @throws OtherMemory, or an error of the system */
  open(): void {
    this.close();
    try {
      for (const { path, identity } of this.files) {
        const fd = openFile(path);
        this.fds.push(fd);
        if (identity !== null && identityOf(fd) !== identity)
          throw new OtherMemory(`${path} is another file now`);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Nothing is left of it between two looks. */
  end(): void {
    this.close();
  }

  close(): void {
    for (const fd of this.fds.splice(0)) closeSync(fd);
  }

  read(gpa: number, into: Uint8Array): boolean {
    let done = 0;
    while (done < into.length) {
      const segment = this.segmentOf(gpa + done);
      const fd = segment === null ? undefined : this.fds[segment.file];
      if (segment === null || fd === undefined) return false;
      const count = Math.min(into.length - done, segment.end - gpa - done);
      if (!readWhole(fd, into, done, count, segment.at + gpa + done - segment.first)) return false;
      done += count;
    }
    return true;
  }

  private segmentOf(gpa: number): Segment | null {
    let [low, high] = [0, this.segments.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const segment = this.segments[middle];
      if (segment === undefined) return null;
      if (gpa < segment.first) high = middle - 1;
      else if (gpa >= segment.end) low = middle + 1;
      else return segment;
    }
    return null;
  }
}

function readWhole(fd: number, into: Uint8Array, from: number, count: number, position: number): boolean {
  try {
    for (let done = 0; done < count;) {
      const read = readSync(fd, into, from + done, count - done, position + done);
      if (read === 0) return false;
      done += read;
    }
    return true;
  } catch {
    // Of /proc/PID/mem: nothing is mapped there.
    return false;
  }
}
