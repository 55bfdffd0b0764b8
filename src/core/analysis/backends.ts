import type { Frame } from '../model.js';
import { firmSymbols } from './frames.js';
import { perStack } from './per-stack.js';

/** A server outside the guest's kernel whose answer a task waits for. */
export interface Backend {
  kind: 'fuse' | '9p' | 'nfs' | 'smb' | 'ceph';
  /** What is awaited, for the title. */
  request: string;
  /** Where it goes, for the title. */
  where: string;
}

interface Row {
  wait: RegExp;
  backend: Backend;
}

/** Waits that only a server can end, interruptible or killable: in S a dump of blocked tasks does not show them. */
const ROWS: readonly Row[] = [
  {
    wait: /^(?:request_wait_answer|_*fuse_simple_request|_*fuse_request_send|fuse_get_req\w*|virtio_fs_enqueue_req)$/,
    backend: { kind: 'fuse', request: 'FUSE request', where: 'a FUSE server' },
  },
  {
    wait: /^p9_(?:client_(?:zc_)?rpc|virtio_(?:zc_)?request|fd_request)$/,
    backend: { kind: '9p', request: '9p request', where: 'a 9p server' },
  },
  {
    wait: /^(?:rpc_wait_bit_killable|_*rpc_wait_for_completion_task|nfs_wait_bit_killable|nfs_wait_on_request|nfs4_wait_clnt_recover|nfs_wait_client_init_complete)$/,
    backend: { kind: 'nfs', request: 'NFS request', where: 'an NFS server' },
  },
  {
    wait: /^(?:wait_for_response|cifs_send_recv|compound_send_recv|SendReceive\d?|cifs_wait_for_server_reconnect)$/,
    backend: { kind: 'smb', request: 'SMB request', where: 'an SMB server' },
  },
  {
    wait: /^_*ceph_(?:mdsc_wait_request|mdsc_do_request|osdc_wait_request|get_caps)$/,
    backend: { kind: 'ceph', request: 'Ceph request', where: 'a Ceph server' },
  },
];

/** A blocking lock request waits as long as somebody holds the lock: no sign of a dead server. */
const FILE_LOCK =
  /^(?:fcntl_setlk\w*|do_lock_file_wait|fuse_setlk|fuse_file_lock|fuse_file_flock|nfs_lock|nfs_flock|v9fs_file_\w*lock\w*|cifs_lock|cifs_flock)$/;

/** The server a stack waits for, or null. */
export const backendOf = perStack((frames): Backend | null => {
  const names = firmSymbols(frames);
  if (names.some((name) => FILE_LOCK.test(name))) return null;
  return ROWS.find(({ wait }) => names.some((name) => wait.test(name)))?.backend ?? null;
});

/** The filesystem's method that made the request: the outermost of its frames. Null if only the wait is shown. */
export function requestedBy(frames: readonly Frame[], backend: Backend): string | null {
  const prefix = {
    fuse: /^(?:_*fuse|virtio_fs|cuse)_/,
    '9p': /^(?:v9fs|p9)_/,
    nfs: /^_*nfs\d?_/,
    smb: /^(?:cifs|smb\d?)_/,
    ceph: /^_*ceph_/,
  };
  return firmSymbols(frames).findLast((name) => prefix[backend.kind].test(name)) ?? null;
}
