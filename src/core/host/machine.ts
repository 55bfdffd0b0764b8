/** What QEMU's own command line tells of its guest (qemu(1)). It is another process's word: everything is bounded. */
import { printable } from '../printable.js';
import { optionValues, parseOptions } from './argv.js';

/** How this host comes to the guest's sshd, as QEMU was told; null where it was not. */
export interface WayIn {
  /** The TCP port that QEMU's user-mode network forwards to port 22. */
  forward: { address: string; port: number } | null;
  /** The guest's context id of vsock(7). */
  cid: number | null;
}

export interface Machine extends WayIn {
  /** Of the QEMU that was found, not of a wrapper or a helper. */
  pid: number;
  /** Machine type, vCPUs, memory and accelerator: what lets boots be compared. One printable line. */
  model: string;
  /** The kernel's release, where the name of -kernel's file ends in it. */
  release: string | null;
  commandLine: string | null;
}

const MODEL_WORD_MAX = 40;
const COMMAND_LINE_MAX = 4_096;
/** What `-smp` and `-m` may say is a number of this many digits. */
const DIGITS_MAX = 9;

export function machineOf(pid: number, argv: readonly string[]): Machine {
  const append = optionValues(argv, 'append').at(-1);
  return {
    pid,
    model: modelOf(argv),
    release: releaseOf(argv),
    commandLine: append === undefined ? null : printable(append, COMMAND_LINE_MAX),
    forward: forwardOf(argv),
    cid: cidOf(argv),
  };
}

/** `q35, 4 vCPUs, 4096 MiB, kvm` */
function modelOf(argv: readonly string[]): string {
  const machines = [...optionValues(argv, 'machine'), ...optionValues(argv, 'M')].map(parseOptions);
  const type = machines.map(({ first, values }) => values['type'] ?? first).find((name) => name !== '');
  return [
    word(type) ?? 'default machine',
    `${vcpusOf(argv) ?? '?'} vCPUs`,
    `${memoryOf(argv) ?? '?'} MiB`,
    word(acceleratorOf(argv, machines)) ?? 'tcg',
  ].join(', ');
}

function acceleratorOf(
  argv: readonly string[],
  machines: readonly ReturnType<typeof parseOptions>[],
): string | undefined {
  const [option] = optionValues(argv, 'accel').map(parseOptions);
  const named = option?.values['accel'] ?? option?.first;
  if (named !== undefined && named !== '') return named;
  const ofMachine = machines.findLast(({ values }) => values['accel'] !== undefined);
  return ofMachine?.values['accel'] ?? (argv.includes('-enable-kvm') ? 'kvm' : undefined);
}

function word(text: string | undefined): string | null {
  return text !== undefined && /^[\w.:+-]+$/.test(text) ? printable(text, MODEL_WORD_MAX) : null;
}

const TOPOLOGY = ['drawers', 'books', 'sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'];

/** Null where it cannot be told. */
function vcpusOf(argv: readonly string[]): number | null {
  const option = optionValues(argv, 'smp').at(-1);
  if (option === undefined) return 1;
  const { first, values } = parseOptions(option);
  const told = first === '' ? values['cpus'] : first;
  if (told !== undefined) return numberIn(told);
  const parts = TOPOLOGY.map((part) => numberIn(values[part] ?? '1'));
  return parts.reduce((product, part) => (product === null || part === null ? null : product * part));
}

const MIB_IN: Readonly<Record<string, number>> = {
  '': 1,
  m: 1,
  g: 1_024,
  t: 1_024 ** 2,
  k: 1 / 1_024,
};

function memoryOf(argv: readonly string[]): number | null {
  const option = optionValues(argv, 'm').at(-1);
  if (option === undefined) return 128;
  const { first, values } = parseOptions(option);
  const [, digits, unit = ''] = /^(\d+)([kmgt]?)$/i.exec(first === '' ? (values['size'] ?? '') : first) ?? [];
  const number = numberIn(digits ?? '');
  return number === null ? null : Math.round(number * (MIB_IN[unit.toLowerCase()] ?? 1));
}

const numberIn = (text: string): number | null =>
  /^\d+$/.test(text) && text.length <= DIGITS_MAX ? Number(text) : null;

/** `…/boot/bzImage-6.12.3`, `/boot/vmlinuz-6.1.0-30-amd64`: the release is what `uname -r` says. */
function releaseOf(argv: readonly string[]): string | null {
  const name = optionValues(argv, 'kernel').at(-1)?.split('/').at(-1) ?? '';
  return /^(?:bzImage|vmlinuz|vmlinux|[uz]?Image)-(\d+\.\d[\w.+~-]{0,60})$/.exec(name)?.[1] ?? null;
}

/** `hostfwd=[tcp]:[ADDRESS]:PORT-[GUEST]:22`, of which an option may have several. */
function forwardOf(argv: readonly string[]): WayIn['forward'] {
  const parts = ['nic', 'netdev', 'net'].flatMap((name) =>
    optionValues(argv, name).flatMap((option) => option.split(',')),
  );
  for (const part of parts) {
    const [, address = '', digits] =
      /^hostfwd=(?:tcp)?:((?:\d{1,3}\.){3}\d{1,3}|):(\d{1,5})-[\w.]*:22$/.exec(part) ?? [];
    const port = Number(digits ?? 0);
    if (port < 1 || port > 65_535) continue;
    return { address: address === '' || address === '0.0.0.0' ? '127.0.0.1' : address, port };
  }
  return null;
}

/** Lower ones belong to the host (vsock(7)). */
const FIRST_CID = 3;
const CID_MAX = 0xffff_fffe;

function cidOf(argv: readonly string[]): number | null {
  for (const { first, values } of optionValues(argv, 'device').map(parseOptions)) {
    if (!first.startsWith('vhost-vsock-')) continue;
    const text = values['guest-cid'] ?? '';
    const cid = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (cid >= FIRST_CID && cid <= CID_MAX) return cid;
  }
  return null;
}
