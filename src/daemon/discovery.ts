/** The one watcher of QMP sockets, wherever the configuration says they are now. */
import { discoverGuests } from '../io/discover.js';

interface DiscoveryOptions {
  /** The VMs that have a socket now. */
  onGuests: (vms: Set<string>) => void;
  onFault: (error: unknown) => void;
  signal: AbortSignal;
}

export class Discovery {
  private current: { directory: string; stop: AbortController } | null = null;

  constructor(private readonly options: DiscoveryOptions) {}

  /** Watches there and nowhere else, or nowhere; resolves once the guests that are there now are known. */
  async watch(directory: string | null): Promise<void> {
    if (directory === (this.current?.directory ?? null)) return;
    this.current?.stop.abort();
    this.current = null;
    if (directory === null) return;
    const { onGuests, onFault } = this.options;
    const stop = new AbortController();
    this.current = { directory, stop };
    const signal = AbortSignal.any([stop.signal, this.options.signal]);
    await new Promise<void>((resolve) => {
      const known = (vms: Set<string>) => {
        try {
          onGuests(vms);
        } catch (error) {
          onFault(error);
        }
        resolve();
      };
      discoverGuests({ directory, onGuests: known, signal }).catch(onFault).finally(resolve);
    });
  }
}
