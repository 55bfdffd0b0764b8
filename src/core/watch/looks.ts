/** Looks at QEMU from outside, and what several show together: who moved between them, and who ran. */
import { isStorage, serverFault, serverIs } from '../host/share-server.js';
import type { CpuSample, Look, Share, Vcpu } from '../model.js';
import type { Mono } from '../time.js';

export type TimedLook = Look & { at: Mono };

/** A vCPU that ran, or was kept waiting for the host, for this share of the time between two looks, never slept. */
const BUSY = 0.9;
/** And that it ran for so much of it is enough for an SSH server to answer. */
const ENOUGH = 0.5;
const APART_MS = 1_000;
/** Who waits for a CPU for this share of the time gets far less done than it could. */
const WAITED = 0.25;
/** As many samples in one page of code are no coincidence: work calls functions, a loop stays. */
const LOOP_SAMPLES = 6;
const PAGE_DIGITS = 3;
/** A server that ran for less may have been asked by somebody else in the guest. */
const WORKED_MS = 10;

/** Requests of the block devices completed between the first look and the last. */
function blockMoved(looks: readonly TimedLook[]): boolean {
  const counts = looks.flatMap(({ qmp }) =>
    qmp.ok && qmp.block !== null ? [qmp.block.reads + qmp.block.writes] : [],
  );
  const [first] = counts;
  return first !== undefined && (counts.at(-1) ?? first) > first;
}

/** What was done for the guest between the first look and the last, in words; null for nothing. */
export function movedSince(looks: readonly TimedLook[]): string | null {
  if (blockMoved(looks)) return 'its block devices still move';
  return serverMoved(looks) ? 'the server of its share still works' : null;
}

/** A server that takes CPU time answers somebody, and a share has one guest. */
const serverMoved = (looks: readonly TimedLook[], atLeastMs = WORKED_MS): boolean =>
  serversGained(looks, 'cpuMs').some((gained) => gained >= atLeastMs);

/** However little a server of files or blocks ran: who waits for it may be answered yet. */
export const serverStirs = (looks: readonly TimedLook[]): string | null =>
  serverMoved(looks, Number.MIN_VALUE) ? 'the server of its share still works' : null;

/** What each share's server gained between the first look and the last, in milliseconds; one that changed tells nothing. */
function serversGained(looks: readonly TimedLook[], what: 'cpuMs' | 'waitedMs'): number[] {
  const of = (look: TimedLook | undefined, socket: string) =>
    look?.shares.find((share) => share.socket === socket)?.server;
  return sharesIn(looks)
    .filter(isStorage)
    .flatMap(({ socket }) => {
      const [before, after] = [of(looks[0], socket), of(looks.at(-1), socket)];
      const [from, to] = [before?.[what], after?.[what]];
      return from === undefined || to === undefined || before?.pid !== after?.pid ? [] : [to - from];
    });
}

/** What disks and servers of files had done by a look: requests, and milliseconds of CPU time. Null: there are none. */
export interface Work {
  /** `unknown`: QEMU could not be asked. */
  disks: number | 'unknown' | null;
  servers: number | null;
  /** The servers of shares that are told by their tags; absent in older recordings. */
  byTag?: { tag: string; cpuMs: number }[];
}

export function workOf({ qmp, shares }: Look): Work {
  const told = shares.filter(isStorage).flatMap(({ tag, server }) => {
    const cpuMs = server?.cpuMs;
    return cpuMs === undefined ? [] : [{ tag, cpuMs }];
  });
  const servers = told.map(({ cpuMs }) => cpuMs);
  const block = qmp.ok ? qmp.block : null;
  return {
    disks: !qmp.ok ? 'unknown' : block === null ? null : block.reads + block.writes,
    servers: servers.length === 0 ? null : servers.reduce((sum, one) => sum + one, 0),
    byTag: told,
  };
}

/** The shares of the newest look that saw any. */
const sharesIn = (looks: readonly TimedLook[]): Share[] =>
  looks.findLast(({ shares }) => shares.length > 0)?.shares ?? [];

