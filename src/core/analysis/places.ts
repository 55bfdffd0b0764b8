import type { Frame, Share, Task } from '../model.js';
import { backendOf } from './backends.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol } from './layers.js';

/** What is known from outside the dumps. */
export interface AnalysisContext {
  /** Seconds between the first and the second dump of blocked tasks, by the host's clock; null if unknown. */
  secondsBetweenLooks: number | null;
  /** vhost-user-fs shares of this guest with the state of each server; empty if unknown. */
  shares: Share[];
  /** From QEMU or from the boot log; null if unknown. */
  kernelCommandLine: string | null;
  /** Lines of the boot log that name a filesystem backed by a server, for logs without a QEMU to ask. */
  mountLines?: string[];
}

export interface Place {
  /** Last part of the title; null if no frame and nothing from outside tells. */
  where: string | null;
  /** What was taken from outside the guest, as sentences. */
  inferred: string[];
  /** How the outside agrees: one dead server proves it, several leave a choice, living ones cast doubt. */
  outside: 'dead' | 'several' | 'doubtful' | 'none';
}

interface Row {
  pattern: RegExp;
  where: string;
  /** For ties: the nearer to the hardware, the likelier the root. */
  rank: number;
}

const ROWS: readonly Row[] = [
  {
    pattern:
      /^(?:nvme|scsi|sd|ata|ahci|mmc|sdhci|usb|hub|virtblk|virtscsi|mlx\d|i2c|pci|ufshcd|megasas|mpt3?sas)_/,
    where: 'a device driver',
    rank: 5,
  },
  { pattern: /^(?:request_firmware\w*|_request_firmware|fw_\w+)$/, where: 'the firmware loader', rank: 5 },
  {
    pattern:
      /^(?:blk|bio|blkdev|blkg|__blk|__bio|submit_bio|__submit_bio|del_gendisk|bdev|wbt|rq_qos|elv)(?:_|$)/,
    where: 'the block layer',
    rank: 4,
  },
  { pattern: /^(?:dm|raid\d+|md|bch|loop|nbd|ublk|drbd)_/, where: 'a stacked block device', rank: 4 },
  {
    pattern: /^(?:jbd2|xlog|xfs_log|start_this_handle|wait_current_trans|txg)(?:_|$)/,
    where: 'a filesystem journal',
    rank: 3,
  },
  { pattern: /^_*ext4_/, where: 'filesystem ext4', rank: 2 },
  { pattern: /^_*xfs_/, where: 'filesystem xfs', rank: 2 },
  { pattern: /^_*btrfs_/, where: 'filesystem btrfs', rank: 2 },
  { pattern: /^_*f2fs_/, where: 'filesystem f2fs', rank: 2 },
  { pattern: /^_*gfs2_/, where: 'filesystem gfs2', rank: 2 },
  { pattern: /^(?:zpl|zfs|spa|dmu|dsl|zio|arc)_/, where: 'filesystem zfs', rank: 2 },
  { pattern: /^ovl_/, where: 'filesystem overlay', rank: 2 },
  { pattern: /^(?:hugetlb|hugetlbfs)_/, where: 'huge pages', rank: 1 },
  { pattern: /^(?:wb|writeback|balance_dirty|__writeback)\w*$/, where: 'writeback', rank: 2 },
  {
    pattern:
      /^(?:rtnl|netdev|register_netdev|unregister_netdev|dev_ioctl|cleanup_net|copy_net|inet6?|tcp|udp|sock|synchronize_net)\w*$/,
    where: 'networking',
    rank: 2,
  },
  { pattern: /^(?:synchronize_s?rcu|rcu)\w*$/, where: 'RCU', rank: 1 },
  {
    pattern:
      /^(?:try_to_free|shrink|alloc_pages_slowpath|__alloc_pages|kswapd|throttle_direct|collapse_huge|khugepaged|do_swap)\w*$/,
    where: 'memory management',
    rank: 1,
  },
];

/** Waits for a page's data, of whatever file. */
const PAGE_WAIT = /^(?:filemap_fault|filemap_read|generic_file_buffered_read|do_read_cache_(?:page|folio))$/;
const FUSE_FRAME = /^_*(?:fuse|virtio_fs|cuse)_/;
const MOST_LISTED = 3;

