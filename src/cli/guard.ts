/** `guard [VM…] -- CMD`: watches while a command runs, and ends it when a guest of it hangs. */
import { setTimeout as delay } from 'node:timers/promises';
import { durationMs } from '../core/config/duration.js';
import { vmNameProblem } from '../core/vm-name.js';
import type { Config } from '../core/config/schema.js';
import { didYouMean } from '../core/nearest.js';
import { printable } from '../core/printable.js';
import { CI_FORMS, type CiForm } from '../core/report/ci.js';
import { HangsSince, isDoubted } from '../core/watch/hangs.js';
import type { GuestStatus } from '../core/watch/status.js';
import { counted, seconds } from '../core/words.js';
import { UnderWay } from '../daemon/under-way.js';
import { Watcher } from '../daemon/watcher.js';
import { emptyReportFolder } from '../io/ci-output.js';
import { monotonicMs } from '../io/clock.js';
import { Job, type JobEnd, NotStarted } from '../io/job.js';
import { readKnown } from '../io/known-file.js';
import { type Log, makeLog } from '../io/log.js';
import { archiveRoot, runtimeDirectory } from '../io/paths.js';
import { type CiOptions, formOf, tellFindings } from './ci-report.js';
import { END_MS } from './ending.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { oneGuest, type OneGuest } from './one-guest.js';

interface GuardOptions extends CiOptions {
  qmp?: string | undefined;
  console?: string | undefined;
  grace: string;
}

const POLL_MS = 500;
/** A job that failed may have failed because of a guest that is just being looked at. */
const SETTLE_MS = 60_000;
/** Others that hang for the same reason are captured by then. */
const OTHERS_MS = 15_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Where CI keeps it, unless --artifacts says otherwise. */
const FOLDER = 'wedgewatch-report';

/**
 * Runs the command with the streams of this process. Returns its exit code; 1 if a guest hung, 2 usage, 5 if nobody can
 * watch (the command is not run then), 126 and 127 if it cannot be run.
 */
export async function guard(
  vms: readonly string[],
  command: readonly string[],
  options: GuardOptions,
  globals: Globals,
): Promise<number> {
  const refuse = (why: string): number => {
    globals.terminal.err(`wedgewatch: ${printable(why, 400)}\n`);
    return EXIT.usage;
  };
  const [file, ...args] = command;
  if (file === undefined) return refuse('say what to run behind --: wedgewatch guard -- make check');
  for (const vm of vms) {
    const problem = vmNameProblem(vm);
    if (problem !== null) return refuse(`${vm}: ${problem}`);
  }
  const graceMs = durationMs(options.grace);
  if (typeof graceMs !== 'number') return refuse(`--grace: ${graceMs.problem}`);
  const form = formOf(options.ci);
  if (form === null) return refuse(`--ci ${options.ci ?? ''}: expected ${CI_FORMS.join(', ')}`);
  return withConfig(globals, async (config) => {
    const one = oneGuest(options, vms, config);
    if (typeof one === 'string') return refuse(one);
    const folder = options.artifacts ?? (form === 'plain' ? null : FOLDER);
    const log = makeLog({ quiet: globals.quiet });
    const run = new GuardedRun({ vms, file, args, graceMs, form, folder, one, config, log, globals });
    return run.toEnd();
  });
}

interface Run {
  vms: readonly string[];
  file: string;
  args: readonly string[];
  graceMs: number;
  form: CiForm;
  folder: string | null;
  one: OneGuest | null;
  config: Config;
  log: Log;
  globals: Globals;
}

class GuardedRun {
  private readonly underWay = new UnderWay();
  private readonly hangs = new HangsSince();
  private readonly seen = new Map<string, GuestStatus>();
  private readonly watcher: Watcher;
  private readonly state: string;
  private readonly runtime: string;
  private signals = 0;

  constructor(private readonly run: Run) {
    const { one, vms, config, log } = run;
    this.state = archiveRoot(config);
    this.runtime = one?.runtime ?? runtimeDirectory();
    const names = one === null ? vms : [one.vm];
    this.watcher = new Watcher({
      ...{ config: one?.config ?? config, log: quietly(log), underWay: this.underWay },
      ...{ state: this.state, runtime: this.runtime, ownsArchive: one?.runtime === undefined },
      only: names.length === 0 ? null : new Set(names),
      doing: 'wedgewatch guard',
    });
  }

