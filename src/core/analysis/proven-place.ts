/** Where a wait ends by what memory shows: the filesystem of the page, the request or the file, and its server. */
import { isVirtiofs, serverFault, serverIs, stuckText } from '../host/share-server.js';
import type { Share, Task, WaitKind } from '../model.js';
import { SERVER_KINDS } from '../subsystems.js';

type SeenObject = NonNullable<Task['objects']>[number];
type Filesystem = NonNullable<SeenObject['filesystem']>;

interface ProvenPlace {
  where: string;
  /** The same without page and mount point. */
  brief: string;
  /** The type of the filesystem. */
  type: string;
  /** Its server on the host is stopped or gone. */
  dead: boolean;
}

/** Filesystems that no device and no server is behind: that a task has such a file open says nothing of its wait. */
const OF_THE_KERNEL =
  /^(?:proc|sysfs|tmpfs|devtmpfs|devpts|ramfs|rootfs|sockfs|pipefs|anon_inodefs|bpf|cgroup2?|debugfs|tracefs|configfs|securityfs|efivarfs|mqueue|hugetlbfs|nsfs|pstore|binfmt_misc|rpc_pipefs|selinuxfs|dax|bdev)$/;
const OF_FUSE = /^(?:fuse|fuseblk|virtiofs)$/;

/** Waits that end with an answer of a device, a server or a filesystem. */
const ANSWERED: ReadonlySet<WaitKind> = new Set<WaitKind>([
  ...SERVER_KINDS,
  ...(['page', 'buffer', 'io', 'block-io', 'block-tag', 'queue-freeze', 'writeback'] as const),
  ...(['dirty-throttle', 'fs-freeze', 'journal-commit', 'transaction'] as const),
]);

export const awaitsAnswer = (kind: WaitKind | null): boolean => kind !== null && ANSWERED.has(kind);

const WHERE_MAX = 76;

/** Null where memory shows no filesystem that the wait could be for. */
export function provenPlace(task: Task, shares: readonly Share[]): ProvenPlace | null {
  const object = decisive(task);
  const filesystem = object?.filesystem;
  if (!object || !filesystem) return null;
  const share = shares.find(
    (one) => isVirtiofs(one) && filesystem.type === 'virtiofs' && one.tag === filesystem.source,
  );
  const named = nameOf(filesystem);
  const page = pageIn(object);
  const detailed = page === null ? named : `${named}, ${page}`;
  const where = detailed.length <= WHERE_MAX ? detailed : named;
  return {
    where: `${where}${share ? ` (${stateOf(share)})` : ''}`,
    brief: nameOf({ ...filesystem, on: null }),
    type: filesystem.type,
    dead: share !== undefined && serverFault(share) !== null,
  };
}

/** The page in work before all others, then what the innermost frame points at; a request is answered by its own. */
function decisive({ objects = [], request }: Task): SeenObject | null {
  const real = objects.filter(({ filesystem }) => filesystem && !OF_THE_KERNEL.test(filesystem.type));
  const asked =
    request === undefined
      ? undefined
      : real.find(
          ({ filesystem }) =>
            filesystem &&
            OF_FUSE.test(filesystem.type) &&
            (request.source ?? filesystem.source) === filesystem.source,
        );
  return asked ?? real.find(({ state }) => state !== undefined) ?? real[0] ?? null;
}

/** `virtiofs:TAG`, `ext4 on /dev/vdb`, `nfs4 of server:/export`, each with where it is mounted. */
function nameOf({ type, source, on }: Filesystem): string {
  const at = on === null ? '' : ` (${on})`;
  if (source === null || source === 'none' || source === type) return `filesystem ${type}${at}`;
  if (type === 'virtiofs') return `filesystem virtiofs:${source}${at}`;
  return `filesystem ${type} ${source.startsWith('/dev/') ? 'on' : 'of'} ${source}${at}`;
}

function pageIn({ kind, text }: SeenObject): string | null {
  const [, path, index] = (kind === 'folio' ? /^(.*) index (\d+)$/.exec(text) : null) ?? [];
  return path === undefined || index === undefined ? null : `page ${index} of ${path}`;
}

function stateOf(share: Share): string {
  const fault = serverFault(share);
  if (fault !== null) return `virtiofsd is ${fault}`;
  const stuck = stuckText(share);
  if (stuck !== null) return `virtiofsd is itself ${stuck}`;
  return serverIs(share) === 'unknown' ? 'its server is not known' : 'virtiofsd runs';
}

/** What memory shows of a wait, for the reasons. */
export function memoryReasons({ request, objects = [], wantsLock }: Task): string[] {
  const reasons: string[] = [];
  if (request) {
    const of = request.source === null ? '' : ` of ${request.source}`;
    reasons.push(
      `By memory it waits for the answer to ${request.operation}, request ${request.unique}${of}.`,
    );
  }
  const folio = objects.find(({ kind, state }) => kind === 'folio' && state !== undefined);
  if (folio?.filesystem) {
    const state = folio.state === 'writeback' ? 'under writeback' : 'locked';
    reasons.push(`By memory ${pageIn(folio) ?? folio.text}, in ${nameOf(folio.filesystem)}, is ${state}.`);
  }
  if (wantsLock) {
    const { kind, address, name, held } = wantsLock;
    const guards = objects.find((one) => one.kind === 'lock');
    const what = guards?.text ?? name;
    const by = held === undefined ? '' : held === 'readers' ? ', held by readers' : ', held by a writer';
    reasons.push(
      `By memory it waits for the ${kind} at ${address}${what === undefined ? '' : ` (${what})`}${by}.`,
    );
  }
  return reasons;
}
