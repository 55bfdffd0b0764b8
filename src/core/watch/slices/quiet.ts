/** How long a guest may be silent in each phase of its boot: the configuration's word, then good boots of its kernel. */
import type { GuestSettings } from '../../config/schema.js';
import { type Phase, PHASES } from '../../console/phases.js';

/** The longest silence of each phase in the newest good boots, in milliseconds, oldest first. */
export type Learned = Partial<Record<Phase, number[]>>;

/** The longest silence of each phase in one boot, in milliseconds. */
export type Quiet = Partial<Record<Phase, number>>;

const KEPT = 8;
/** One slow boot is enough to be more patient, it takes some to be less. */
const ENOUGH = 3;
const MARGIN = 1.5;
const MARGIN_MS = 2_000;
/** So many times the usual is no habit of the guest. */
const OUTLIER = 4;
const NEVER_OUTLIER_MS = 20_000;

/** Firmware that looks for a network, and a stage that unpacks and installs, are silent for longer. */
const FACTOR: Record<Phase, number> = {
  firmware: 2,
  kernel: 1,
  initrd: 1,
  activation: 1.5,
  userspace: 1,
  up: 1,
};

/** The silence, in milliseconds, that makes a guest suspect in this phase. */
export function quietLimit(phase: Phase, learned: Learned, { detect }: GuestSettings): number {
  if (phase === 'up') return detect.silence;
  const usual = learned[phase] ?? [];
  const configured = FACTOR[phase] * detect.bootSilence;
  const own = Math.max(0, ...usual) * MARGIN + MARGIN_MS;
  const limit = usual.length < ENOUGH ? Math.max(configured, usual.length === 0 ? 0 : own) : own;
  return Math.min(
    Math.max(limit, Math.min(detect.silence, configured)),
    Math.max(detect.blindBoot, configured),
  );
}

/** What is known after a good boot with these longest silences. Bounded; what is far from the usual is left out. */
export function learn(before: Learned, quiet: Quiet): Learned {
  const learned: Learned = { ...before };
  for (const phase of PHASES) {
    const longest = quiet[phase];
    if (longest === undefined || phase === 'up') continue;
    const usual = learned[phase] ?? [];
    if (isOutlier(longest, usual)) continue;
    learned[phase] = [...usual, Math.round(longest)].slice(-KEPT);
  }
  return learned;
}

function isOutlier(longest: number, usual: readonly number[]): boolean {
  if (usual.length < ENOUGH || longest <= NEVER_OUTLIER_MS) return false;
  const sorted = [...usual].sort((a, b) => a - b);
  return longest > OUTLIER * Math.max(sorted[Math.floor(sorted.length / 2)] ?? 0, MARGIN_MS);
}
