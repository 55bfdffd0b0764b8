/** Whether a guest will print its dumps when asked. Bits of kernel.sysrq: include/linux/sysrq.h; 1 allows everything. */
import { SHOWS_BODIES } from '../dump/complete.js';
import type { GuestFacts } from '../model.js';

/** SYSRQ_ENABLE_LOG: the digits that raise the console's loglevel. */
const ENABLE_LOG = 2;
/** SYSRQ_ENABLE_DUMP: w, t and l. */
const ENABLE_DUMP = 8;

export const SYSRQ_FIX =
  'fix it in the guest: sysctl -w kernel.sysrq=1 (and in /etc/sysctl.d/ for the next boot), or boot with sysrq_always_enabled';

function refusedBy(mask: number | null): string | null {
  if (mask === null || mask === 1 || (mask & ENABLE_DUMP) !== 0) return null;
  return mask === 0 ? 'kernel.sysrq=0' : `kernel.sysrq=${mask} lacks bit ${ENABLE_DUMP}`;
}

/**
 * Why a guest that said so refuses its dumps. Where the mask is not known, that digits were allowed tells which of the
 * usual defaults it is.
 */
export function refusal(facts: GuestFacts | null, digitsAllowed: boolean): string {
  const likely = digitsAllowed ? "Debian's default 438" : "systemd's default 16";
  return refusedBy(facts?.sysrqMask ?? null) ?? `kernel.sysrq lacks bit ${ENABLE_DUMP}, as ${likely} does`;
}

/** `yes`, `no:` with the exact gap, or null where nothing could be read. */
export function armed(facts: GuestFacts | null): string | null {
  const mask = facts?.sysrqMask ?? null;
  if (facts === null || mask === null) return null;
  const refused = refusedBy(mask);
  if (refused !== null) return `no: ${refused}`;
  const hidden = mask !== 1 && (mask & ENABLE_LOG) === 0 && (facts.loglevel ?? 0) < SHOWS_BODIES;
  return hidden
    ? `no: kernel.sysrq=${mask} lacks bit ${ENABLE_LOG}, loglevel ${facts.loglevel ?? '?'} hides dumps`
    : 'yes';
}
