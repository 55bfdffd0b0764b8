/** A guest that is named by its QMP socket and its console's file, where nothing would discover it. */
import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { vmNameProblem } from '../core/vm-name.js';
import { qmpAddressOf } from '../core/qmp-address.js';
import type { Config } from '../core/config/schema.js';
import { qmpDirectory, runtimeDirectory } from '../io/paths.js';

export interface OneGuest {
  vm: string;
  /** With it as the only guest. */
  config: Config;
  /** A place of its own; missing where the user's daemon would find the guest too, so that one watches it and no two. */
  runtime?: string;
}

interface Named {
  qmp?: string | undefined;
  console?: string | undefined;
}

/** Null where nothing names one so; a text says why it cannot be. Neither of the two files has to be there yet. */
export function oneGuest(
  { qmp, console }: Named,
  vms: readonly string[],
  config: Config,
): OneGuest | string | null {
  if (qmp === undefined && console === undefined) return null;
  if (qmp === undefined || console === undefined)
    return '--qmp and --console belong together: the socket to press keys, the file to read what they bring';
  if (vms.length > 1)
    return '--qmp and --console are of one guest: name one VM, or write the others into guests: of the configuration';
  const socket = qmpAddressOf(qmp) === null ? resolve(qmp) : qmp;
  const vm = vms[0] ?? nameOf(socket);
  const problem = vmNameProblem(vm);
  if (problem !== null) return `${vm}: ${problem}; name the VM: wedgewatch guard VM --qmp …`;
  const entry = { ...config.guests.find(({ name }) => name === vm), name: vm, qmp: socket };
  const only = { ...entry, console: `file:${resolve(console)}` };
  const alone = {
    ...config,
    discover: { ...config.discover, enabled: false, processes: false },
    guests: [only],
  };
  const known = dirname(dirname(socket)) === (config.discover.directory ?? qmpDirectory());
  if (known || config.guests.some((guest) => guest.qmp === socket)) return { vm, config: alone };
  const hash = createHash('sha256').update(socket).digest('hex').slice(0, 12);
  return { vm, config: alone, runtime: join(runtimeDirectory(), 'wedgewatch', `guard-${hash}`) };
}

/** As discovery names guests, by the directory of a qmp.sock; else by the socket itself. */
function nameOf(socket: string): string {
  const file = basename(socket);
  return file === 'qmp.sock' ? basename(dirname(socket)) : file.replace(/\.[^.]*$/, '');
}
