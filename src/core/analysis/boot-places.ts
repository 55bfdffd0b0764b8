/** Filesystems and disks that a log names before the hang; the formats are those of the kernel's own messages. */
import { SUBSYSTEMS } from './subsystems.js';

/** A mounted filesystem, or a disk that reported errors. */
export interface BootPlace {
  kind: 'mounted' | 'failing';
  /** As subjects are called; null for a disk. */
  filesystem: string | null;
  /** The block device; null where the message names none. */
  device: string | null;
}

const DEVICE = String.raw`((?:\w|-){2,32})`;
const MOUNTED = SUBSYSTEMS.flatMap(({ name, mounted }) =>
  mounted === undefined
    ? []
    : [
        {
          filesystem: name.replace(/^filesystem /, ''),
          line: new RegExp(`\\b${mounted.line.replace('DEVICE', DEVICE)}`),
          // Up to the device, as text that is quick to look for.
          start: mounted.line.replace(/DEVICE.*/, ''),
        },
      ],
);
/** A log may hold verdicts too, which say `virtiofs:TAG` and `virtiofsd`. */
const VIRTIOFS = /virtio-?fs(?!d\b|:\S)/i;
const FAILING: readonly RegExp[] = [
  new RegExp(`\\bI/O error, dev ${DEVICE}, sector`),
  new RegExp(`\\bBuffer I/O error on dev(?:ice)? ${DEVICE},`),
  new RegExp(`\\bblock ${DEVICE}: (?:Connection timed out|Receive control failed|Possible stuck request|Dead connection)`),
  new RegExp(`\\bsd [\\d:]{7,20}: \\[${DEVICE}\\] .*(?:timing out|FAILED Result)`),
]; // prettier-ignore
/** `vda`, `vda1` and `nvme0n1p2` are of disks; what hangs on a partition hangs on its disk. */
const PARTITION =
  /^((?:sd|vd|xvd|hd)[a-z]{1,3})\d{1,3}$|^((?:nvme\d+n\d+|mmcblk\d+|nbd\d+|loop\d+))p\d{1,3}$/;

/** Most lines are none of these: one look tells. */
const LIKELY = new RegExp(
  [
    ...MOUNTED.map(({ start }) => start),
    String.raw`I/O error|\bblock \w+: |timing out|FAILED Result|virtio-?fs`,
  ].join('|'),
  'i',
);

/** What one line of a log says of filesystems and disks, or null. */
export function bootPlace(line: string): BootPlace | null {
  if (!LIKELY.test(line)) return null;
  for (const { filesystem, line: pattern } of MOUNTED) {
    const device = pattern.exec(line)?.[1];
    if (device !== undefined) return { kind: 'mounted', filesystem, device };
  }
  for (const pattern of FAILING) {
    const device = pattern.exec(line)?.[1];
    if (device !== undefined) return { kind: 'failing', filesystem: null, device: diskOf(device) };
  }
  return VIRTIOFS.test(line) ? { kind: 'mounted', filesystem: 'virtiofs', device: null } : null;
}

function diskOf(device: string): string {
  const [, plain, numbered] = PARTITION.exec(device) ?? [];
  return plain ?? numbered ?? device;
}

/** The one device that a filesystem of this kind is mounted from; null where there is a choice. */
export function onlyMount(places: readonly BootPlace[], filesystem: string): string | null {
  const devices = new Set(places.flatMap((place) => (place.filesystem === filesystem ? [place.device] : [])));
  const [device] = devices;
  return devices.size === 1 ? (device ?? null) : null;
}

/** The one disk that reported errors; null where there is a choice. */
export function onlyFailing(places: readonly BootPlace[]): string | null {
  const devices = new Set(places.flatMap(({ kind, device }) => (kind === 'failing' ? [device] : [])));
  const [device] = devices;
  return devices.size === 1 ? (device ?? null) : null;
}
