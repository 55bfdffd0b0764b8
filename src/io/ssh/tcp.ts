import { connect, isIP } from 'node:net';
import { bannerOf } from '../../core/ssh/banner.js';
import { tcpOutcome, type SshOutcome } from '../../core/ssh/outcome.js';
import { printable } from '../../core/printable.js';
import { Deadline } from '../deadline.js';

export interface TcpOutcome {
  kind: SshOutcome;
  detail: string;
  /** The step at which it ended, unless it succeeded or the host is at fault. */
  step?: 'connect' | 'banner';
  /** This process was late: it says nothing about the guest. */
  late?: true;
}

/** Said before hanging up: without it sshd logs an error for each probe (RFC 4253 section 4.2). */
const OWN_BANNER = 'SSH-2.0-wedgewatch\r\n';
/** For the peer to close its end after ours; then the socket goes whatever the peer does. */
const GOODBYE_MS = 200;

/**
 * Connects and waits for sshd's banner. An accepted connection alone proves nothing: QEMU's user-mode network
 * accepts for a guest that is dead.
 */
export function probeTcp(
  hostname: string,
  port: number,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<TcpOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port });
    let received = '';
    let step = isIP(hostname) === 0 ? 'lookup' : 'connection';
    const finish = (kind: SshOutcome, detail: string, late = false) => {
      deadline.end();
      options.signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners('data');
      if (kind === 'ok') sayGoodbye();
      else socket.destroy();
      const said = kind === 'ok' || kind === 'host-fault';
      const at = step === 'banner' ? ('banner' as const) : ('connect' as const);
      resolve({ kind, detail, ...(!said && { step: at }), ...(late && { late }) });
    };
    const sayGoodbye = () => {
      socket.resume();
      socket.end(OWN_BANNER);
      setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
    };
    const onAbort = () => finish('host-fault', 'aborted');
    const deadline = new Deadline(options.timeoutMs, ({ late }) => {
      const where = `${printable(hostname, 80)}:${port}`;
      if (step === 'lookup')
        finish('host-fault', `no answer to the lookup of ${where}; check the name servers of this host`);
      else finish('timed-out', `no ${step} from ${where} within ${options.timeoutMs} ms`, late);
    });
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('lookup', () => (step = 'connection'));
    socket.on('connect', () => (step = 'banner'));
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const banner = bannerOf(received);
      if (banner.kind === 'banner') finish('ok', printable(banner.text, 100));
      else if (banner.kind === 'not-ssh') finish('refused', 'the peer is not an SSH server');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(tcpOutcome(error.code), printable(error.message, 200)),
    );
    socket.on('close', () => finish('refused', 'closed before the banner'));
  });
}
