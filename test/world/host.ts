import { readFileSync } from 'node:fs';
import type { ProgressOptions } from '../../src/guest/packages.js';
import { guestCache } from '../../src/guest/build.js';
import { buildHost } from './host-image.js';

/** `debian-13` has its own systemd, QEMU, virtiofsd and Node; `this` is this machine, with the node that runs the tests. */
export type HostName = 'debian-13' | 'this';

/** What a world is booted from. */
export interface Host {
  name: HostName;
  /** Directory of this machine that it sees a copy-on-write view of. */
  root: string;
  /** Path inside of the node that runs the watchdog. */
  node: string;
  /** Paths of this machine that it has beyond that. */
  binds: readonly string[];
}

export async function hostNamed(name: HostName, options: ProgressOptions): Promise<Host> {
  if (name === 'this') return { name, root: '/', node: process.execPath, binds: [process.execPath] };
  return { name, root: await buildHost(guestCache(), options), node: '/usr/bin/node', binds: [] };
}

/** What this machine calls itself in /etc/os-release, e.g. `Debian GNU/Linux 12 (bookworm)`. */
export function thisMachine(): { name: string; isDebian12: boolean } {
  const text = readFileSync('/etc/os-release', 'utf8');
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'a machine without a name';
  return { name, isDebian12: /^ID=debian$/m.test(text) && /^VERSION_ID="?12"?$/m.test(text) };
}
