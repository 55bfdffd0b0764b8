/** Guests that were found by their processes, as entries of the configuration: all else then treats them alike. */
import { qmpAddressOf } from '../qmp-address.js';
import { guestForUnit, guestSettings } from './guest-settings.js';
import type { Config } from './schema.js';

interface Found {
  vm: string;
  qmp: string | null;
  consoleFile: string | null;
  unit: string | null;
}

/**
 * The configuration with an entry for each of them that it does not know already: by its name, by its QMP, by a unit that
 * it says is a guest's.
 */
export function withFound(
  config: Config,
  found: readonly Found[],
  defaults: { qmpDirectory: string },
): Config {
  const guests = [...config.guests];
  const directory = config.discover.directory ?? defaults.qmpDirectory;
  const addresses = guests.map(({ name }) => guestSettings(config, name, defaults).qmpSocket);
  for (const { vm, qmp, consoleFile, unit } of found) {
    const isKnown =
      qmp === null ||
      guests.some(({ name }) => name === vm) ||
      addresses.some((address) => same(address, qmp)) ||
      (config.discover.enabled && qmp.startsWith(`${directory}/`)) ||
      (unit !== null && guestForUnit({ ...config, guests }, unit) !== null);
    if (isKnown) continue;
    addresses.push(qmp);
    const console = consoleFile === null ? 'journal' : `file:${consoleFile}`;
    guests.push({ name: vm, qmp, console, ...(unit !== null && { unit }) });
  }
  return guests.length === config.guests.length ? config : { ...config, guests };
}

/** A domain may be named with its URI or without. */
function same(one: string, other: string): boolean {
  const [a, b] = [qmpAddressOf(one), qmpAddressOf(other)];
  if (a?.kind === 'libvirt' && b?.kind === 'libvirt') return a.domain === b.domain;
  return one === other;
}
