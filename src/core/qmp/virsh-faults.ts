/** What virsh says where a command does not come to QEMU (libvirt src/util/virerror.c, src/qemu/qemu_domainjob.c). */
import type { QmpFault } from '../model.js';

const SAID: readonly (readonly [RegExp, QmpFault])[] = [
  [/failed to get domain|Domain not found|domain is not running/i, 'missing'],
  [/cannot acquire state change lock|Timed out during operation/i, 'busy'],
  [/access denied|authentication (?:failed|unavailable|cancelled)|Permission denied/i, 'no-permission'],
  [/monitor (?:was|is) closed|end of file from|End of file while reading/i, 'closed'],
];

/** Whatever else it says accuses no guest. */
export const virshFault = (stderr: string): QmpFault =>
  SAID.find(([words]) => words.test(stderr))?.[1] ?? 'no-libvirt';
