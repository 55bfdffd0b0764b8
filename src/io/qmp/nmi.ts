import { printable } from '../../core/printable.js';
import { type QmpOptions, withQmp } from './with-qmp.js';

/** Injects an NMI into the guest. Resolves with why it could not, or null; throws only for the signal. */
export async function injectNmi(socketPath: string, options: QmpOptions): Promise<string | null> {
  try {
    await withQmp(socketPath, { ...options, holdMs: options.timeoutMs }, (session) =>
      session.execute('inject-nmi'),
    );
    return null;
  } catch (error) {
    options.signal?.throwIfAborted();
    return printable(error instanceof Error ? error.message : String(error), 300);
  }
}
