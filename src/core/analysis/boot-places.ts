/** Filesystems that a log names when it mounts them; the formats are those of the kernel's own messages. */
import { SUBSYSTEMS } from '../subsystems.js';

/** A mounted filesystem. */
export interface BootPlace {
  /** As subjects are called. */
  filesystem: string;
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

/** Most lines are none of these: one look tells. */
const LIKELY = new RegExp([...MOUNTED.map(({ start }) => start), 'virtio-?fs'].join('|'), 'i');

/** What one line of a log says of a filesystem, or null. */
export function bootPlace(line: string): BootPlace | null {
  if (!LIKELY.test(line)) return null;
  for (const { filesystem, line: pattern } of MOUNTED) {
    const device = pattern.exec(line)?.[1];
    if (device !== undefined) return { filesystem, device };
  }
  return VIRTIOFS.test(line) ? { filesystem: 'virtiofs', device: null } : null;
}

/** The one device that a filesystem of this kind is mounted from; null where there is a choice. */
export function onlyMount(places: readonly BootPlace[], filesystem: string): string | null {
  const devices = new Set(places.flatMap((place) => (place.filesystem === filesystem ? [place.device] : [])));
  const [device] = devices;
  return devices.size === 1 ? (device ?? null) : null;
}
