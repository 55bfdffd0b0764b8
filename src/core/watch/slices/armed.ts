/** Whether a guest will print its dumps when asked. Bits of kernel.sysrq: include/linux/sysrq.h; 1 allows everything. */
import { SHOWS_BODIES } from '../../dump/complete.js';
import type { GuestFacts } from '../../model.js';
import { NEEDED } from '../../ssh/guest-facts.js';
import type { ArmingState } from './arming.js';

/** SYSRQ_ENABLE_LOG: the digits that raise the console's loglevel. */
const ENABLE_LOG = 2;
/** SYSRQ_ENABLE_DUMP: w, t and l. */
const ENABLE_DUMP = 8;

const SYSCTL = 'echo kernel.sysrq=1 | sudo tee /etc/sysctl.d/99-sysrq.conf && sudo sysctl --system';
const FIXES: Readonly<Record<string, string>> = {
  debian: `${SYSCTL}; for early boot put sysrq_always_enabled into GRUB_CMDLINE_LINUX of /etc/default/grub and run update-grub`,
  fedora: `${SYSCTL}; for early boot sudo grubby --update-kernel=ALL --args=sysrq_always_enabled`,
  nixos:
    'boot.kernel.sysctl."kernel.sysrq" = 1; and for early boot boot.kernelParams = [ "sysrq_always_enabled" ]; a guest of kdevops: add sysrq_always_enabled loglevel=7 to KERNEL_ARGS in ~/.config/systemd/qemu-system/VM.env and restart it, or let wedgewatch do it over SSH: arm: fix (docs/kdevops.md)',
};
const LIKE: Readonly<Record<string, string>> = { ubuntu: 'debian', rhel: 'fedora', centos: 'fedora' };

/** How the guest's user lets it print its dumps: for its distribution where that is known. */
export function sysrqFix(facts: GuestFacts | null): string {
  const os = facts?.os ?? '';
  const known = FIXES[LIKE[os] ?? os];
  if (known !== undefined)
    return `fix it in the guest: sysctl -w kernel.sysrq=1 for now; to stay (${os}): ${known}`;
  return 'fix it in the guest: sysctl -w kernel.sysrq=1 (and in /etc/sysctl.d/ for the next boot; on NixOS boot.kernel.sysctl."kernel.sysrq" = 1;), or boot with sysrq_always_enabled; or let wedgewatch do it over SSH: arm: fix';
}

function refusedBy({
  sysrqMask: mask,
  alwaysEnabled,
}: Pick<GuestFacts, 'sysrqMask' | 'alwaysEnabled'>): string | null {
  if (mask === null || mask === 1 || alwaysEnabled || (mask & ENABLE_DUMP) !== 0) return null;
  return mask === 0 ? 'kernel.sysrq=0' : `kernel.sysrq=${mask} lacks bit ${ENABLE_DUMP}`;
}

/**
 * Why a guest that said so refuses its dumps. The mask that was read may have been set since: it counts where it goes
 * with what the guest said to the digits. Else that tells which of the usual defaults it is.
 */
export function refusal(facts: GuestFacts | null, digits: 'allowed' | 'refused' | null): string {
  const likely = digits === 'allowed' ? "Debian's default 438" : "systemd's default 16";
  const mask = facts?.sysrqMask ?? 0;
  const logs = mask === 1 || (mask & ENABLE_LOG) !== 0;
  const believed = facts !== null && mask !== 0 && (digits === null || logs === (digits === 'allowed'));
  const known = believed ? refusedBy(facts) : null;
  return known ?? `kernel.sysrq lacks bit ${ENABLE_DUMP}, as ${likely} does`;
}

interface Gap {
  what: string;
  fix: string;
  /** Over SSH, until the guest's next boot. */
  settable: boolean;
}

/** Symbols that a kernel lacks, where its configuration could be read. */
function missingSymbols({ symbols }: GuestFacts): string[] {
  if (symbols === null) return [];
  return NEEDED.filter((name) => !symbols.includes(name)).map((name) => `CONFIG_${name}`);
}

/** What the settings of a guest keep it from printing, or null. */
export function gapIn(facts: GuestFacts): Gap | null {
  const { sysrqMask: mask, loglevel } = facts;
  const missing = missingSymbols(facts);
  if (missing.length > 0) {
    const fix = `build the guest's kernel with ${missing.map((name) => `${name}=y`).join(', ')}`;
    return { what: `its kernel lacks ${missing.join(', ')}`, fix, settable: false };
  }
  if (mask === null) {
    if (loglevel === null) return null;
    return { what: 'its kernel has no SysRq', fix: 'build it with CONFIG_MAGIC_SYSRQ=y', settable: false };
  }
  const refused = refusedBy(facts);
  if (refused !== null) return { what: refused, fix: sysrqFix(facts), settable: true };
  const digits = mask === 1 || facts.alwaysEnabled || (mask & ENABLE_LOG) !== 0;
  if (digits || (loglevel ?? 0) >= SHOWS_BODIES) return null;
  const what = `kernel.sysrq=${mask} lacks bit ${ENABLE_LOG}, loglevel ${loglevel ?? '?'} hides dumps`;
  return { what, fix: sysrqFix(facts), settable: true };
}

interface Armed {
  /** Its dumps will be seen. */
  yes: boolean;
  /** What keeps them from being seen; null if nothing does. */
  gap: string | null;
  /** `yes`, or `no:` with the exact gap. */
  says: string;
}

/** Whether its dumps will be seen, or null if that is not known. */
export function armed({ facts, heard, problem, fix }: ArmingState): Armed | null {
  const no = (why: string): Armed => ({ yes: false, gap: why, says: `no: ${why}` });
  const gap = facts === null ? null : gapIn(facts);
  if (gap !== null) return no(`${gap.what}${fix === null ? '' : ` (${fix})`}`);
  if (problem !== null) return no(problem);
  if (heard === false) return no('Alt+SysRq+h brings no HELP to the console');
  if (heard === null || facts === null || facts.sysrqMask === null) return null;
  return { yes: true, gap: null, says: fix === null ? 'yes' : `yes: ${fix}` };
}
