/** A console that QEMU writes to a file (`-serial file:…`, `logfile=…`), followed as it grows. */
import { constants, type FSWatcher, type Stats, watch } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { ConsolePosition } from '../core/console/position.js';
import { asRows, type Rows, RowSplitter } from '../core/console/rows.js';
import type { Mono } from '../core/time.js';
import type { SourceStatus } from './source-status.js';
import { ownUser } from './trust.js';

/** What is in the file behind the rows: its bytes, and how many rows a byte holds where these came from. */
export interface Ahead {
  bytes: number;
  rowsPerByte: number;
}

export interface TailedRows {
  rows: Rows[];
  /** When they were read. */
  at: Mono;
  /** They were in the file already when following began: context, no news. */
  replayed: boolean;
  /** Behind the last of them. */
  end: ConsolePosition;
  ahead: Ahead;
}

interface TailOptions {
  path: string;
  /** Awaited before more is read: the file itself is the buffer. A rejection ends the following with that error. */
  onRows: (rows: TailedRows) => Promise<void> | void;
  onStatus: (status: SourceStatus) => void;
  /** The path is QEMU's word, not the user's: only a file of this user is read, and no link that another put there. */
  ownOnly?: boolean;
  signal: AbortSignal;
}

const CONTEXT = 64 << 10;
const CHUNK = 64 << 10;
/** What is unread beyond it is passed over: a sparse file, or what a flood wrote while nobody read. */
const BACKLOG = 64 << 20;
const NEWLINE = 10;
/** inotify wakes at once; this is for what it misses: network filesystems, a recreated directory. */
const POLL_MS = 2_000;

/**
 * Follows a console file until the signal aborts, then resolves: its last 64 KiB first, then what is appended, also
 * after the file was truncated (a new QEMU) or replaced, and from its start if it appears later. It misses a truncation
 * if the file grew beyond its old size before the next read.
 */
export async function tailConsole(options: TailOptions): Promise<void> {
  const wake = new Wake(options.path, options.signal);
  const tail = new Tail(options, wake);
  try {
    while (!options.signal.aborted) {
      await tail.read();
      await wake.next();
    }
  } finally {
    wake.close();
    await tail.close();
  }
}

class Tail {
  private file: { handle: FileHandle; ino: number; dev: number } | null = null;
  private offset = 0;
  /** Rows that end at or before this offset are context. */
  private replayUntil = 0;
  private first = true;
  private rows = new RowSplitter();
  /** The context begins within a row, which is left out. */
  private skipRow = false;
  private state: string | null = null;
  /** What onRows threw: not a fault of the file, whatever it looks like. */
  private rejection: unknown;
  private readonly buffer = Buffer.alloc(CHUNK);

  constructor(
    private readonly options: TailOptions,
    private readonly wake: Wake,
  ) {}

  /** Reads whatever is new. Faults of the file become a status and are tried again at the next read. */
  async read(): Promise<void> {
    try {
      const replaced = await this.isReplaced();
      // The old file may have grown since it was last read.
      if (this.file !== null) await this.drain(this.file.handle);
      if (replaced) await this.close();
      this.file ??= await this.reopen();
      await this.drain(this.file.handle);
      this.report('live', '');
    } catch (error) {
      if (error === this.rejection || !isSystemError(error)) throw error;
      this.report('down', faultOf(this.options.path, error.code));
      if (error.code !== 'ENOENT') await this.close();
    } finally {
      this.first = false;
    }
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.handle.close();
  }

  private async isReplaced(): Promise<boolean> {
    if (this.file === null) return false;
    // While it is gone, QEMU may still write to the deleted one.
    const now = await stat(this.options.path).catch(() => null);
    if (now === null) return false;
    return now.ino !== this.file.ino || now.dev !== this.file.dev;
  }

  private async reopen(): Promise<NonNullable<Tail['file']>> {
    this.wake.watch();
    const { path, ownOnly = false } = this.options;
    if (ownOnly) refuseOthers(await lstat(path));
    // A pipe or a terminal would block the open, or every read.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const now = await handle.stat();
    try {
      if (!now.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'ENOTREG' });
      if (ownOnly) refuseOthers(now);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await this.restart(this.first ? now.size : 0);
    return { handle, ino: now.ino, dev: now.dev };
  }

  /** Begins a file whose first `size` bytes are context. */
  private async restart(size: number): Promise<void> {
    const rest = this.rows.flush();
    if (rest !== null && !this.skipRow) await this.give([asRows(rest)], false, 0);
    this.offset = Math.max(0, size - CONTEXT);
    this.skipRow = this.offset > 0;
    this.replayUntil = size;
  }

