/** What QEMU's and virtiofsd's command lines tell (qemu(1), virtiofsd --help). */

/** Arguments of a /proc/PID/cmdline. */
export function parseCmdline(text: string): string[] {
  const args = text.split('\0');
  if (args.at(-1) === '') args.pop();
  return args;
}

/** Whether this is the QEMU that serves QMP on `socket`, and no client, shell or wrapper that names it too. */
export function isQemuOf(argv: readonly string[], socket: string): boolean {
  const program = argv[0]?.split('/').at(-1) ?? '';
  return program.includes('qemu') && argv.slice(1).some((arg) => namesPath(arg, socket));
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
  return [...optionValues(argv, 'qmp'), ...optionValues(argv, 'qmp-pretty')].flatMap(
    (value) => /^unix:(\/[^,]*)/.exec(value)?.[1] ?? [],
  );
}

function namesPath(arg: string, path: string): boolean {
  return arg.split(',').some((part) => part === `unix:${path}` || part === `path=${path}`);
}

/** The kernel command line of a kernel that was booted directly, else null. */
export function kernelCommandLineOf(argv: readonly string[]): string | null {
  return optionValues(argv, 'append').at(-1) ?? null;
}

const CONSOLE_DEVICE = /^(?:isa-serial|pci-serial|virtconsole|spapr-vty)$/;

/**
 * The file to which QEMU writes what its first serial console shows: `-serial file:PATH`, or a character device with
 * `logfile=` (qemu(1), "Character device options"). Null for none, and for a path that is relative to QEMU's directory.
 */
export function consoleFileOf(argv: readonly string[]): string | null {
  const [serial] = optionValues(argv, 'serial');
  const device = optionValues(argv, 'device')
    .map(parseOptions)
    .find(({ first }) => CONSOLE_DEVICE.test(first));
  const id = serial === undefined ? device?.values['chardev'] : /^chardev:(.*)$/.exec(serial)?.[1];
  const chardev = optionValues(argv, 'chardev')
    .map(parseOptions)
    .find(({ values }) => id !== undefined && values['id'] === id);
  const path =
    id === undefined
      ? (/^file:([^,]*)/.exec(serial ?? '')?.[1] ?? parseOptions(serial ?? '').values['logfile'])
      : (chardev?.values['logfile'] ?? (chardev?.first === 'file' ? chardev.values['path'] : undefined));
  return path?.startsWith('/') === true ? path : null;
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
