/** Which of the guest's consoles takes keys from outside, by QEMU's `query-chardev` (QEMU qapi/char.json). */
import type { GuestConsole } from '../host/consoles.js';
import { printable } from '../printable.js';
import { isObject } from '../qmp/codec.js';

/** How SysRq comes over a console: `break` and the key on a UART (drivers/tty/serial), ^O and the key on hvc (drivers/tty/hvc). */
export interface ConsoleInput {
  how: 'break' | 'control-o';
  /** Of the character device, for `chardev-send-break`. */
  label: string;
  to: { pty: string } | { path: string } | { host: string; port: number };
}

/** The input, or in words why there is none. */
export function consoleInputOf(
  consoles: readonly Pick<GuestConsole, 'tty' | 'label'>[],
  answer: unknown,
): ConsoleInput | string {
  const chardevs = new Map(
    (Array.isArray(answer) ? answer.filter(isObject) : []).flatMap(({ label, filename }) =>
      typeof label === 'string' && typeof filename === 'string' ? [[label, filename] as const] : [],
    ),
  );
  const refused: string[] = [];
  for (const { tty, label } of consoles) {
    // What several front ends share hides its device behind a name of its own (QEMU chardev/char.c).
    const filename = chardevs.get(`${label}-base`) ?? chardevs.get(label);
    if (filename === undefined) continue;
    const to = placeOf(filename);
    if (to !== null) return { how: tty === 'hvc' ? 'control-o' : 'break', label, to };
    refused.push(`${printable(label, 40)} is ${printable(filename.split(',')[0] ?? '', 80)}`);
  }
  if (refused.length === 0) return 'QEMU gives the guest no console that is known';
  return `nothing can be typed on its console (${refused.join(', ')}): make it a socket, or a pty, with a logfile=`;
}

function placeOf(filename: string): ConsoleInput['to'] | null {
  const pty = /^(?:pty:)?(\/dev\/pts\/\d+)$/.exec(filename)?.[1];
  if (pty !== undefined) return { pty };
  // A socket without `disconnected:` has a client already, and takes no other.
  const path = /^disconnected:unix:(\/[^,]*),/.exec(filename)?.[1];
  if (path !== undefined) return { path };
  const [, host, port] = /^disconnected:(?:tcp|telnet):([\w.]+|\[[0-9a-f:]+\]):(\d+),/.exec(filename) ?? [];
  return host === undefined ? null : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
