/** The vhost-user devices of QEMU's command line (qemu(1); docs/interop/vhost-user.rst of QEMU). */
import { type Options, optionValues, parseOptions } from './argv.js';

/** A device that a process of the host serves, beside QEMU. */
export interface VhostUser {
  /** For people: the tag of a virtiofs, else the id of the device or of its character device. */
  tag: string;
  /** What it gives the guest: fs, blk, scsi, net … */
  kind: string;
  /** As /proc/net/unix shows it (`@NAME` is abstract); in words where QEMU was given no path. */
  socket: string;
  /** Why QEMU's command line does not tell where the server is, or null. */
  hidden: string | null;
  /** QEMU is the one that listens. */
  listens: boolean;
  /** QEMU connects again by itself. */
  reconnects: boolean;
}

/** Of more, a command line is no work of people. */
const DEVICES_MAX = 64;
const DEVICE = /^(?:x-)?vhost-user-([a-z0-9]+)/;

/** All of them, whatever they give. */
export function vhostUsersOf(argv: readonly string[]): VhostUser[] {
  const options = (name: string) => optionValues(argv, name).map(parseOptions);
  const chardevs = new Map<string, Options>();
  for (const chardev of options('chardev')) chardevs.set(chardev.values['id'] ?? '', chardev);
  const devices = options('device').map(({ first, values }) => ({ kind: DEVICE.exec(first)?.[1], values }));
  const nets = [...options('netdev'), ...options('nic')].map(({ first, values }) => ({
    kind: first === 'vhost-user' ? 'net' : undefined,
    values,
  }));
  const crypto = options('object').map(({ first, values }) => ({
    kind: first === 'cryptodev-vhost-user' ? 'crypto' : undefined,
    values,
  }));
  return [...devices, ...nets, ...crypto]
    .flatMap(({ kind, values }) => (kind === undefined ? [] : [describe(kind, values, chardevs)]))
    .slice(0, DEVICES_MAX);
}

function describe(
  kind: string,
  values: Options['values'],
  chardevs: ReadonlyMap<string, Options>,
): VhostUser {
  const { chardev: id = '' } = values;
  const chardev = chardevs.get(id);
  const { path, abstract, server, reconnect = '0' } = chardev?.values ?? {};
  const reconnectMs = chardev?.values['reconnect-ms'] ?? '0';
  const at = chardev?.first === 'socket' ? path : undefined;
  return {
    tag: values['tag'] ?? values['id'] ?? id,
    kind,
    socket: at === undefined ? `chardev ${id}` : `${isOn(abstract) ? '@' : ''}${at}`,
    hidden: at === undefined ? `QEMU's arguments give no path for its character device ${id}` : null,
    listens: isOn(server),
    reconnects: reconnect !== '0' || reconnectMs !== '0',
  };
}

const isOn = (value: string | undefined): boolean => value === 'on' || value === 'yes' || value === 'true';
