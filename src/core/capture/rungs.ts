/** A way to get evidence out of a guest, tried in this order. */
export type RungName =
  | 'send-key' // Alt+SysRq on the emulated keyboard
  | 'sysrq-trigger' // the same keys over SSH
  | 'input-send-event' // the same keyboard, without QEMU's queue
  | 'second-keyboard'
  | 'registers' // of all vCPUs, sampled
  | 'inject-nmi'
  | 'memory-dump';

/** What came of one of them. */
export interface CaptureRung {
  rung: RungName;
  outcome: 'worked' | 'failed' | 'skipped';
  /** One phrase: what it brought, or why it did not or was not tried. */
  detail: string;
}