/** The server of files or blocks is stopped, dead or gone: no wait for it can end. */
export const backendIsDead = (looks: readonly TimedLook[]): boolean =>
  sharesIn(looks).some((share) => isStorage(share) && serverFault(share) !== null);

/** Why it is not known whether a wait for files or blocks can end; null where every server is known. */
export function backendIsUnknown(looks: readonly TimedLook[]): string | null {
  const share = sharesIn(looks).find((one) => isStorage(one) && serverIs(one) === 'unknown');
  return share === undefined ? null : `the server of its share ${share.tag} is not known`;
}

/** For each vCPU the share of the time that its thread ran between the first look and the last; null if unknown. */
export const vcpuShares = (looks: readonly TimedLook[]): (number | null)[] => sharesOf(looks, 'cpuMs');

function sharesOf(looks: readonly TimedLook[], what: 'cpuMs' | 'waitedMs'): (number | null)[] {
  const { elapsed, gained } = vcpusGained(looks, what);
  return elapsed < APART_MS ? [] : gained.map((ms) => (ms === null ? null : ms / elapsed));
}

/** What each vCPU gained between the first look that QEMU answered and the last, in milliseconds; null if unknown. */
function vcpusGained(looks: readonly TimedLook[], what: 'cpuMs' | 'waitedMs') {
  const seen = looks.flatMap((look) => (look.qmp.ok ? [{ at: look.at, vcpus: look.qmp.vcpus }] : []));
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return { elapsed: 0, gained: [] };
  const gained = last.vcpus.map((vcpu) => {
    const before = first.vcpus.find(({ index }) => index === vcpu.index)?.[what] ?? null;
    const after = vcpu[what] ?? null;
    return after === null || before === null ? null : after - before;
  });
  return { elapsed: last.at - first.at, gained };
}

/** Every vCPU ran for so long between the first look and the last. */
export function allRan(looks: readonly TimedLook[], ms: number): boolean {
  const { gained } = vcpusGained(looks, 'cpuMs');
  return gained.length > 0 && gained.every((ran) => ran !== null && ran >= ms);
}

/**
 * The host did not run the guest, or the server of its share, when they wanted to: why what they did not do between the
 * looks proves little. Null where they got the time they asked for.
 */
export function keptWaiting(looks: readonly TimedLook[]): string | null {
  const percent = (share: number) => `${Math.round(100 * share)} % of the time`;
  const vcpu = Math.max(...sharesOf(looks, 'waitedMs').map((share) => share ?? 0), 0);
  if (vcpu >= WAITED) return `its vCPUs waited ${percent(vcpu)} for a CPU of the host`;
  const elapsed = (looks.at(-1)?.at ?? 0) - (looks[0]?.at ?? 0);
  const server = elapsed < APART_MS ? 0 : Math.max(...serversGained(looks, 'waitedMs'), 0) / elapsed;
  return server >= WAITED ? `the server of its share waited ${percent(server)} for a CPU of the host` : null;
}

/** Every vCPU wanted to run all the time, and the host gave it enough. */
export function allBusy(looks: readonly TimedLook[]): boolean {
  const waited = sharesOf(looks, 'waitedMs');
  const ran = vcpuShares(looks);
  return (
    ran.length > 0 &&
    ran.every((share, index) => share !== null && share >= ENOUGH && share + (waited[index] ?? 0) >= BUSY)
  );
}

/** Some vCPU ran all the time. */
export const someBusy = (looks: readonly TimedLook[]): boolean =>
  vcpuShares(looks).some((share) => share !== null && share >= BUSY);

/** Every vCPU ran all the time, and each within one page of code: a loop, not work. */
export function allLoop(looks: readonly TimedLook[]): boolean {
  if (!allBusy(looks)) return false;
  const all = [...samplesOf(looks).values()];
  return (
    all.length > 0 &&
    all.every((samples) => {
      const pages = new Set(samples.map(({ pc }) => pc.slice(0, -PAGE_DIGITS)));
      return (
        samples.length >= LOOP_SAMPLES && pages.size === 1 && samples.every(({ halted }) => halted !== true)
      );
    })
  );
}

