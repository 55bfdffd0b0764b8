/** Ways to get evidence out of a guest, tried in this order. */
export const RUNG_NAMES = [
  'send-key', // Alt+SysRq on the emulated keyboard
  'sysrq-trigger', // the same keys over SSH
  'input-send-event', // the same keyboard, without QEMU's queue
  'second-keyboard',
  'console', // BREAK or ^O on the guest's console, and the key behind it
  'registers', // of all vCPUs, sampled
  'inject-nmi',
  'memory-dump',
] as const;

export type RungName = (typeof RUNG_NAMES)[number];

/** What came of one of them. */
export interface CaptureRung {
  rung: RungName;
  outcome: 'worked' | 'failed' | 'skipped';
  /** One phrase: what it brought, or why it did not or was not tried. */
  detail: string;
}
