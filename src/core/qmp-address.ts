/** Where QMP of a guest is served, as the configuration writes it. */

export type QmpAddress =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number }
  /** libvirt owns the socket, and hands commands on (virsh(1), qemu-monitor-command). Without a URI virsh chooses. */
  | { kind: 'libvirt'; uri: string | null; domain: string };

/** The kernel's sun_path has 108 bytes with its NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;
/** What a name server could be asked for is more than a loopback needs, and no less than a host needs. */
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))$/;
const URI = /^[a-z][\w+.-]*:\/\/[^\s#]*$/;

export const QMP_EXPECTED =
  'expected an absolute path, tcp:HOST:PORT, libvirt:DOMAIN or libvirt:URI/DOMAIN; ~ and $VARIABLES are not replaced here';

/** Null for a text that is none. */
export function qmpAddressOf(text: string): QmpAddress | null {
  if (text.startsWith('/')) return bytesOf(text) > MAX_SOCKET_PATH ? null : { kind: 'unix', path: text };
  if (text.startsWith('tcp:')) return tcpOf(text.slice('tcp:'.length));
  if (text.startsWith('libvirt:')) return libvirtOf(text.slice('libvirt:'.length));
  return null;
}

/** Why a text is none. */
export const qmpAddressProblem = (text: string): string =>
  text.startsWith('/')
    ? `the path has ${bytesOf(text)} bytes, a unix socket's at most ${MAX_SOCKET_PATH}`
    : QMP_EXPECTED;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

function tcpOf(text: string): QmpAddress | null {
  const at = text.lastIndexOf(':');
  if (at < 1) return null;
  const [, six, name] = HOST.exec(text.slice(0, at)) ?? [];
  const host = six ?? name;
  const port = /^\d{1,5}$/.test(text.slice(at + 1)) ? Number(text.slice(at + 1)) : 0;
  if (host === undefined || host.startsWith('-') || port < 1 || port > 65_535) return null;
  return { kind: 'tcp', host, port };
}

/** `DOMAIN`, or `qemu:///session/DOMAIN`: no domain's name has a slash. */
function libvirtOf(text: string): QmpAddress | null {
  const at = text.lastIndexOf('/');
  const uri = at === -1 ? null : text.slice(0, at);
  const domain = text.slice(at + 1);
  if (!/^[^-\s][^\s]*$/.test(domain) || (uri !== null && !URI.test(uri))) return null;
  return { kind: 'libvirt', uri, domain };
}

/** What nobody outside this host can serve. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
