/** The mounts of a process, by the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)): nothing here asks a server. */

interface HostMount {
  /** One number for each mount of the host, in whichever namespace. */
  id: string;
  point: string;
  type: string;
  source: string;
}

/** Whose files wait for another machine, or for a program. */
const REMOTE = /^(?:nfs4?|cifs|smb3|ceph|9p|afs|lustre|gfs2|ocfs2|fuse(?:\..+)?)$/;
/** Programs of this host's own desktop, which hold nothing of a guest. */
const OWN = /^fuse\.(?:gvfsd-fuse|portal|lxcfs)$/;

export function parseMounts(text: string): HostMount[] {
  return text.split('\n').flatMap((line): HostMount[] => {
    // id parent major:minor root point options [optional fields] - type source super-options
    const [, id = '', point, type, source] =
      /^(\d+) \d+ \S+ \S+ (\S+) \S+ (?:\S+ )*?- (\S+) (\S+)/.exec(line) ?? [];
    if (point === undefined || type === undefined) return [];
    return [{ id, point: unescape(point), type, source: unescape(source ?? '') }];
  });
}

/** Blanks, tabs, newlines and backslashes are octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(parseInt(digits, 8)));

const isRemote = ({ type }: HostMount): boolean => REMOTE.test(type) && !OWN.test(type);

/**
 * The function in which a thread waits for the program behind a FUSE mount: in S, until a signal comes (fs/fuse/dev.c).
 * Data that is read through the page cache is waited for in D, as with every filesystem.
 */
export const FUSE_WAIT = 'request_wait_answer';

/** Whether such a mount is among them. */
export const hasFuse = (mounts: readonly HostMount[]): boolean =>
  mounts.some((mount) => mount.type.startsWith('fuse') && isRemote(mount));

interface Held {
  /** The `mnt_id` of each open file (proc_pid_fdinfo(5)). */
  ids: ReadonlySet<string>;
  /** Files as their process names them. */
  paths: readonly string[];
}

/**
 * Those of other machines that hold at least one of these files. `mounts` are the process's own; a process in a chroot does
 * not see the mount that its files lie on, but `others` may: they count by their number alone.
 */
export function remoteMountsOf(
  { ids, paths }: Held,
  mounts: readonly HostMount[],
  others: readonly HostMount[],
): HostMount[] {
  const found = new Map<string, HostMount>();
  for (const mount of [...others, ...mounts])
    if (ids.has(mount.id) && !found.has(mount.id)) found.set(mount.id, mount);
  for (const path of paths) {
    const mount = mountOf(path, mounts);
    if (mount !== null && !found.has(mount.id)) found.set(mount.id, mount);
  }
  return [...found.values()].filter(isRemote);
}

/** The longest mount point above the path; of equal ones the last is on top. */
function mountOf(path: string, mounts: readonly HostMount[]): HostMount | null {
  let best: HostMount | null = null;
  for (const mount of mounts) {
    const under = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (under && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}