/** A kernel that takes no interrupts for so much of its own running time does not come back. */
const DEAF_RAN_MS = 1_000;

/**
 * Every vCPU runs without interrupts within one page of the kernel, in every sample, and has run for a second meanwhile:
 * however rarely the host lets it, that is no matter of time.
 */
export function allDeaf(looks: readonly TimedLook[]): boolean {
  const [first, last] = [looks.find(hasSamples), looks.findLast(hasSamples)];
  if (first?.qmp.ok !== true || last?.qmp.ok !== true || last.qmp.vcpus.length === 0) return false;
  const before = first.qmp.vcpus;
  const samples = samplesOf(looks);
  return last.qmp.vcpus.every(({ index, cpuMs }) => {
    const own = samples.get(index) ?? [];
    const from = before.find((vcpu) => vcpu.index === index)?.cpuMs ?? null;
    const ran = cpuMs === null || from === null ? 0 : cpuMs - from;
    return (
      ran >= DEAF_RAN_MS &&
      inOnePage(own) &&
      own.every(({ user, halted, masked }) => user === false && halted === false && masked === true)
    );
  });
}

const hasSamples = ({ qmp }: TimedLook): boolean =>
  qmp.ok && qmp.vcpus.some(({ samples = [] }) => samples.length > 0);

/**
 * As a kernel stands after its panic: every vCPU but one has halted and takes no interrupts, and that one runs nothing but
 * the kernel; if it is the only one, within one page of it. No vCPU of a kernel that lives halts without interrupts.
 */
export function vcpusAreDead(looks: readonly TimedLook[]): boolean {
  const all = [...samplesOf(looks).values()];
  const running = all.filter(
    (samples) => !samples.every(({ halted, masked }) => halted === true && masked === true),
  );
  const [one] = running;
  if (all.length === 0 || all.some(({ length }) => length === 0) || running.length > 1) return false;
  if (one === undefined) return true;
  const inKernel = one.every(({ user, halted }) => user === false && halted === false);
  return inKernel && (all.length > 1 || inOnePage(one));
}

const inOnePage = (samples: readonly CpuSample[]): boolean =>
  samples.length >= LOOP_SAMPLES && new Set(samples.map(({ pc }) => pc.slice(0, -PAGE_DIGITS))).size === 1;

/** Some vCPU ran all the time, and was in the kernel whenever its registers were read. */
export function someInKernel(looks: readonly TimedLook[]): boolean {
  const samples = samplesOf(looks);
  return vcpuShares(looks).some((share, place) => {
    const index = looks.findLast(({ qmp }) => qmp.ok)?.qmp;
    const vcpu = index?.ok === true ? index.vcpus[place]?.index : undefined;
    const own = vcpu === undefined ? [] : (samples.get(vcpu) ?? []);
    return share !== null && share >= BUSY && own.length > 0 && own.every(({ user }) => user === false);
  });
}

/** Where all samples were taken: in programs, in the kernel; null where they differ or tell nothing. */
export function ranIn(looks: readonly TimedLook[]): 'programs' | 'kernel' | null {
  const samples = [...samplesOf(looks).values()].flat();
  if (samples.length === 0 || samples.some(({ user }) => user === null)) return null;
  if (samples.every(({ user }) => user === true)) return 'programs';
  return samples.every(({ user }) => user === false) ? 'kernel' : null;
}

/** How many vCPUs the newest look that QEMU answered shows. */
export function vcpuCount(looks: readonly TimedLook[]): number {
  const last = looks.findLast(({ qmp }) => qmp.ok);
  return last?.qmp.ok === true ? last.qmp.vcpus.length : 0;
}

/** All samples of each vCPU by its index. */
export function samplesOf(looks: readonly TimedLook[]): Map<number, CpuSample[]> {
  const byVcpu = new Map<number, CpuSample[]>();
  for (const { qmp } of looks) {
    const vcpus: readonly Vcpu[] = qmp.ok ? qmp.vcpus : [];
    for (const { index, samples = [] } of vcpus)
      byVcpu.set(index, [...(byVcpu.get(index) ?? []), ...samples]);
  }
  return byVcpu;
}
