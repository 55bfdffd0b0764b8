/** Runs one program because of an incident: never by a shell, with a deadline, and nothing of it outlives that. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../core/config/duration.js';
import { printable } from '../core/printable.js';
import type { HookRun } from '../core/report/incident.js';
import { ofHome } from './paths.js';
import { type GroupResult, runGroup } from './process-group.js';
import { monotonicMs } from './clock.js';

interface HookOptions {
  /** The directory of the incident, in which it runs; its incident.json is the standard input. */
  directory: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
const DETAIL_MAX = 300;

/** Resolves once it has ended, whatever came of it. */
export async function runHook(command: readonly string[], options: HookOptions): Promise<HookRun> {
  const { directory, timeoutMs, signal } = options;
  const [startedAt, began] = [new Date().toISOString(), monotonicMs()];
  const detail = await run().catch((error: unknown) => `not run: ${String(error)}`);
  const tookMs = Math.round(monotonicMs() - began);
  const says = detail === null ? '' : printable(detail, DETAIL_MAX);
  return {
    ...{ command: [...command], startedAt, tookMs },
    ...(detail === null
      ? { outcome: 'worked', detail: `after ${(tookMs / 1000).toFixed(1)} s` }
      : { outcome: 'failed', detail: says }),
  };

  /** Null, or what went wrong. */
  async function run(): Promise<string | null> {
    const [program = '', ...args] = command;
    const input = await open(join(directory, 'incident.json'), 'r');
    try {
      const result = await runGroup(ofHome(program) ?? program, args, {
        timeoutMs,
        graceMs: GRACE_MS,
        signal,
        cwd: directory,
        stdin: input.fd,
        env: environment(),
      });
      return failure(program, result, timeoutMs);
    } finally {
      await input.close();
    }
  }
}

/** What is between systemd and wedgewatch, and Node's limits for it. */
const OURS = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'NODE_OPTIONS', 'JOURNAL_STREAM']);

const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.has(name)));

function failure(program: string, result: GroupResult, timeoutMs: number): string | null {
  const { exitCode, startFailure, stopped, stderr } = result;
  if (startFailure === 'ENOENT') return `no such program: ${program}. Fix: give its whole path`;
  if (startFailure === 'EACCES') return `${program} may not be executed. Fix: chmod +x`;
  if (startFailure !== null) return `cannot be started: ${startFailure}`;
  if (stopped === 'aborted') return 'wedgewatch was stopped';
  if (stopped === 'deadline')
    return `no end within ${formatDuration(timeoutMs)}. Fix: a longer timeout, or systemd-run --user for what takes long`;
  if (exitCode === 0) return null;
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return `${exitCode === null ? 'killed' : `exit code ${exitCode}`}${last === '' ? '' : `: ${last}`}`;
}