  async toEnd(): Promise<number> {
    const { folder, file, args, globals } = this.run;
    const fail = (why: string, code: number): number => {
      globals.terminal.err(`wedgewatch: ${printable(why, 400)}\n`);
      return code;
    };
    try {
      if (folder !== null) await emptyReportFolder(folder);
      await this.watcher.attach();
    } catch (error) {
      await this.close(EXIT.environment);
      return fail(error instanceof Error ? error.message : String(error), EXIT.environment);
    }
    try {
      const job = await Job.start(file, args);
      const code = await this.watch(job);
      await this.close(code);
      return code;
    } catch (error) {
      const code = error instanceof NotStarted ? error.exitCode : EXIT.environment;
      await this.close(code);
      return fail(`${file}: ${error instanceof Error ? error.message : String(error)}`, code);
    }
  }

  private async watch(job: Job): Promise<number> {
    const pass = (name: NodeJS.Signals) => {
      this.signals += 1;
      job.signal(name);
    };
    for (const name of SIGNALS) process.on(name, pass);
    const exit = { code: null as number | null };
    const ended = job.ended.then((code) => (exit.code = code));
    let hung = await this.look();
    while (hung.length === 0 && exit.code === null) {
      await Promise.race([ended, delay(POLL_MS)]);
      hung = await this.look();
    }
    if (hung.length === 0 && exit.code !== 0) hung = await this.settle(SETTLE_MS, 1);
    if (hung.length > 0) {
      const began = monotonicMs();
      const end = exit.code === null ? await job.end(this.run.graceMs) : null;
      hung = await this.settle(OTHERS_MS, this.seen.size);
      this.tellEnd(end, monotonicMs() - began);
    } else this.tellUnseen();
    await tellFindings([...this.seen.values()], hung, {
      ...{ form: this.run.form, folder: this.run.folder },
      ...{ state: this.state, runtime: this.runtime, err: this.run.globals.terminal.err },
      findKnown: hung.length === 0 ? () => null : (await readKnown(this.run.config)).find,
    });
    if (hung.length > 0) await Promise.race([this.watcher.settled(), this.signalled()]);
    for (const name of SIGNALS) process.off(name, pass);
    return hung.length > 0 ? EXIT.hang : (exit.code ?? EXIT.environment);
  }

  /** The guests that hang now. */
  private async look(): Promise<GuestStatus[]> {
    const guests = await this.watcher.guests();
    if (guests === null) return [];
    for (const guest of guests) this.seen.set(guest.vm, guest);
    return this.hangs.in(guests, monotonicMs());
  }

  /** Waits for those of which it will be known soon, until so many hang, or somebody wants to go. */
  private async settle(withinMs: number, enough: number): Promise<GuestStatus[]> {
    const end = monotonicMs() + withinMs;
    const before = this.signals;
    for (;;) {
      const hung = await this.look();
      const doubted = [...this.seen.values()].filter(
        (guest) => isDoubted(guest) && !hung.some(({ vm }) => vm === guest.vm),
      );
      if (hung.length >= enough || doubted.length === 0) return hung;
      if (monotonicMs() > end || this.signals > before) return hung;
      await delay(POLL_MS);
    }
  }

  /** Resolves with the next signal. */
  private async signalled(): Promise<void> {
    const before = this.signals;
    while (this.signals === before) await delay(POLL_MS, undefined, { ref: false });
  }

  private tellEnd(end: JobEnd | null, afterMs: number): void {
    const { log } = this.run;
    if (end === null) log('notice', 'wedgewatch: the command had ended by itself');
    else if (end.by !== null)
      log('notice', `wedgewatch: ended the command with ${end.by}, within ${seconds(afterMs)}`);
    if (end !== null && end.left.length > 0)
      log(
        'warning',
        `wedgewatch: ${counted(end.left.length, 'process')} of it cannot be killed: ${end.left.join(', ')}`,
      );
  }

  /** A watch that saw nothing is no proof that nothing hung. */
  private tellUnseen(): void {
    const { vms, one, log } = this.run;
    const names = one === null ? vms : [one.vm];
    const known = [...this.seen.keys()];
    for (const vm of names.filter((name) => this.seen.get(name) === undefined))
      log('warning', `wedgewatch: no guest ${printable(vm, 100)} was seen${didYouMean(vm, known)}`);
    if (names.length === 0 && known.length === 0)
      log('warning', 'wedgewatch: no guest was seen; wedgewatch doctor says where it looks');
  }

  /** What the watch holds may not hold the job's exit code. */
  private async close(code: number): Promise<void> {
    setTimeout(() => {
      this.run.log('error', `ends now: still under way: ${this.underWay.names().join(', ')}`);
      process.exit(code);
    }, END_MS).unref();
    await this.watcher.close();
  }
}

/** The job's log is not the watchdog's: of the watch itself only what is wrong with it is told. */
const quietly =
  (log: Log): Log =>
  (level, text) => {
    if (level === 'error') log(level, text);
  };
