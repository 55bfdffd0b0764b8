/** What QEMU's and virtiofsd's command lines tell (qemu(1), virtiofsd --help). */
import { type QmpAddress, qmpAddressOf } from '../qmp-address.js';

/** Arguments of a /proc/PID/cmdline. */
export function parseCmdline(text: string): string[] {
  const args = text.split('\0');
  if (args.at(-1) === '') args.pop();
  return args;
}

/** Whether this is the QEMU that serves QMP there, and no client, shell or wrapper that names it too. */
export function isQemuOf(argv: readonly string[], address: string): boolean {
  return isQemu(argv) && servesQmp(argv, qmpAddressOf(address));
}

function servesQmp(argv: readonly string[], address: QmpAddress | null): boolean {
  switch (address?.kind) {
    case undefined:
      return false;
    case 'unix':
      return argv.slice(1).some((arg) => namesPath(arg, address.path));
    case 'tcp':
      return qmpPortsOf(argv).includes(address.port);
    case 'libvirt':
      return domainOf(argv) === address.domain;
  }
}

/** qemu-img and its like are no guest's QEMU. */
const TOOL = /^qemu-(?:bridge|edid|ga|img|io|keymap|nbd|pr|storage|trace|vmsr)/;

/** Whether this may be a guest's QEMU at all, by its own name. */
export function isQemu(argv: readonly string[]): boolean {
  const program = argv[0]?.split('/').at(-1) ?? '';
  return program.includes('qemu') && !TOOL.test(program);
}

/** The absolute paths of the sockets that this QEMU was told to serve QMP on. */
export function qmpSocketsOf(argv: readonly string[]): string[] {
  return qmpBackends(argv).flatMap(({ unix }) => (unix?.startsWith('/') === true ? [unix] : []));
}

/** The TCP ports of this host that this QEMU was told to serve QMP on. */
function qmpPortsOf(argv: readonly string[]): number[] {
  return qmpBackends(argv).flatMap(({ tcp }) => (tcp === undefined ? [] : [tcp.port]));
}

interface QmpBackend {
  unix?: string;
  tcp?: { host: string; port: number };
}

/** `-qmp`, `-qmp-pretty`, and the character devices of `-mon mode=control`; only those that QEMU itself listens on. */
function qmpBackends(argv: readonly string[]): QmpBackend[] {
  const short = [...optionValues(argv, 'qmp'), ...optionValues(argv, 'qmp-pretty')];
  const monitors = optionValues(argv, 'mon')
    .map(parseOptions)
    .filter(({ values }) => values['mode'] === 'control');
  const ids = [
    ...monitors.map(({ first, values }) => values['chardev'] ?? first),
    ...short.flatMap((value) => /^chardev:(.*)$/.exec(value)?.[1] ?? []),
  ];
  const chardevs = optionValues(argv, 'chardev')
    .map(parseOptions)
    .filter(({ first, values }) => first === 'socket' && ids.includes(values['id'] ?? ''));
  return [
    ...short.flatMap(backendOf),
    ...chardevs.flatMap(({ values: { path, host = '', port } }): QmpBackend[] => {
      if (path !== undefined) return [{ unix: path }];
      return port !== undefined && /^\d{1,5}$/.test(port) ? [{ tcp: { host, port: Number(port) } }] : [];
    }),
  ];
}

function backendOf(value: string): QmpBackend[] {
  const unix = /^unix:([^,]*)/.exec(value)?.[1];
  if (unix !== undefined) return [{ unix }];
  const [, host, port] = /^(?:tcp|telnet):(.*?):(\d{1,5})(?:,|$)/.exec(value) ?? [];
  return host === undefined ? [] : [{ tcp: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } }];
}

/** The domain's name, where libvirt started this QEMU: it keeps the socket that it hands over as charmonitor. */
export function domainOf(argv: readonly string[]): string | null {
  const isLibvirts = optionValues(argv, 'chardev')
    .map(parseOptions)
    .some(({ values }) => values['id'] === 'charmonitor');
  return isLibvirts ? nameOf(argv) : null;
}