  private async drain(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size - this.offset > BACKLOG) await this.passOver(size - this.offset - BACKLOG);
    while (!this.options.signal.aborted) {
      const room = this.offset < this.replayUntil ? Math.min(CHUNK, this.replayUntil - this.offset) : CHUNK;
      const { bytesRead } = await handle.read(this.buffer, 0, room, this.offset);
      if (bytesRead > 0) {
        this.offset += bytesRead;
        // A read that is not full has come to the end.
        const ahead = bytesRead < room ? 0 : Math.max(0, (await handle.stat()).size - this.offset);
        await this.deliver(this.buffer.subarray(0, bytesRead), ahead);
        continue;
      }
      if ((await handle.stat()).size >= this.offset) return;
      await this.restart(0);
    }
  }

  private async passOver(bytes: number): Promise<void> {
    const rest = this.rows.flush();
    if (rest !== null && !this.skipRow)
      await this.give([asRows(rest)], this.offset <= this.replayUntil, bytes);
    this.offset += bytes;
    this.skipRow = true;
    this.report('catching-up', `${Math.round(bytes / 2 ** 20)} MiB of ${this.options.path} were passed over`);
  }

  private async deliver(chunk: Uint8Array, ahead: number): Promise<void> {
    const rows = this.rows.take(chunk);
    if (this.skipRow && rows[0] !== undefined) {
      rows[0] = withoutFirst(rows[0]);
      this.skipRow = false;
    }
    if (rows.length > 0) await this.give(rows, this.offset <= this.replayUntil, ahead);
  }

  private async give(rows: Rows[], replayed: boolean, ahead: number): Promise<void> {
    const at = Number(process.hrtime.bigint()) / 1e6;
    const [bytes, count] = rows.reduce(
      ([sum, all], one) => [sum + one.bytes.length, all + one.count],
      [0, 0],
    );
    const { path } = this.options;
    const { dev, ino } = this.file ?? { dev: 0, ino: 0 };
    const end = { kind: 'file', path, dev, ino, offset: this.offset - this.rows.pending } as const;
    try {
      const rowsPerByte = count / Math.max(1, bytes);
      await this.options.onRows({ rows, at, replayed, end, ahead: { bytes: ahead, rowsPerByte } });
    } catch (error) {
      this.rejection = error;
      throw error;
    }
  }

  private report(state: SourceStatus['state'], detail: string): void {
    if (this.state === state + detail) return;
    this.state = state + detail;
    this.options.onStatus({ state, detail });
  }
}

/** Resolves when the file may have changed, after a while in any case, and at once on abort. */
class Wake {
  private watcher: FSWatcher | undefined;
  private changed = false;
  private resolve: (() => void) | undefined;

  constructor(
    private readonly path: string,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', this.now);
  }

  /** Watches the directory, which may have been recreated since the last time. */
  watch(): void {
    this.watcher?.close();
    this.watcher = undefined;
    const name = basename(this.path);
    try {
      this.watcher = watch(dirname(this.path), (_event, changed) => {
        if (changed === name || changed === null) this.now();
      });
      this.watcher.on('error', () => {
        this.watcher?.close();
      });
    } catch {
      // No directory yet, or no watches left: the poll finds the file.
    }
  }

  async next(): Promise<void> {
    if (this.changed || this.signal.aborted) {
      this.changed = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.resolve = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resolve = undefined;
    this.changed = false;
  }

  close(): void {
    this.watcher?.close();
    this.signal.removeEventListener('abort', this.now);
  }

  private readonly now = (): void => {
    this.changed = true;
    this.resolve?.();
  };
}

/** The link itself where there is one, then what was opened: neither may be another user's. */
function refuseOthers({ uid }: Stats): void {
  if (uid !== ownUser()) throw Object.assign(new Error('of another user'), { code: 'EOTHER' });
}

function withoutFirst({ bytes, count }: Rows): Rows {
  return { bytes: bytes.slice(bytes.indexOf(NEWLINE) + 1), count: count - 1 };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

function faultOf(path: string, code: string): string {
  if (code === 'ENOENT')
    return `${path} does not exist; reading starts as soon as it does. Fix: start the guest, or correct console:`;
  if (code === 'EACCES') return `${path} may not be read. Fix: chmod or chown it, or its directories`;
  if (code === 'ENOTREG') return `${path} is not a regular file. Fix: let QEMU log to one: -serial file:PATH`;
  if (code === 'EOTHER') return `${path} belongs to another user. Fix: let QEMU make it itself`;
  return `${path} could not be read (${code})`;
}
