/**
 * A lock that the kernel drops with its process. It is flock(2)'s, of an open file, so it lives exactly as long as this
 * process keeps the file open: a process that is stopped keeps it, one that is killed leaves nothing that blocks the next.
 * Node has no flock; flock(1) takes the lock on a descriptor that it inherits, as shells let it, and ends. An abstract
 * socket would not do: its names are per network namespace, and anybody may bind one first.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { isAlive } from '../core/host/stat.js';
import { printable } from '../core/printable.js';
import { systemctl } from '../core/scope.js';
import { makeDirectory } from './files.js';
import { bootId, readStat } from './proc.js';
import { ownScope } from './scope.js';

/** What a holder writes into its file: a note for people. The lock itself is the kernel's. */
const noteSchema = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks since boot: tells a process from a later one with its number. */
  start: z.number(),
  boot: z.string(),
  host: z.string(),
  since: z.iso.datetime(),
  doing: z.string(),
});
type Note = z.infer<typeof noteSchema>;

const FLOCK_MS = 5_000;
/** flock(1)'s own default for a lock that is held (-E). */
const IS_HELD = 1;
const NOTE_MAX = 4_096;
const SAID_MAX = 1_000;

/** Somebody holds the lock; the message says who. */
export class LockHeld extends Error {
  override readonly name = 'LockHeld';
}

/**
 * Takes the lock of this file for as long as this process lives: what is still under way at its end is still the
 * owner's. `doing` is what another process is told, such as `wedgewatch run`.
 * @throws LockHeld if somebody holds it, Error if it cannot be locked, with cause and fix
 */
export async function takeLock(path: string, doing: string): Promise<void> {
  await privateDirectory(dirname(path));
  const fd = openOwn(path);
  try {
    const { exitCode, why } = await flock(fd);
    if (exitCode === IS_HELD && why === '') throw new LockHeld(await holderOf(fd, path));
    if (exitCode !== 0) throw new Error(`${path} cannot be locked: ${printable(why, 200)}`);
    await writeNote(fd, doing);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Locks the open file behind this descriptor, or says why not. */
function flock(fd: number): Promise<{ exitCode: number | null; why: string }> {
  return new Promise((resolve) => {
    const child = spawn('flock', ['-n', '-x', '0'], { stdio: [fd, 'ignore', 'pipe'], timeout: FLOCK_MS });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, SAID_MAX)));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'flock is not in PATH; install util-linux' : error.message;
      resolve({ exitCode: null, why });
    });
    child.on('close', (exitCode) => {
      resolve({ exitCode, why: exitCode === null ? `flock did not end within ${FLOCK_MS} ms` : said.trim() });
    });
  });
}

/** Another user who makes it first would decide who may run; root may in any case. */
async function privateDirectory(path: string): Promise<void> {
  const fix = 'set XDG_RUNTIME_DIR and archive.directory to places of your own';
  await makeDirectory(path, 0o700).catch((error: unknown) => {
    throw new Error(`${path} cannot be made: ${String(error)}; ${fix}`, { cause: error });
  });
  // A link that leads elsewhere is the user's own business, if it is the user's own link.
  const { uid } = await lstat(path);
  if (uid !== process.getuid?.() && uid !== 0)
    throw new Error(`${path} belongs to uid ${uid}, not to you; remove it, or ${fix}`);
}

/** The file as it is, or a new one; only one of this user's, which is no link. */
function openOwn(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    throw new Error(`${path} cannot be opened: ${String(error)}; remove it, or make its directory writable`, {
      cause: error,
    });
  }
  const { uid, nlink } = fstatSync(fd);
  const isFile = fstatSync(fd).isFile();
  if (uid === process.getuid?.() && nlink === 1 && isFile) return fd;
  closeSync(fd);
  const what = isFile ? `belongs to uid ${uid} and has ${nlink} names` : 'is no file';
  throw new Error(`${path} ${what}: somebody else made it; remove it`);
}

async function writeNote(fd: number, doing: string): Promise<void> {
  const start = (await readStat(process.pid))?.startTicks ?? 0;
  const since = new Date().toISOString();
  const note: Note = { pid: process.pid, start, boot: bootId(), host: hostname(), since, doing };
  try {
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(note)}\n`, 0);
  } catch {
    // On a full disk the lock holds all the same; only its holder has no name.
  }
}

/** Who holds it, by the note, and whether that process still says so. */
async function holderOf(fd: number, path: string): Promise<string> {
  const note = readNote(fd);
  if (note === null)
    return `another wedgewatch is already running: ${path} is locked by a process that left no name; find it with: fuser -v ${path}`;
  const { pid, host, since, doing } = note;
  const who = `another wedgewatch is already running (pid ${pid}, ${printable(doing, 80)}, since ${since})`;
  // A shared home, or a container: its processes are not to be seen from here.
  if (note.boot !== bootId()) return `${who} on the host ${printable(host, 80)}: ${path} is locked`;
  const stat = await readStat(pid);
  if (stat === null || !isAlive(stat) || stat.startTicks !== note.start)
    return `${who}, which is not to be seen from here, perhaps in a container: ${path} is locked; find it with: fuser -v ${path}`;
  const stop = /\brun$/.test(doing)
    ? `stop it with: ${systemctl(ownScope(), 'stop wedgewatch')}`
    : 'it ends by itself: try again then';
  if (stat.state === 'T') return `${who}, which is stopped; continue it with: kill -CONT ${pid}; or ${stop}`;
  return `${who}; ${stop}`;
}

/** Null where there is none, or what there is was not written by a holder. */
function readNote(fd: number): Note | null {
  try {
    if (fstatSync(fd).size > NOTE_MAX) return null;
    // The descriptor stands at its beginning.
    return noteSchema.parse(JSON.parse(readFileSync(fd, 'utf8')));
  } catch {
    return null;
  }
}
