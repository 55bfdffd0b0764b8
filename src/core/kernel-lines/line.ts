import type { DumpKey, DumpSysrqKey } from '../model.js';

/** What the daemon takes for a reason to look at a guest at once. */
export type ComplaintKind =
  | 'hung_task'
  | 'rcu_stall'
  | 'soft_lockup'
  | 'hard_lockup'
  | 'workqueue_lockup'
  | 'panic'
  | 'oops'
  | 'emergency';

/**
 * What the kernel's SysRq handler says. `dump` is one of no key that we press; `cpu` is a piece of `l` on machines
 * without backtraces by NMI.
 */
type Answer =
  { type: 'header'; key: DumpSysrqKey } | { type: 'help' | 'level' | 'refused' | 'dump' | 'cpu' | 'other' };

/** One row of the vocabulary: a line by which a kernel is recognised, and what it means to each reader. */
export interface KernelLine {
  /** How the line begins behind its prefixes, in every wording. The gate before the rows is made of these. */
  heads: readonly string[];
  /** For a line that may begin with anything (`heads` is then `['']`): what it always holds. */
  holds?: string;
  /** What must follow the head. Named groups are fields for the readers. */
  rest?: RegExp;
  /** A complaint is filed whatever the dumps show: mind who else could print such a line. */
  complaint?: ComplaintKind;
  /** Programs print words of this form too: it is a complaint only behind a printk stamp. */
  stamped?: true;
  /** The dump that it opens, or what it says of the dump around it. */
  dump?: Exclude<DumpKey, 'none'> | 'blocker' | 'refusal' | 'lost';
  answer?: Answer;
  /** Who says that a boot begins. */
  boot?: 'firmware' | 'kernel';
  /** It is part of a kernel's report, and so no news. Complaints and answers are none anyway. */
  report?: true;
  /** One a wording. The test of the vocabulary says of each what every reader makes of it. */
  examples: readonly [string, ...string[]];
}
