/**
 * A process's own threads in D, or in S on a FUSE mount: what keeps a server, or QEMU itself, from answering. All of it is read from /proc, where no
 * question goes to a file server that may be dead.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { FUSE_WAIT, hasFuse, parseMounts, remoteMountsOf } from '../core/host/mounts.js';
import type { BlockedThread } from '../core/model.js';
import { printable } from '../core/printable.js';
import { monotonicMs } from './clock.js';
import { readStat } from './proc.js';

const THREADS_MAX = 512;
const FILES_MAX = 1024;
const KNOWN_MAX = 10_000;

/** Each that waits with what it was seen to have done, and since when it has done nothing. */
const seen = new Map<string, { switches: string; at: number }>();

/** The thread that has waited for longest, as far as looks show it; null if none does. Never throws. */
export async function blockedThread(pid: number): Promise<BlockedThread | null> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const [mounts, others] = await Promise.all([mountsOf(pid), mountsOf('self')]);
  const onFuse = hasFuse(mounts) || hasFuse(others);
  let longest: { tid: string; comm: string; state: string; forMs: number } | null = null;
  for (const tid of threads.slice(0, THREADS_MAX)) {
    const stat = await readStat(pid, Number(tid));
    const asks = onFuse && stat?.state === 'S' && (await wchanOf(pid, tid)) === FUSE_WAIT;
    if (stat === null || (stat.state !== 'D' && !asks)) {
      seen.delete(`${pid}:${tid}`);
      continue;
    }
    const forMs = await standsFor(pid, tid);
    if (longest === null || forMs > longest.forMs)
      longest = { tid, comm: stat.comm, state: stat.state, forMs };
  }
  if (longest === null) return null;
  const { tid, comm, state, forMs } = longest;
  const on = await remoteFiles(pid, mounts, others);
  const [stack, wchan] = await Promise.all([stackOf(pid, tid), wchanOf(pid, tid)]);
  return {
    ...{ tid: Number(tid), comm: printable(comm, 64), forMs: Math.round(forMs), wchan, on },
    ...(state === 'S' && { state }),
    ...(stack.length > 0 && { stack }),
  };
}

/** A thread that was not switched since an earlier look stands since then at least. */
async function standsFor(pid: number, tid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/task/${tid}/status`, 'utf8').catch(() => '');
  const switches = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)]
    .map(([, n]) => n)
    .join();
  const [key, now] = [`${pid}:${tid}`, monotonicMs()];
  const before = seen.get(key);
  if (before?.switches === switches) return now - before.at;
  if (seen.size >= KNOWN_MAX) seen.clear();
  seen.set(key, { switches, at: now });
  return 0;
}

/** The function it sleeps in; null where this user may not see it. */
async function wchanOf(pid: number, tid: string): Promise<string | null> {
  const text = (await readFile(`/proc/${pid}/task/${tid}/wchan`, 'utf8').catch(() => '')).trim();
  return /^[A-Za-z_][\w.]*$/.test(text) ? text.slice(0, 64) : null;
}

/** Root alone may see it. */
async function stackOf(pid: number, tid: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/task/${tid}/stack`, 'utf8').catch(() => '');
  return text
    .split('\n')
    .flatMap((line) => /^\[<[0-9a-f]+>\] (\S+)/.exec(line)?.[1] ?? [])
    .slice(0, 64);
}

type Mounts = ReturnType<typeof parseMounts>;

const mountsOf = async (pid: number | 'self'): Promise<Mounts> =>
  parseMounts(await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => ''));

/** `nfs4 of server:/export (/srv)`, for each mount of another machine that this process has files open on. */
async function remoteFiles(pid: number, mounts: Mounts, others: Mounts): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fdinfo`).catch(() => []);
  const [infos, paths] = await Promise.all([
    Promise.all(
      names.slice(0, FILES_MAX).map((fd) => readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => '')),
    ),
    Promise.all(['cwd', 'root'].map((name) => readlink(`/proc/${pid}/${name}`).catch(() => ''))),
  ]);
  const ids = new Set(infos.flatMap((info) => /^mnt_id:\s+(\d+)$/m.exec(info)?.[1] ?? []));
  return remoteMountsOf({ ids, paths }, mounts, others)
    .slice(0, 4)
    .map(({ type, source, point }) => printable(`${type} of ${source} (${point})`, 160));
}
