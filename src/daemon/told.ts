/** Who is told of guests and incidents, beside the archive: hooks, state files, metrics. */
import type { Log } from '../io/log.js';
import type { Daemon } from './daemon.js';
import type { FiledCase, GuestHandle } from './guest-handle.js';
import { Hooks } from './hooks.js';
import { Metrics } from './metrics.js';
import { MetricsOutlets } from './metrics-outlets.js';
import { StateFiles } from './state-files.js';

export class Told {
  readonly metrics: Metrics;
  private readonly hooks: Hooks;
  private readonly files: StateFiles;
  private readonly outlets: MetricsOutlets;

  constructor(daemon: Daemon, log: Log) {
    this.metrics = new Metrics(daemon);
    this.hooks = new Hooks(daemon, log, (run) => this.metrics.hookRan(run));
    this.files = new StateFiles(daemon, log);
    this.outlets = new MetricsOutlets(daemon, this.metrics, log);
  }

  /** Once the daemon watches. */
  start(): void {
    for (const one of [this.files, this.metrics, this.outlets]) one.start();
  }

  /** A case was filed; returns at once. */
  filed(guest: GuestHandle, filed: FiledCase): void {
    for (const one of [this.files, this.hooks, this.metrics]) one.filed(guest, filed);
  }

  /** Of what the configuration asks for, in words. */
  problems(): string[] {
    return [this.files.problem(), ...this.outlets.problems()].filter((problem) => problem !== null);
  }

  /** Resolves once no hook runs. */
  settled(): Promise<void> {
    return this.hooks.settled();
  }

  async stop(): Promise<void> {
    await Promise.all([this.files, this.hooks, this.outlets].map((one) => one.stop()));
  }
}
