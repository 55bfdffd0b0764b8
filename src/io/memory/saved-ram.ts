/**
 * RAM by QEMU's own word, where nothing else is open: `pmemsave` writes it to a file of this process, some at a time, for
 * QEMU stands still meanwhile. The reader is synchronous: it waits for a thread that talks to QEMU.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Region } from '../../core/memory/memory-map.js';
import type { Ram } from '../../core/memory/model.js';
import { runtimeDirectory } from '../paths.js';

/** Of 0.4 s for 57 MB this takes 2 ms; larger ones would hold QEMU up, smaller ones cost a round trip each. */
const PIECE = 256 * 1024;
/** For one piece, with the wait for the socket. */
const PIECE_MS = 2_000;
/** For the first one, with the start of the thread, on a busy host. */
const FIRST_MS = 10_000;
const KEPT_MAX = 256;

/** What the thread is started with, and what it writes for each piece. */
export interface SaverData {
  qmpSocket: string;
  /** Of the files, to which a number is added. */
  file: string;
  /** [0]: a piece is wanted (1), is there (2), or is not to be had (3). */
  state: SharedArrayBuffer;
  /** [0]: its address, [1]: its size, [2]: its number, which ends its file's name. */
  order: SharedArrayBuffer;
}

/** Each has its own: one that came too late is nobody's. */
export const pieceFile = (file: string, number: number): string => `${file}-${number}`;

/** What QEMU said as it saved none. */
export const whyFile = (file: string): string => `${file}-why`;

/** Of the process that makes it. */
const DIRECTORY = /^wedgewatch-memory-(\d{1,10})-[0-9a-f]{16}$/;

/** The runtime directory is no disk: pieces are the guest's raw memory. Root's daemon may write to its own part only. */
function placeOfPieces(): string {
  const runtime = runtimeDirectory();
  return [join(runtime, 'wedgewatch'), runtime].find(isWritable) ?? tmpdir();
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function directoryIn(place: string): string {
  for (const name of readdirSync(place)) if (isLeft(name)) remove(join(place, name));
  return join(place, `wedgewatch-memory-${process.pid}-${randomBytes(8).toString('hex')}`);
}

/** By a process that was killed in the middle of a look. */
function isLeft(name: string): boolean {
  const pid = DIRECTORY.exec(name)?.[1];
  try {
    if (pid !== undefined) process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // Another user's.
  }
}

export class SavedRam implements Ram {
  readonly ranges: readonly { first: number; end: number }[];
  /** There during a look only. */
  private readonly directory = directoryIn(placeOfPieces());
  private readonly file = join(this.directory, 'piece');
  private readonly state = new SharedArrayBuffer(4);
  private readonly order = new SharedArrayBuffer(24);
  private readonly worker: Worker;
  private readonly kept = new Map<number, Uint8Array>();
  /** Why QEMU's last copy is not to be had; null where it is. */
  failure: string | null = null;
  private number = 0;

  constructor(qmpSocket: string, regions: readonly Region[]) {
    this.ranges = regions.map(({ first, end }) => ({ first, end }));
    const { file, state, order } = this;
    const workerData: SaverData = { qmpSocket, file, state, order };
    this.worker = new Worker(new URL('./saver-thread.js', import.meta.url), { workerData });
    this.worker.unref();
  }

  /** Forgets what was read: each look sees the guest anew. After a failure QEMU is asked again. */
  open(): void {
    this.close();
    mkdirSync(this.directory, { mode: 0o700 });
    this.failure = null;
  }

  /** The process may be killed at any time from now on: nothing of the guest is left. */
  close(): void {
    this.kept.clear();
    remove(this.directory);
  }

  /** Ends the thread. */
  end(): void {
    void this.worker.terminate();
    this.close();
  }

  read(gpa: number, into: Uint8Array): boolean {
    for (let done = 0; done < into.length;) {
      const at = gpa + done;
      const range = this.ranges.find(({ first, end }) => at >= first && at < end);
      if (range === undefined) return false;
      const first = Math.max(range.first, Math.floor(at / PIECE) * PIECE);
      const bytes = this.piece(first, Math.min(range.end, (Math.floor(at / PIECE) + 1) * PIECE) - first);
      if (bytes === null) return false;
      const part = bytes.subarray(at - first, at - first + into.length - done);
      into.set(part, done);
      done += part.length;
    }
    return true;
  }

  private piece(first: number, size: number): Uint8Array | null {
    const known = this.kept.get(first);
    if (known !== undefined) return known;
    // One that gave no answer in time would take that time for each piece.
    if (this.failure !== null) return null;
    const [state, order] = [new Int32Array(this.state), new Float64Array(this.order)];
    this.number += 1;
    order.set([first, size, this.number]);
    Atomics.store(state, 0, 1);
    Atomics.notify(state, 0);
    Atomics.wait(state, 0, 1, this.number === 1 ? FIRST_MS : PIECE_MS);
    const bytes = Atomics.load(state, 0) === 2 ? this.saved(size) : null;
    if (bytes === null) {
      this.failure = this.whyNot(Atomics.load(state, 0));
      return null;
    }
    if (this.kept.size >= KEPT_MAX) this.kept.delete(this.kept.keys().next().value ?? first);
    this.kept.set(first, bytes);
    return bytes;
  }

  private whyNot(state: number): string {
    if (state === 1) return 'it gave no answer in time';
    try {
      return readFileSync(whyFile(this.file), 'utf8').slice(0, 200);
    } catch {
      return 'it wrote less than it was asked for';
    }
  }

  private saved(size: number): Uint8Array | null {
    try {
      const bytes = readFileSync(pieceFile(this.file, this.number));
      return bytes.length === size ? bytes : null;
    } catch {
      return null;
    }
  }
}
