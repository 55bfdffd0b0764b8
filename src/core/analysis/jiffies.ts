import type { Dump } from '../model.js';

/** CONFIG_HZ, kernel/Kconfig.hz and the other architectures' choices. */
const RATES = [24, 48, 100, 128, 200, 250, 256, 300, 500, 512, 1000, 1024, 1200];
/** The usual ones, and the usual seconds after which a grace period is reported first. */
const USUAL_RATES = [1000, 300, 250, 100];
const USUAL_TIMEOUTS = [21, 60];
/** The stamps are of the printing, which lags behind. */
const OFF_BY = 0.02;

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

/**
 * Seconds that an age in jiffies is at least; null for less than one. Where no rate is known, the fastest usual one at which
 * it is that of a first report, else the fastest of all: a slower clock means a higher age.
 */
export function atLeastSeconds(jiffies: number, hz: number | null): number | null {
  const first = USUAL_RATES.find((rate) =>
    USUAL_TIMEOUTS.some((timeout) => jiffies >= timeout * rate && jiffies < timeout * rate * (1 + OFF_BY)),
  );
  const seconds = Math.floor(jiffies / (hz ?? first ?? USUAL_RATES[0] ?? 1000));
  return seconds >= 1 ? seconds : null;
}
