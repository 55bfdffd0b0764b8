/** What the looks of one case show together: who moved between them, and who ran. */
import type { Vcpu } from '../model.js';
import type { CpuSample } from '../qmp/registers.js';
import type { TimedLook } from './state.js';

/** A vCPU that ran for this share of the time between two looks is not waiting for anything. */
const BUSY = 0.9;
const APART_MS = 1_000;
/** As many samples in one page of code are no coincidence: work calls functions, a loop stays. */
const LOOP_SAMPLES = 6;
const PAGE_DIGITS = 3;

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
function serverMoved(looks: readonly TimedLook[]): boolean {
  const cpuMs = (look: TimedLook | undefined, of: string) =>
    look?.shares.find(({ socket }) => socket === of)?.server?.cpuMs;
  const shares = looks.findLast((look) => look.shares.length > 0)?.shares ?? [];
  return shares.some(({ socket }) => {
    const [before, after] = [cpuMs(looks[0], socket), cpuMs(looks.at(-1), socket)];
    return before !== undefined && after !== undefined && after > before;
  });
}

/** The server behind a share is stopped, dead or gone: no wait for it can end. */
export function backendIsDead(looks: readonly TimedLook[]): boolean {
  const last = looks.findLast(({ shares }) => shares.length > 0);
  return last?.shares.some(({ server }) => server === null || 'TtZX'.includes(server.state)) ?? false;
}

/** For each vCPU the share of the time that its thread ran between the first look and the last; null if unknown. */
export function vcpuShares(looks: readonly TimedLook[]): (number | null)[] {
  const seen = looks.flatMap((look) => (look.qmp.ok ? [{ at: look.at, vcpus: look.qmp.vcpus }] : []));
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < APART_MS) return [];
  return last.vcpus.map(({ index, cpuMs }) => {
    const before = first.vcpus.find((vcpu) => vcpu.index === index)?.cpuMs ?? null;
    return cpuMs === null || before === null ? null : (cpuMs - before) / (last.at - first.at);
  });
}

/** Every vCPU ran all the time. That the host gave it the time is then proven too. */
export function allBusy(looks: readonly TimedLook[]): boolean {
  const shares = vcpuShares(looks);
  return shares.length > 0 && shares.every((share) => share !== null && share >= BUSY);
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
