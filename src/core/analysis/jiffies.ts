import type { Dump, Stall } from '../model.js';

/** CONFIG_HZ, kernel/Kconfig.hz and the other architectures' choices. */
const RATES = [24, 48, 100, 128, 200, 250, 256, 300, 500, 512, 1000, 1024, 1200];
/** What kernel/Kconfig.hz offers, which distributions choose from. */
const USUAL_RATES = [1000, 300, 250, 100];
/** The stamps are of the printing, which lags behind. */
const OFF_BY = 0.02;
/**
 * Seconds until the first report of a stall: CONFIG_RCU_CPU_STALL_TIMEOUT as it is by default and as distributions and
 * syzbot set it, and 5 more with CONFIG_PROVE_RCU (kernel/rcu/update.c, rcu_jiffies_till_stall_check()).
 */
const TIMEOUTS = [21, 26, 60, 65, 100, 105];
/** A report comes with a tick of a busy CPU: jiffies late. */
const LATE = 60;

/**
 * Jiffies a second, from two reports of one grace period: by how much its age grew, and how much later the second was
 * printed. Null where no two tell, or where they disagree.
 */
export function jiffiesPerSecond(dumps: readonly Dump[]): number | null {
  const reports = dumps.flatMap(({ stall, bootSeconds: at }) => {
    const { jiffies: age, gracePeriod } = stall ?? {};
    return age === undefined || gracePeriod === undefined || at === undefined
      ? []
      : [{ age, at, gracePeriod }];
  });
  const found = new Set<number>();
  for (const [index, later] of reports.entries()) {
    const before = reports[index - 1];
    if (before?.gracePeriod !== later.gracePeriod || later.at - before.at < 1) continue;
    const rate = (later.age - before.age) / (later.at - before.at);
    const [hz, other] = RATES.filter((one) => Math.abs(rate / one - 1) < OFF_BY);
    if (hz !== undefined && other === undefined) found.add(hz);
  }
  const [hz] = found;
  return found.size === 1 ? (hz ?? null) : null;
}

/** How long, at least, and how that is known; `sure` is false where the rate was inferred. */
export interface Age {
  seconds: number;
  hz: number;
  sure: boolean;
}

/**
 * The age of a stall that the kernel counts in jiffies. Where no two reports tell the rate, the report itself hints at
 * it: a grace period as old as the limit for one, and the pause that the kernel scales by the rate. Of several rates
 * the highest counts, so that the age is never too high.
 */
export function ageOf(dump: Dump, jiffies: number, known: number | null): Age {
  if (known !== null) return { seconds: Math.floor(jiffies / known), hz: known, sure: true };
  const { stall, bootSeconds } = dump;
  const possible = USUAL_RATES.filter((hz) => paused(hz, stall) && inUptime(jiffies / hz, bootSeconds));
  const limit = possible.find((hz) => TIMEOUTS.some((seconds) => isNear(jiffies, seconds * hz)));
  const hz = limit ?? possible[0] ?? 1000;
  return { seconds: Math.floor(jiffies / hz), hz, sure: false };
}

const isNear = (jiffies: number, limit: number): boolean => jiffies >= limit && jiffies <= limit + LATE;

/** `jiffies_till_next_fqs` is 1, 2 above 250 Hz, 3 above 500 Hz (RCU_JIFFIES_TILL_FORCE_QS); more with many CPUs. */
function paused(hz: number, stall: Stall | undefined): boolean {
  const pause = stall?.allSeen?.pause ?? 0;
  return pause < 1 || pause > 3 || pause === 1 + Number(hz > 250) + Number(hz > 500);
}

/** Nothing is older than the kernel; its clock may start with the first message. */
const inUptime = (seconds: number, uptime: number | undefined): boolean =>
  uptime === undefined || seconds <= uptime + 5;
