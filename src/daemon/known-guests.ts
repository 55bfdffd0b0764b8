/** The guests there are, for verbs that name one. */
import type { Config } from '../core/config/schema.js';
import { didYouMean } from '../core/nearest.js';
import { scanGuests } from '../io/discover.js';
import { qmpDirectory } from '../io/paths.js';

/** The VMs of the configuration and those whose socket is there, sorted. */
export async function knownGuests({ discover: { enabled, directory }, guests }: Config): Promise<string[]> {
  const found = enabled ? await scanGuests(directory ?? qmpDirectory()) : [];
  return [...new Set([...guests.map(({ name }) => name), ...found])].sort();
}

/** How every verb says that a VM is none of them: the name that was most likely meant, else those there are. */
export function noGuest(vm: string, known: readonly string[]): string {
  const hint = didYouMean(vm, known);
  if (hint !== '') return `no guest ${vm}${hint}`;
  return `no guest ${vm}; there ${known.length === 0 ? 'are none' : `are: ${known.join(', ')}`}`;
}
