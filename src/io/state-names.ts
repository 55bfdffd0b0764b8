/** Names of state files: VM names are hostile, and may be longer than a file's. */
import { createHash } from 'node:crypto';

/** In bytes: what the filesystem takes less what is put behind it. */
const NAME_MAX = 240;
const KEPT = 180;
const SUFFIX = '.json';

/**
 * `vm-1a2b3c4d.json`. Bytes that are neither a letter or digit nor one of `-._~` are percent-encoded, as by Python's
 * `quote(vm, safe='')`; of a name that is too long then, the rest is a hash behind `=`. No two VMs share a file, and none
 * leaves the directory.
 */
export function stateFileName(vm: string): string {
  const quoted = [...Buffer.from(vm)].map(quote).join('');
  if (quoted.length <= NAME_MAX) return `${quoted}${SUFFIX}`;
  return `${quoted.slice(0, KEPT)}=${createHash('sha256').update(vm).digest('hex').slice(0, 32)}${SUFFIX}`;
}

export const isStateFileName = (name: string): boolean => name.endsWith(SUFFIX);

function quote(byte: number): string {
  const mark = String.fromCharCode(byte);
  return /[A-Za-z0-9._~-]/.test(mark) ? mark : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