/** What `-name` says: `lab1`, or `guest=lab1,debug-threads=on`. */
export function nameOf(argv: readonly string[]): string | null {
  const option = optionValues(argv, 'name').at(-1);
  if (option === undefined) return null;
  const { first, values } = parseOptions(option);
  return values['guest'] ?? (first === '' ? null : first);
}

/**
 * Where QEMU serves QMP, as the configuration writes it; null where it serves none that can be reached from elsewhere: a
 * relative path, a monitor on stdio. `libvirt`: the URI of its user's libvirt.
 */
export function qmpAddressIn(argv: readonly string[], libvirt: string): string | null {
  const domain = domainOf(argv);
  if (domain !== null) return `libvirt:${libvirt}/${domain}`;
  for (const { unix, tcp } of qmpBackends(argv)) {
    const host = tcp === undefined || /^(?:|0\.0\.0\.0|::)$/.test(tcp.host) ? '127.0.0.1' : tcp.host;
    const text = unix ?? `tcp:${host.includes(':') ? `[${host}]` : host}:${tcp?.port ?? 0}`;
    if (qmpAddressOf(text) !== null) return text;
  }
  return null;
}

function namesPath(arg: string, path: string): boolean {
  return arg.split(',').some((part) => part === `unix:${path}` || part === `path=${path}`);
}

/** The kernel command line of a kernel that was booted directly, else null. */
export function kernelCommandLineOf(argv: readonly string[]): string | null {
  return optionValues(argv, 'append').at(-1) ?? null;
}

/** Which of the sockets this vhost-user server was told to listen on, or null. */
export function servedSocket(
  argv: readonly string[],
  sockets: Pick<ReadonlySet<string>, 'has'>,
): string | null {
  for (const [at, arg] of argv.entries()) {
    const [, inline] = /^--socket(?:-path)?=(.*)$/.exec(arg) ?? [];
    // `-o vhost_user_socket=` is how the C virtiofsd of QEMU up to 7 may be told.
    const [, old] = /(?:^|,)vhost_user_socket=([^,]*)/.exec(arg) ?? [];
    const path = /^--socket(?:-path)?$/.test(arg) ? argv[at + 1] : (inline ?? old);
    if (path !== undefined && sockets.has(path)) return path;
  }
  return null;
}

/** The values of each `-name` and `--name`. */
export function optionValues(argv: readonly string[], name: string): string[] {
  return argv.flatMap((arg, at) => {
    const value = argv[at + 1];
    return (arg === `-${name}` || arg === `--${name}`) && value !== undefined ? [value] : [];
  });
}

export interface Options {
  first: string;
  values: Partial<Record<string, string>>;
}

/** `socket,id=c0,path=/a,,b`: commas within a value are doubled (QEMU util/qemu-option.c). Or one object of JSON. */
export function parseOptions(text: string): Options {
  if (text.startsWith('{')) return parseJson(text);
  const parts = text.match(/(?:,,|[^,])+/g) ?? [];
  const values: Partial<Record<string, string>> = {};
  for (const part of parts) {
    const at = part.indexOf('=');
    if (at !== -1) values[part.slice(0, at)] = part.slice(at + 1).replaceAll(',,', ',');
    else if (part !== parts[0]) values[part] = 'on';
  }
  const first = parts[0] ?? '';
  return { first: first.includes('=') ? firstOf(values) : first, values };
}

function parseJson(text: string): Options {
  try {
    const entries = Object.entries(JSON.parse(text) as object);
    const values = Object.fromEntries(
      entries.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
    );
    return { first: firstOf(values), values };
  } catch {
    return { first: '', values: {} };
  }
}

/** The option that may be given without its name. */
const firstOf = ({ driver, backend, type }: Options['values']): string => driver ?? backend ?? type ?? '';
