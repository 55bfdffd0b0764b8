/** Where a guest's boot is, and how silent it was on the way. Only these functions write to it. */
import { isLater, type Phase, phaseIn } from '../../console/phases.js';
import type { Mono } from '../../time.js';
import type { Quiet } from './quiet.js';

type By = 'qemu' | 'firmware' | 'kernel';

export interface BootState {
  /** systemd's invocation id; null if the unit is not known. */
  invocation: string | null;
  /** The newest sign that a boot begins, and who gave it. */
  sign: { at: Mono; by: By } | null;
  /** Its phase, and the longest silence of each phase until now; null if that says nothing of the guest. */
  phase: { name: Phase; since: Mono; quiet: Quiet | null };
}

/** QEMU, firmware and kernel announce one boot, in this order and within this time. */
const SAME_BOOT_MS = 30_000;
/** A kernel with an early console may print its first lines twice. */
const SAME_KERNEL_MS = 5_000;
const ORDER: readonly By[] = ['qemu', 'firmware', 'kernel'];

export const noBoot = (at: Mono): BootState => ({
  invocation: null,
  sign: null,
  phase: { name: 'firmware', since: at, quiet: null },
});

/** A boot whose beginning was seen: its silences can be learned from. */
export function bootBegins(boot: BootState, by: By, invocation: string | null, at: Mono): void {
  boot.invocation = invocation ?? boot.invocation;
  boot.sign = { at, by };
  boot.phase = { name: by === 'kernel' ? 'kernel' : 'firmware', since: at, quiet: {} };
}

/** True, and noted, if this sign is one more of the boot that is known; `answered`: SSH has, so that this boot is over. */
export function continuesBoot(
  boot: BootState,
  by: Exclude<By, 'qemu'>,
  { at, answered }: { at: Mono; answered: boolean },
): boolean {
  const { sign } = boot;
  if (sign === null || answered) return false;
  const again = by === 'kernel' && sign.by === 'kernel';
  const same = again
    ? at - sign.at < SAME_KERNEL_MS
    : ORDER.indexOf(by) >= ORDER.indexOf(sign.by) && at - sign.at < SAME_BOOT_MS;
  if (same) boot.sign = { at, by };
  return same;
}

/** A line that announces a later phase. */
export function readPhase(boot: BootState, line: string, at: Mono): void {
  const phase = phaseIn(line);
  if (phase !== null && isLater(phase, boot.phase.name))
    boot.phase = { ...boot.phase, name: phase, since: at };
}

/** A silence of the console ends now, with news or with the boot. */
export function silenceEnds({ phase: { name, quiet } }: BootState, silentMs: number): void {
  if (quiet !== null) quiet[name] = Math.max(quiet[name] ?? 0, silentMs);
}

/** What was silent now was not the guest's own doing: nothing is learned from this boot. */
export function disturbed(boot: BootState): void {
  boot.phase.quiet = null;
}

/** SSH answers for the first time. Returns the silences of the boot that ends so, or null if they teach nothing. */
export function bootEnds(boot: BootState, at: Mono): Quiet | null {
  const { quiet } = boot.phase;
  boot.phase = { name: 'up', since: at, quiet: null };
  return quiet;
}
