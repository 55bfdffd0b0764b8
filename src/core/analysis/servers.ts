/** Programs in the guest that answer for a filesystem or a disk. */
import type { Task, WaitKind } from '../model.js';
import { baseSymbol } from './layers.js';

/** By their names, cut to 15 characters as the kernel keeps them; a FUSE server's names itself as it likes. */
const SERVERS: readonly { kinds: readonly WaitKind[]; comm: RegExp }[] = [
  {
    kinds: ['fuse'],
    comm: /fuse|^(?:virtiofsd|sshfs|s3fs|goofys|rclone|mount\.ntfs|ntfs-3g|lxcfs|encfs|gocryptfs|cryfs|mergerfs|gluster|squashfuse|xdg-document-po|gvfsd)/i,
  },
  { kinds: ['nfs'], comm: /^(?:nfs|ganesha|unfsd|lockd)/ },
  { kinds: ['9p'], comm: /^(?:diod|u9fs|npfs|9p)/ },
  { kinds: ['smb'], comm: /^(?:smbd|ksmbd)/ },
  { kinds: ['ceph'], comm: /^ceph-/ },
  { kinds: [], comm: /^(?:nbd|qemu-nbd|qemu-storage|ublk|tgtd|iscsid|target_|drbd|tcmu-runner|multipathd|dmeventd)/ },
]; // prettier-ignore

/** The read in which a FUSE server takes its requests, even if it is only left over on its stack. */
const FUSE_DEVICE = /^fuse_dev_(?:do_read|read|splice_read)$/;

const readsFuse = ({ frames }: Task): boolean =>
  frames.some(({ symbol }) => FUSE_DEVICE.test(baseSymbol(symbol)));

/** Whether a task is one that may have to answer such a wait; one for data may be for any of them. */
export function mayServe(task: Task, kind: WaitKind): boolean {
  const rows = SERVERS.filter(({ comm }) => comm.test(task.comm));
  const named = SERVERS.some(({ kinds }) => kinds.includes(kind));
  if (!named) return rows.length > 0 || readsFuse(task);
  return rows.some(({ kinds }) => kinds.includes(kind)) || (kind === 'fuse' && readsFuse(task));
}