/** The part of the kernel a stack belongs to, by its operation frame or the nearest frame outwards that tells. */
function subsystem(frames: readonly Frame[]): Row | null {
  const firm = firmFrames(frames);
  const operation = operationFrame(frames);
  for (const { symbol, module } of operation ? firm.slice(firm.indexOf(operation)) : firm) {
    const row = ROWS.find(({ pattern }) => pattern.test(baseSymbol(symbol)));
    if (row) return row;
    if (module !== null) return { pattern: /^/, where: `module ${module}`, rank: 2 };
  }
  return null;
}

export const placeRank = (frames: readonly Frame[]): number => subsystem(frames)?.rank ?? 0;

/** Where a stuck task's wait ends: a filesystem, a server, a layer of the kernel. */
export function placeOf(task: Task, context: AnalysisContext): Place {
  const backend = backendOf(task.frames);
  const names = firmFrames(task.frames).map(({ symbol }) => baseSymbol(symbol));
  const operation = operationFrame(task.frames);
  const row = subsystem(task.frames);
  const fuse = backend?.kind === 'fuse' || names.some((name) => FUSE_FRAME.test(name));
  const anyFile = operation !== null && PAGE_WAIT.test(operation.symbol) && row === null;
  if (fuse || anyFile) {
    const place = fromOutside(context, fuse);
    if (place) return place;
  }
  return { where: backend?.where ?? row?.where ?? null, inferred: [], outside: 'none' };
}

/** What is wrong with a server on the host; null if it runs. D is no fault: one that reads its disk is in D too. */
function serverFault({ server }: Share): string | null {
  if (server === null) return 'virtiofsd gone';
  if (server.state === 'T' || server.state === 't') return 'virtiofsd stopped';
  return server.state === 'Z' || server.state === 'X' ? 'virtiofsd dead' : null;
}

function fromOutside(context: AnalysisContext, fuse: boolean): Place | null {
  const { shares } = context;
  const dead = shares.filter((share) => serverFault(share) !== null);
  const one = dead.length === 1 ? dead[0] : undefined;
  if (one) {
    const fault = serverFault(one) ?? '';
    const inferred = [
      `virtiofs:${one.tag} is inferred: the stack names no filesystem; of this guest's shares its server alone does not answer (${fault}).`,
    ];
    return { where: `filesystem virtiofs:${one.tag} (inferred; ${fault})`, inferred, outside: 'dead' };
  }
  if (dead.length > 1) {
    const inferred = [
      `The servers of several shares are dead or stopped (${tags(dead)}); the stack does not say which one it is.`,
    ];
    return {
      where: `one of ${tags(dead)} (inferred; their servers are stopped or gone)`,
      inferred,
      outside: 'several',
    };
  }
  if (shares.length > 0) {
    const inferred = [
      `The guest has ${tags(shares)}, and each server runs on the host; that the wait is for one is a guess.`,
    ];
    const which = shares.length === 1 ? `perhaps ${tags(shares)}` : `perhaps one of ${tags(shares)}`;
    return { where: `${which} (inferred; virtiofsd runs)`, inferred, outside: 'doubtful' };
  }
  return fromLog(context, fuse);
}

const tags = (shares: readonly Share[]): string => {
  const more = shares.length > MOST_LISTED ? ` and ${shares.length - MOST_LISTED} more` : '';
  return (
    shares
      .slice(0, MOST_LISTED)
      .map(({ tag }) => `virtiofs:${tag}`)
      .join(', ') + more
  );
};

/** Without QEMU to ask, the guest's own words about its root or its mounts. */
function fromLog({ kernelCommandLine, mountLines }: AnalysisContext, fuse: boolean): Place | null {
  const root = /\brootfstype=virtiofs\b/.test(kernelCommandLine ?? '')
    ? /\broot=([^\s,]{1,64})/.exec(kernelCommandLine ?? '')?.[1]
    : undefined;
  if (root !== undefined) {
    const inferred = [`virtiofs:${root} is inferred from root= on the kernel's command line.`];
    return {
      where: `filesystem virtiofs:${root} (inferred from the command line)`,
      inferred,
      outside: 'none',
    };
  }
  if (!mountLines?.some((line) => /virtio-?fs/i.test(line))) return null;
  return {
    where: `${fuse ? '' : 'perhaps '}a virtiofs share (inferred from the boot log)`,
    inferred: ['That it is a virtiofs is inferred from the boot log, which names one.'],
    outside: 'none',
  };
}
