/** A file that grows while a capture runs. */
import type { FileHandle } from 'node:fs/promises';
import { faultText, isFull } from './directory.js';
import { openPrivate } from '../files.js';

/** Above this, a caller that awaits has to wait. */
const QUEUE_SOFT = 1 << 20;
/** A caller that does not await loses the rest beyond this: the disk must not cost the memory. */
const QUEUE_HARD = 16 << 20;
const FILE_MAX = 256 << 20;
const CHUNK = 64 << 10;

/**
 * Appends in order. What was written is always a prefix of what was given: after the first fault it takes
 * nothing more. Faults do not throw; `settle` and `close` return them.
 */
export class AppendFile {
  private handle: FileHandle | null = null;
  /** Small pieces share one, or each byte of a flood would cost an object. */
  private chunks: { bytes: Uint8Array; filled: number }[] = [];
  private queued = 0;
  private taken = 0;
  private writing: Promise<void> | null = null;
  private fault: string | null = null;
  private closed = false;

  /** `makeRoom` is called when the disk is full; it returns false if it could make none. `max`: bytes. */
  constructor(
    private readonly path: string,
    private readonly makeRoom: () => Promise<boolean> = () => Promise.resolve(false),
    private readonly max = FILE_MAX,
  ) {}

  /** Takes a copy. Resolves at once, or when the disk has caught up. */
  append(bytes: Uint8Array): Promise<void> {
    if (this.closed || this.fault !== null || bytes.length === 0) return Promise.resolve();
    if (this.queued > QUEUE_HARD) this.fault = `the disk was too slow: cut after ${this.taken} bytes`;
    else if (this.taken + bytes.length > this.max) this.fault = `cut after ${this.taken} bytes`;
    if (this.fault !== null) return Promise.resolve();
    this.keep(bytes);
    this.queued += bytes.length;
    this.taken += bytes.length;
    this.writing ??= this.drain();
    return this.queued > QUEUE_SOFT ? this.writing : Promise.resolve();
  }

  private keep(bytes: Uint8Array): void {
    let last = this.chunks.at(-1);
    if (last === undefined || last.filled + bytes.length > last.bytes.length) {
      last = {
        bytes: new Uint8Array(Math.max(this.chunks.length === 0 ? 0 : CHUNK, bytes.length)),
        filled: 0,
      };
      this.chunks.push(last);
    }
    last.bytes.set(bytes, last.filled);
    last.filled += bytes.length;
  }

  /** Writes and syncs what is queued. Returns what went wrong since the start, or null. */
  async settle(): Promise<string | null> {
    while (this.writing !== null) await this.writing;
    try {
      await this.handle?.sync();
    } catch (error) {
      this.fault ??= faultText(error);
    }
    return this.fault;
  }

  /** Settles for good. */
  async close(): Promise<string | null> {
    this.closed = true;
    const fault = await this.settle();
    await this.handle?.close();
    this.handle = null;
    return fault;
  }

  private async write(handle: FileHandle, batch: Uint8Array): Promise<void> {
    const before = (await handle.stat()).size;
    for (let rest = batch; ;) {
      try {
        await handle.writeFile(rest);
        return;
      } catch (error) {
        if (!isFull(error) || !(await this.makeRoom())) throw error;
        // A part of it may have been taken.
        rest = batch.subarray((await handle.stat()).size - before);
      }
    }
  }

  /** Called with something queued only: it must not end before it is awaited. */
  private async drain(): Promise<void> {
    try {
      while (this.chunks.length > 0) {
        const batch = Buffer.concat(this.chunks.map(({ bytes, filled }) => bytes.subarray(0, filled)));
        this.chunks = [];
        this.handle ??= await openPrivate(this.path, 'append');
        await this.write(this.handle, batch);
        this.queued -= batch.length;
      }
    } catch (error) {
      this.fault = faultText(error);
      this.chunks = [];
      this.queued = 0;
    } finally {
      this.writing = null;
    }
  }
}
