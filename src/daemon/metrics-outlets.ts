/** Where the metrics are shown beside the control socket: a port of the loopback, and a file for node-exporter. */
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../core/config/schema.js';
import { printable } from '../core/printable.js';
import { monotonicMs } from '../io/clock.js';
import { showFile } from '../io/files.js';
import type { Log } from '../io/log.js';
import { ofHome } from '../io/paths.js';
import { OPENMETRICS } from './control.js';
import type { Metrics } from './metrics.js';

interface OutletsOptions {
  readonly config: Pick<Config, 'metrics'>;
}

const EVERY_MS = 1_000;
const FILE_EVERY_MS = 15_000;
/** A port that is taken may be free again. */
const PORT_AGAIN_MS = 10_000;
/** At its end the daemon waits no longer for a disk. */
const STOP_MS = 1_000;
const LIMITS = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const MAX_CONNECTIONS = 32;

export class MetricsOutlets {
  private timer: NodeJS.Timeout | null = null;
  private server: Server | null = null;
  private port: number | null = null;
  private portAgainAt = 0;
  private file: string | null = null;
  private fileAgainAt = 0;
  private writing: Promise<void> | null = null;
  private readonly told = new Map<'port' | 'textfile', string>();

  constructor(
    private readonly daemon: OutletsOptions,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.round(), EVERY_MS);
    this.timer.unref();
    this.round();
  }

  /** What does not work, and why. */
  problems(): string[] {
    return [...this.told.values()];
  }

  /** Follows the configuration. */
  round(): void {
    const { port, textfile } = this.daemon.config.metrics;
    const now = monotonicMs();
    if (port !== this.port || (port !== null && this.server === null && now >= this.portAgainAt))
      this.listen(port);
    const file = ofHome(textfile);
    if ((file !== this.file || now >= this.fileAgainAt) && this.writing === null) this.write(file);
  }

  /** A file that stays behind would tell of guests that nobody watches any more. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.close();
    const { file, writing } = this;
    const removed = (writing ?? Promise.resolve()).then(() =>
      file === null ? undefined : rm(file, { force: true }).catch(() => undefined),
    );
    await Promise.race([removed, delay(STOP_MS, undefined, { ref: false })]);
  }

  private listen(port: number | null): void {
    this.close();
    this.port = port;
    this.portAgainAt = monotonicMs() + PORT_AGAIN_MS;
    if (port === null) {
      this.tell('port', null);
      return;
    }
    const server = createServer(LIMITS, (request, answer) => {
      answer.on('error', () => undefined);
      this.serve(request, answer).catch(() => answer.destroy());
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('error', (error) => {
      this.tell(
        'port',
        `metrics.port ${port}: ${error.message}. Fix: choose another port, or end what has it`,
      );
      if (this.server === server) this.server = null;
    });
    server.listen(port, '127.0.0.1', () => this.tell('port', null));
    this.server = server;
  }

  private close(): void {
    this.server?.close();
    this.server?.closeAllConnections();
    this.server = null;
  }

  private async serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    request.resume();
    const [path = ''] = (request.url ?? '').split('?', 1);
    if (!LOCAL.test(request.headers.host ?? '')) answer.writeHead(403).end();
    else if (request.method !== 'GET' || path !== '/metrics') answer.writeHead(404).end();
    else answer.writeHead(200, { 'content-type': OPENMETRICS }).end(await this.metrics.render());
  }

  private write(file: string | null): void {
    const old = this.file;
    this.file = file;
    this.fileAgainAt = monotonicMs() + FILE_EVERY_MS;
    this.writing = this.replace(old, file)
      .then(
        () => null,
        (error: unknown) =>
          `metrics.textfile ${file ?? ''}: ${error instanceof Error ? error.message : String(error)}. Fix: make its directory, writable for the user that runs wedgewatch`,
      )
      .then((problem) => {
        this.tell('textfile', problem);
        this.writing = null;
      });
  }

  private async replace(old: string | null, file: string | null): Promise<void> {
    if (old !== null && old !== file) await rm(old, { force: true });
    if (file !== null) await showFile(file, await this.metrics.renderText());
  }

  private tell(of: 'port' | 'textfile', problem: string | null): void {
    if (problem === null) {
      this.told.delete(of);
      return;
    }
    const clean = printable(problem, 400);
    if (this.told.get(of) !== clean) this.log('warning', clean);
    this.told.set(of, clean);
  }
}

/** A page in the user's browser may ask by a name of its own that leads here. */
const LOCAL = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;
