import { setTimeout as delay } from 'node:timers/promises';
import { kernelCommandLineOf } from '../core/host/argv.js';
import { consoleFileOf, isTypable } from '../core/host/consoles.js';
import type { CpuSample, Look, QmpFault, Vcpu } from '../core/model.js';
import { blockSums, diskCounters, runStateOf, vcpusOf } from '../core/qmp/queries.js';
import { registersOf } from '../core/memory/registers.js';
import { printable } from '../core/printable.js';
import { blockedThread } from './blocked-threads.js';
import { Deadline } from './deadline.js';
import { readStat, readTimes } from './proc.js';
import { findQemu, type Whose } from './qemu-process.js';
import { QmpError } from './qmp/error.js';
import { HOLD_MS, withQmp, type QmpOptions, type QmpSession } from './qmp/with-qmp.js';
import { findServers } from './find-servers.js';
import { actsFor, ownUser } from './trust.js';

/** Beyond the deadlines of QMP, so that QMP's own, better errors come first. */
const LOOK_MS = 1990;
/** Samples of the registers in one look: a loop stays where it is, work moves on. Each stops all vCPUs for a moment. */
const SAMPLES = 4;
const SAMPLE_PAUSE_MS = 15;
/** On a busy host a sample may take this long: with less time left the socket is given back first. */
const SAMPLE_MS = 150;
const SAMPLE_SESSIONS = 3;
/** With more vCPUs the answer would be too long to be worth it. */
const SAMPLED_VCPUS_MAX = 32;

/**
 * Looks at a guest from outside: QMP, QEMU's process, and the servers behind its shares. Presses nothing, never
 * throws, takes at most two seconds; what could not be read is null or a fault.
 */
export async function look(target: Whose & { samples?: boolean }, options: QmpOptions): Promise<Look> {
  const { timeoutMs, holdMs = HOLD_MS } = options;
  const end = new AbortController();
  const stop = () => end.abort(options.signal?.reason);
  const deadline = new Deadline(LOOK_MS, ({ late }) => end.abort(new TookTooLong(late)));
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const asked = askQmp(target, { timeoutMs, holdMs, signal: end.signal });
    const [host, machine] = await Promise.all([lookAtHost(target, asked, end.signal), asked]);
    return { qmp: await withCpuTimes(machine, host.qemu?.pid ?? null), ...host };
  } finally {
    deadline.end();
    options.signal?.removeEventListener('abort', stop);
    // Ends a scan of /proc that is still under way.
    end.abort();
  }
}

class TookTooLong extends Error {
  constructor(readonly late: boolean) {
    super(late ? 'the look took too long, on a host that was late itself' : 'the look took too long');
  }
}

type Machine = Awaited<ReturnType<typeof askQmp>>;

async function askQmp(target: { qmpSocket: string; samples?: boolean }, options: QmpOptions) {
  try {
    const view = await withQmp(target.qmpSocket, options, describe);
    const { runState, vcpus } = view;
    const some = vcpus.length > 0 && vcpus.length <= SAMPLED_VCPUS_MAX;
    if (target.samples !== true || runState !== 'running' || !some) return { ok: true as const, ...view };
    const sampled = await sampleRegisters(target.qmpSocket, options);
    const named = vcpus.map((vcpu) => ({ ...vcpu, samples: sampled.get(vcpu.index) ?? [] }));
    return { ok: true as const, ...view, vcpus: named };
  } catch (error) {
    const fault = error instanceof QmpError ? error.fault : tooSlow(target.qmpSocket);
    const detail = error instanceof Error ? error.message : String(error);
    const late = (error instanceof QmpError || error instanceof TookTooLong) && error.late;
    return { ok: false as const, fault, detail: printable(detail, 400), ...(late && { late }) };
  }
}

/** Of libvirt's domains it may be libvirt that took the time. */
const tooSlow = (address: string): QmpFault => (address.startsWith('libvirt:') ? 'no-libvirt' : 'timeout');

async function describe(session: QmpSession) {
  const runState = runStateOf(await session.execute('query-status'));
  const vcpus: Omit<Vcpu, 'cpuMs'>[] = vcpusOf(await ifKnown(session.execute('query-cpus-fast')));
  const answer = await ifKnown(session.execute('query-blockstats'));
  const disks = diskCounters(answer);
  return { runState, vcpus, block: blockSums(answer), ...(disks.length > 0 && { disks }) };
}

/** Takes several sessions, because each may hold the socket only briefly; leaves out samples without time. */
async function sampleRegisters(socket: string, options: QmpOptions): Promise<Map<number, CpuSample[]>> {
  const sampled = new Map<number, CpuSample[]>();
  let taken = 0;
  const sample = async (session: QmpSession) => {
    while (taken < SAMPLES && session.left() >= SAMPLE_MS) {
      if (taken > 0) await delay(SAMPLE_PAUSE_MS);
      const command = { 'command-line': 'info registers -a' };
      const registers = registersOf(await ifKnown(session.execute('human-monitor-command', command)));
      if (registers.size === 0) return 'none';
      for (const [index, one] of registers) sampled.set(index, [...(sampled.get(index) ?? []), one]);
      taken += 1;
    }
    return 'some';
  };
  // Without samples, the rest of the look still counts.
  for (let sessions = 0; sessions < SAMPLE_SESSIONS && taken < SAMPLES; sessions += 1) {
    const found = await withQmp(socket, options, sample).catch((error: unknown) => {
      if (error instanceof QmpError || options.signal?.aborted === true) return 'none';
      throw error;
    });
    if (found === 'none') break;
  }
  return sampled;
}

/** A QEMU that lacks a command still reports its run state. */
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
  whose: Whose,
  asked: Promise<Machine>,
  signal: AbortSignal,
): Promise<Omit<Look, 'qmp'>> {
  const found = await findQemu(whose, signal);
  const stat = found === null ? null : await readStat(found.pid);
  const argv = found?.argv ?? [];
  // The QEMU of another user could name any file that only this one may read.
  const own = found !== null && (await actsFor(found.pid, new Set([ownUser()])));
  const consoleFile = own ? consoleFileOf(argv) : null;
  const connected = async () => hasStarted(await asked);
  const thread = found === null ? null : await blockedThread(found.pid);
  const blocked = thread === null ? {} : { blocked: thread };
  return {
    ...(consoleFile !== null && { consoleFile }),
    ...(isTypable(argv) && { typable: true }),
    qemu: found === null || stat === null ? null : { pid: found.pid, state: stat.state, ...blocked },
    kernelCommandLine: kernelCommandLineOf(argv),
    shares: found === null ? [] : await findServers({ pid: found.pid, argv }, connected, signal),
  };
}
