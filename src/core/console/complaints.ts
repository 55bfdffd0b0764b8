/**
 * What a kernel, or a boot that gave up, says when it is worth a look at once. Wording of Linux 4.14 to 6.18 (see the
 * golden line of each row in the tests). Patterns begin at the text behind the printk prefix, so that a program that
 * quotes a complaint within its own line is not one.
 */
import { stripPrintk } from './printk.js';

export type ComplaintKind =
  | 'hung_task'
  | 'rcu_stall'
  | 'soft_lockup'
  | 'hard_lockup'
  | 'workqueue_lockup'
  | 'panic'
  | 'oops'
  | 'emergency';

export interface Complaint {
  kind: ComplaintKind;
  /** How long the kernel says that it has lasted. */
  seconds: number | null;
}

const WATCHDOG = '(?:NMI )?(?:watchdog: )?(?:CPU\\d+: )?';

const ROWS: readonly (readonly [kind: ComplaintKind, pattern: RegExp])[] = [
  ['hung_task', /^INFO: task .{1,64}:\d+ blocked (?:in I\/O wait )? *for more than (?<seconds>\d+) seconds/],
  ['rcu_stall', /^(?:rcu: )?INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stalls? on /],
  ['rcu_stall', /^rcu: rcu_\w+ kthread (?:starved|timer wakeup didn't happen) for \d+ jiffies/],
  ['soft_lockup', new RegExp(`^${WATCHDOG}BUG: soft lockup - CPU#\\d+ stuck for (?<seconds>\\d+)s!`)],
  ['hard_lockup', new RegExp(`^${WATCHDOG}Watchdog detected hard LOCKUP on cpu \\d+`)],
  ['workqueue_lockup', /^BUG: workqueue lockup - pool .{1,128} stuck for (?<seconds>\d+)s!/],
  ['panic', /^Kernel panic - not syncing: /],
  ['oops', /^BUG: (?:unable to handle (?:kernel|page fault)|kernel NULL pointer dereference)/],
  ['oops', /^Oops: .{1,160}\[#\d+\]/],
  ['oops', /^(?:Internal error: .{1,160}\[#\d+\]|Unable to handle kernel )/],
  ['oops', /^(?:general protection fault|stack segment|divide error|invalid opcode)\b.{0,160}\[#\d+\]/],
  ['oops', /^kernel BUG at \S+:\d+!/],
  ['emergency', /^You are in (?:emergency|rescue) mode\b/],
  ['emergency', /^Give root password for (?:system )?maintenance/],
  ['emergency', /^Cannot open access to console, the root account is locked/],
  ['emergency', /^Entering emergency mode\. Exit the shell to continue/],
  ['emergency', /^ALERT! .{0,200}Dropping to a shell!/],
  ['emergency', /^An error occurred in stage [12] of the boot process/],
];

/** Nearly every line of a healthy console stops at this one test. */
const MAYBE =
  /^(?:INFO|rcu|NMI|watch|Watch|BUG|CPU|Kernel|Oops|Intern|Unable|gener|stack|divi|inval|kernel|You|Give|Cann|Enter|ALERT|An )/;

/** What this cleaned line complains of, or null. */
export function complaintIn(line: string): Complaint | null {
  const { text } = stripPrintk(line);
  if (!MAYBE.test(text)) return null;
  for (const [kind, pattern] of ROWS) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const seconds = found.groups?.['seconds'];
    return { kind, seconds: seconds === undefined ? null : Number(seconds) };
  }
  return null;
}
