/** Where a moment stands on the timeline of a report: two stretches of time, each to its own scale. */

export interface Axis {
  /** Milliseconds since 1970 to pixels; what is outside stands at its edge. */
  x: (ms: number) => number;
  ticks: { x: number; label: string }[];
}

/** Seconds between two ticks. */
const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400];
const TICK_APART = 62;
/** A stretch is at least so long, or nothing in it could be told apart. */
const LEAST_MS = 200;

interface Stretch {
  from: number;
  to: number;
  left: number;
  right: number;
}

/**
 * From `from` to `turn`, where the suspicion began, and from there to `to`: what leads to it takes minutes, the capture
 * less than a second at times. Ticks count from `zero`.
 */
export function timeAxis(
  { from, turn, to, zero }: Record<'from' | 'turn' | 'to' | 'zero', number>,
  { left, right }: Record<'left' | 'right', number>,
): Axis {
  const middle = turn - from < LEAST_MS ? left : left + Math.round((right - left) / 2);
  const stretches: Stretch[] = [
    { from, to: turn, left, right: middle },
    { from: turn, to: Math.max(to, turn + LEAST_MS), left: middle, right },
  ];
  const x = (ms: number): number => {
    const stretch = stretches.find((one) => ms < one.to) ?? stretches.at(-1);
    if (stretch === undefined) return left;
    const share = (ms - stretch.from) / (stretch.to - stretch.from);
    return stretch.left + Math.min(1, Math.max(0, share)) * (stretch.right - stretch.left);
  };
  return { x, ticks: stretches.flatMap((stretch) => ticksOf(stretch, zero, x)) };
}

function ticksOf({ from, to, left, right }: Stretch, zero: number, x: Axis['x']): Axis['ticks'] {
  const room = Math.max(1, Math.floor((right - left) / TICK_APART));
  const step = 1000 * (STEPS.find((one) => (to - from) / 1000 / one <= room) ?? (to - from) / 1000);
  const ticks: Axis['ticks'] = [];
  for (let n = Math.ceil((from - zero) / step); zero + n * step < to; n += 1) {
    const at = x(zero + n * step);
    // The next stretch begins with its own.
    if (right - at >= TICK_APART / 3) ticks.push({ x: at, label: offset(n * step) });
  }
  return ticks;
}

function offset(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const seconds = Math.abs(ms) / 1000;
  if (ms === 0) return '0 s';
  if (seconds < 120) return `${sign}${Number(seconds.toFixed(2))} s`;
  return seconds < 7200
    ? `${sign}${Math.round(seconds / 6) / 10} min`
    : `${sign}${Math.round(seconds / 360) / 10} h`;
}
