/** Runs the programs of `onIncident` once an incident is on disk, and notes in it what came of them. No guest waits for them. */
import type { Hang } from '../core/config/known.js';
import { formatProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { hookCommand } from '../core/report/hook-command.js';
import type { HookRun } from '../core/report/incident.js';
import { stackOf, type Log } from '../io/log.js';
import { runHook } from '../io/hook.js';
import { readKnown } from '../io/known-file.js';
import type { FiledCase, GuestHandle } from './guest-handle.js';
import type { Pending } from './pending.js';

interface HooksOptions {
  readonly config: Pick<Config, 'onIncident' | 'known'>;
  readonly services: { readonly pending: Pick<Pending, 'pathOf' | 'update'> };
}

interface Job {
  id: string;
  vm: string;
  unit: string;
  hang: Hang;
}

/** Incidents whose hooks run at once; the others wait for their turn. */
const AT_ONCE = 4;

export class Hooks {
  private readonly waiting: Job[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly daemon: HooksOptions,
    private readonly log: Log,
    /** Told of each that has ended. */
    private readonly onRun: (run: HookRun) => void = () => undefined,
  ) {}

  /** A case was filed; returns at once. */
  filed({ vm, settings }: Pick<GuestHandle, 'vm' | 'settings'>, filed: FiledCase): void {
    if (filed.byHand || filed.directory === null || filed.incident === null) return;
    if (this.daemon.config.onIncident.length === 0) return;
    const { id, verdict, fingerprint, startedAt } = filed.incident;
    const hang = { verdict: verdict.title, fingerprint, startedAt };
    this.waiting.push({ id, vm, unit: settings.unit, hang });
    this.next();
  }

  /** Resolves once none runs and none waits. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Ends those that run. What came of them is noted, also that the others were not run. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.settled();
  }

  private next(): void {
    while (this.running.size < AT_ONCE) {
      const job = this.waiting.shift();
      if (job === undefined) return;
      const work: Promise<void> = this.run(job)
        .catch((error: unknown) => this.log('warning', `${job.vm}: its hooks: ${stackOf(error)}`))
        .finally(() => {
          this.running.delete(work);
          this.next();
        });
      this.running.add(work);
    }
  }

  private async run(job: Job): Promise<void> {
    const runs: HookRun[] = [];
    await this.sayKnown(job).catch((error: unknown) => this.log('warning', `${job.vm}: ${String(error)}`));
    // As it is now: an edit must not move what is under way.
    for (const hook of [...this.daemon.config.onIncident]) {
      const run = await this.runOne(hook, job);
      this.onRun(run);
      const level = run.outcome === 'worked' ? 'info' : 'warning';
      this.log(level, `${job.vm}: hook ${run.command[0] ?? ''}: ${run.outcome}: ${run.detail}`);
      runs.push(run);
    }
    await this.daemon.services.pending.update(job.id, { hooks: runs });
  }

  /** A program reads it in incident.json, with all the rest. */
  private async sayKnown({ id, vm, hang }: Job): Promise<void> {
    const { find, problems } = await readKnown(this.daemon.config);
    for (const problem of problems) this.log('warning', `${vm}: ${formatProblem(problem)}`);
    const known = find(hang);
    if (known !== null) await this.daemon.services.pending.update(id, { known });
  }

  private async runOne({ command, timeout }: Config['onIncident'][number], job: Job): Promise<HookRun> {
    const directory = this.daemon.services.pending.pathOf(job.id);
    const filled = hookCommand(command, { ...job, directory });
    if (!filled.ok) {
      const notRun = { outcome: 'failed' as const, detail: filled.problem, tookMs: 0 };
      return { command, startedAt: new Date().toISOString(), ...notRun };
    }
    return runHook(filled.command, { directory, timeoutMs: timeout, signal: this.stopping.signal });
  }
}
