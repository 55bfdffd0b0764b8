import { setTimeout as delay } from 'node:timers/promises';
import { consoleFileOf, isQemuOf, kernelCommandLineOf } from '../core/host/argv.js';
import type { Look, QmpFault, Vcpu } from '../core/model.js';
import { blockSums, runStateOf, vcpusOf } from '../core/qmp/machine.js';
import { type CpuSample, registersOf } from '../core/qmp/registers.js';
import { printable } from '../core/printable.js';
import { readArgv, readStat, readTimes, scanProcesses } from './proc.js';
import { QmpError } from './qmp/error.js';
import { withQmp, type QmpOptions, type QmpSession } from './qmp/with-qmp.js';
import { findServers } from './servers.js';

/** Beyond the time that QMP is held, so that its own, better words come first. */
const LOOK_MS = 1990;
/** Samples of the registers in one look: a loop stays where it is, work moves on. Each stops all vCPUs for a moment. */
const SAMPLES = 4;
const SAMPLE_PAUSE_MS = 15;
/** Of a machine with more, the answer would be too long to be worth it. */
const SAMPLED_VCPUS_MAX = 32;

/**
 * Looks at a guest from outside: QMP, QEMU's process, and the servers behind its shares. Presses nothing, never
 * throws, takes at most two seconds; what could not be read is null or a fault.
 */
export async function look(
  target: { qmpSocket: string; pid: number | null; samples?: boolean },
  options: QmpOptions,
): Promise<Look> {
  const { timeoutMs } = options;
  const end = new AbortController();
  const stop = () => end.abort(options.signal?.reason ?? new Error('the look took too long'));
  const timer = setTimeout(stop, LOOK_MS);
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const asked = askQmp(target, { timeoutMs, signal: end.signal });
    const [host, machine] = await Promise.all([lookAtHost(target, asked, end.signal), asked]);
    return { qmp: await withCpuTimes(machine, host.qemu?.pid ?? null), ...host };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    // Ends a scan of /proc that is still under way.
    end.abort();
  }
}

type Machine = Awaited<ReturnType<typeof askQmp>>;

async function askQmp(target: { qmpSocket: string; samples?: boolean }, options: QmpOptions) {
  try {
    const body = (session: QmpSession) => describe(session, target.samples === true);
    return { ok: true as const, ...(await withQmp(target.qmpSocket, options, body)) };
  } catch (error) {
    const fault = error instanceof QmpError ? error.fault : 'timeout';
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false as const, fault, detail: printable(detail, 400) };
  }
}

async function describe(session: QmpSession, samples: boolean) {
  const runState = runStateOf(await session.execute('query-status'));
  const vcpus = vcpusOf(await ifKnown(session.execute('query-cpus-fast')));
  const block = blockSums(await ifKnown(session.execute('query-blockstats')));
  if (!samples || runState !== 'running' || vcpus.length === 0 || vcpus.length > SAMPLED_VCPUS_MAX)
    return { runState, vcpus, block };
  const sampled = await sampleRegisters(session);
  return {
    runState,
    block,
    vcpus: vcpus.map((vcpu) => ({ ...vcpu, samples: sampled.get(vcpu.index) ?? [] })),
  };
}

async function sampleRegisters(session: QmpSession): Promise<Map<number, CpuSample[]>> {
  const sampled = new Map<number, CpuSample[]>();
  for (let taken = 0; taken < SAMPLES; taken += 1) {
    if (taken > 0) await delay(SAMPLE_PAUSE_MS);
    const command = { 'command-line': 'info registers -a' };
    const registers = registersOf(await ifKnown(session.execute('human-monitor-command', command)));
    if (registers.size === 0) break;
    for (const [index, sample] of registers) sampled.set(index, [...(sampled.get(index) ?? []), sample]);
  }
  return sampled;
}

/** A QEMU that lacks a command still tells its run state. */
function ifKnown(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => {
    if (error instanceof QmpError && error.fault === 'refused') return null;
    throw error;
  });
}

async function withCpuTimes(machine: Machine, pid: number | null): Promise<Look['qmp']> {
  if (!machine.ok) return machine;
  const vcpus: Vcpu[] = await Promise.all(
    machine.vcpus.map(async (vcpu) => {
      if (pid === null) return { ...vcpu, cpuMs: null };
      const [stat, times] = await Promise.all([readStat(pid, vcpu.threadId), readTimes(pid, vcpu.threadId)]);
      const waited = times === null ? {} : { waitedMs: times.waitedMs };
      return { ...vcpu, cpuMs: stat?.cpuMs ?? null, ...waited };
    }),
  );
  return { ...machine, vcpus };
}

/** These are the faults of a QEMU that greets. */
const GREETS: ReadonlySet<QmpFault> = new Set<QmpFault>(['main-loop-stuck', 'refused']);

/** QEMU greets after it has made all its devices, and to make one it must have talked to the server (system/vl.c). */
const hasStarted = (machine: Machine): boolean => machine.ok || GREETS.has(machine.fault);

async function lookAtHost(
  { qmpSocket, pid }: { qmpSocket: string; pid: number | null },
  asked: Promise<Machine>,
  signal: AbortSignal,
): Promise<Omit<Look, 'qmp'>> {
  const found = await findQemu(qmpSocket, pid, signal);
  const stat = found === null ? null : await readStat(found.pid);
  const argv = found?.argv ?? [];
  const consoleFile = consoleFileOf(argv);
  const connected = async () => hasStarted(await asked);
  return {
    ...(consoleFile !== null && { consoleFile }),
    qemu: found === null || stat === null ? null : { pid: found.pid, state: stat.state },
    kernelCommandLine: kernelCommandLineOf(argv),
    shares: found === null ? [] : await findServers({ pid: found.pid, argv }, connected, signal),
  };
}

/** `likely` may be a wrapper of QEMU, or a process that is gone. */
async function findQemu(socket: string, likely: number | null, signal: AbortSignal) {
  const argv = likely === null ? null : await readArgv(likely, signal);
  if (likely !== null && argv !== null && isQemuOf(argv, socket)) return { pid: likely, argv };
  const [found] = await scanProcesses((pid, argv) => (isQemuOf(argv, socket) ? { pid, argv } : null), signal);
  return found ?? (likely === null ? null : { pid: likely, argv });
}
