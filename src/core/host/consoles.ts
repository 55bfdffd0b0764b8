/** The serial and virtio consoles that QEMU's command line gives a guest, and where their text goes (qemu(1)). */
import { kernelCommandLineOf, optionValues, type Options, parseOptions } from './argv.js';

export interface GuestConsole {
  /** What the guest's kernel sees: a UART (ttyS0, ttyAMA0), or hvc0. */
  tty: 'serial' | 'hvc';
  /** How QEMU calls its character device. */
  label: string;
  /** stdio, file, pty, socket … */
  backend: string;
  /** Where its text is to be found, best first; `/dev/fd/1` is QEMU's own standard output. */
  files: string[];
}

const SERIAL_DEVICE = /^(?:isa-serial|pci-serial|spapr-vty)$/;
const HVC_DEVICE = /^virtconsole$/;

/** Those that the kernel writes to first: of several `console=` the last is /dev/console. */
export function consolesOf(argv: readonly string[]): GuestConsole[] {
  const chardevs = new Map(
    optionValues(argv, 'chardev')
      .map(parseOptions)
      .map((chardev) => [chardev.values['id'] ?? '', chardev] as const),
  );
  const found = [...legacy(argv, chardevs), ...devices(argv, chardevs)];
  const wanted = namedIn(argv).at(-1) ?? found[0]?.tty;
  return [...found.filter(({ tty }) => tty === wanted), ...found.filter(({ tty }) => tty !== wanted)];
}

/** What the kernel's command line names, if this QEMU boots it directly: it prints to all of them. */
const namedIn = (argv: readonly string[]): GuestConsole['tty'][] =>
  [...(kernelCommandLineOf(argv) ?? '').matchAll(/(?:^|\s)console=(hvc|tty(?:S|AMA))\d/g)].map(([, tty]) =>
    tty === 'hvc' ? 'hvc' : 'serial',
  );

/** Names a descriptor of whoever opens it. */
export const OF_QEMU = /^(?:\/proc\/self\/fd|\/dev\/fd)\/(\d+)$/;

/** Whether something may be typed on one of them: a file and a null device take nothing, stdio belongs to somebody. */
export const isTypable = (argv: readonly string[]): boolean =>
  consolesOf(argv).some(({ backend }) => TYPABLE.has(backend));

const TYPABLE: ReadonlySet<string> = new Set(['pty', 'socket', 'unix', 'tcp', 'telnet', 'serial']);

/** The file to which QEMU writes what a console of the kernel shows; null for none, and for a relative path. */
export const consoleFileOf = (argv: readonly string[]): string | null =>
  printedFilesOf(argv).find((path) => !OF_QEMU.test(path)) ?? null;

/** Where the text of the kernel's consoles is to be found: the first one's, unless the kernel was told of more. */
export function printedFilesOf(argv: readonly string[]): string[] {
  const consoles = consolesOf(argv);
  const named = namedIn(argv);
  const printed =
    named.length === 0 ? consoles.slice(0, 1) : consoles.filter(({ tty }) => named.includes(tty));
  return printed.flatMap(({ files }) => files);
}

type Chardevs = ReadonlyMap<string, Options>;

function legacy(argv: readonly string[], chardevs: Chardevs): GuestConsole[] {
  const given = optionValues(argv, 'serial');
  // Of `-nographic` alone the serial console is stdio, as of `-serial mon:stdio`.
  const bare = given.length === 0 && argv.includes('-nographic') && !argv.includes('-nodefaults');
  return (bare ? ['mon:stdio'] : given).flatMap((text, index): GuestConsole[] => {
    if (text === 'none' || text === 'null') return [];
    const id = /^chardev:(.*)$/.exec(text)?.[1];
    if (id !== undefined) return byChardev('serial', id, chardevs);
    const plain = text.replace(/^mon:/, '');
    const [, backend = '', path] = /^([a-z]+):?([^,]*)/.exec(plain) ?? [];
    const log = parseOptions(plain).values['logfile'];
    const values = { ...(log !== undefined && { logfile: log }), ...(path !== '' && { path }) };
    return [{ tty: 'serial', label: `serial${index}`, backend, files: filesOf(backend, values) }];
  });
}

function devices(argv: readonly string[], chardevs: Chardevs): GuestConsole[] {
  return optionValues(argv, 'device')
    .map(parseOptions)
    .flatMap(({ first, values }) => {
      const tty = SERIAL_DEVICE.test(first) ? 'serial' : HVC_DEVICE.test(first) ? 'hvc' : null;
      return tty === null ? [] : byChardev(tty, values['chardev'] ?? '', chardevs);
    });
}

function byChardev(tty: GuestConsole['tty'], label: string, chardevs: Chardevs): GuestConsole[] {
  const chardev = chardevs.get(label);
  if (chardev === undefined) return [];
  const { first: backend, values } = chardev;
  return [{ tty, label, backend, files: filesOf(backend, values) }];
}

function filesOf(backend: string, { logfile, path }: Options['values']): string[] {
  const own = backend === 'stdio' ? '/dev/fd/1' : backend === 'file' ? path : undefined;
  return [logfile, own].flatMap((file) => (file?.startsWith('/') === true ? [file] : []));
}
