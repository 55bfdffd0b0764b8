/**
 * What a reader must know of a kernel's lines to put broken ones together: how those begin that have a known end, and
 * which lines are no rest of another.
 */
import { findKernelLine } from '../../kernel-lines/find.js';

interface Form {
  head: RegExp;
  /** Found in such a line only once all of it is there that anybody reads. */
  whole: RegExp;
}

const FORMS: readonly Form[] = [
  // kernel/hung_task.c; `seconds` may be missing where a mailer broke the line behind the number
  {
    head: /^INFO: task /,
    whole:
      /blocked .*for more than \d+ seconds|likely (?:owned|last held) by task .{1,64}:\d+|owner is not found/,
  },
  { head: /^"echo 0 >/, whole: /this message/ },
  { head: /^(?:Not tainted|Tainted: )/, whole: / #\d/ },
  // kernel/sched/core.c, since 5.10 and before
  { head: /^task:/, whole: /ppid: *\d/ },
  { head: /^\S.{0,14} +[RSDTtXZPI] +(?:running task +)?[0-9a-f]* *\d+ +\d*$/, whole: / 0x[0-9a-f]{8}/ },
  { head: /^\S.{0,14} +[RSDTtXZPI]$/, whole: / 0x[0-9a-f]{8}/ },
  // kernel/watchdog.c, kernel/workqueue.c
  {
    head: /^(?:(?:NMI )?watchdog: )?(?:BUG|WARN): soft lockup - CPU#/,
    whole: /stuck for \d+s! \[.{1,64}:\d+\]/,
  },
  { head: /^watchdog: CPU \d{1,5} self-detected hard LOCKUP @/, whole: / @ \S+\+0x/ },
  { head: /^BUG: workqueue lockup/, whole: /stuck for \d+s!/ },
  { head: /^(?:(?:NMI )?watchdog: )?Watchdog detected/, whole: /on cpu ?\d/i },
  { head: /^workqueue \S+:$/, whole: /flags=/ },
  { head: /^pwq \d+:/, whole: /refcnt=\d/ },
  { head: /^pool \d+:/, whole: /workers=\d/ },
  { head: /^(?:in-flight|pending|inactive|delayed):(?:.*,)?$/, whole: /[^,:]$/ },
  // kernel/rcu/tree_stall.h
  { head: /^(?:rcu: *)?INFO: rcu_/, whole: /stalls? on (?:CPUs?|tasks)(?!.*\{[^}]*$)/ },
  { head: /^(?:rcu: *)?\d{1,5}-[A-Za-z.?!\d]{3,6}: ?\(/, whole: /fqs=\d/ },
  { head: /^(?:rcu: *)?\((?:t=|detected by)/, whole: /[ (]q=\d/ },
  { head: /^(?:rcu: *)?rcu_\w+ kthread (?:starved|timer)/, whole: /->cpu=\d/ },
  { head: /^(?:rcu: *)?Tasks blocked on/, whole: /P\d+/ },
  // lib/dump_stack.c, lib/nmi_backtrace.c, arch
  { head: /^CPU: \d/, whole: /(?:Not tainted|Tainted: )/ },
  { head: /^Workqueue:/, whole: /^Workqueue: \S+ +\S/ },
  { head: /^RIP:/, whole: /^RIP: \S+:\S+/ },
  // arch/arm/kernel/traps.c
  { head: /^\[<[0-9a-f]{8}>\] \(\S{1,200}(?: \[[\w-]+\])?\) from\b/, whole: / from .*\)$/ },
  // kernel/locking/lockdep.c
  { head: /^#\d+: /, whole: /\bat: \S/ },
  { head: /^(?:(?:\d+|no) )?locks? held by/, whole: /\/\d+[:.]/ },
  { head: /^Showing /, whole: /:$/ },
];
const HEAD = new RegExp(FORMS.map(({ head }) => `(?:${head.source})`).join('|'));

/** Whether the line begins as one that has more to say than it does. */
export function isUnfinished(text: string): boolean {
  if (!HEAD.test(text)) return false;
  const form = FORMS.find(({ head }) => head.test(text));
  return form !== undefined && !form.whole.test(text);
}

const FRAME = /^(?:\[<?[0-9a-f]{1,16}>?\] *)*(?:\? *)?[A-Za-z_.$][\w.$]*\+0x[0-9a-f]+\/0x[0-9a-f]+/;
const MARK = /^(?:Call [Tt]race:|<\/?[A-Z]{2,6}>|task:)/;

const isFrame = (text: string): boolean => text.includes('+0x') && FRAME.test(text);

/** Whether a line can be nothing else than the beginning of a line. */
export const standsAlone = (text: string): boolean =>
  isFrame(text) || MARK.test(text) || findKernelLine(text) !== null;

const MODULE = /^\[[\w-]+(?: [0-9a-f]{8,64})?\]$/;
const BUILD_ID = /^[0-9a-f]{8,64}\]$/;
const ENDS_IN_PLACE = /\+0x[0-9a-f]+\/0x[0-9a-f]+$/;
const ENDS_IN_MODULE = /\+0x[0-9a-f]+\/0x[0-9a-f]+ \[[\w-]+$/;

/** A line that is empty behind its time, or only says that its function is a guess: the function comes below. */
export const awaitsFrame = (text: string): boolean => text === '' || text === '?';

/** A frame to which a module, or the build id of one, may belong. */
export const awaitsModule = (text: string): boolean =>
  text.includes('+0x') && (ENDS_IN_PLACE.test(text) || ENDS_IN_MODULE.test(text));

/** Whether `next` is sure to be the rest of what one of these two found. */
export function isRestOfFrame(text: string, next: string): boolean {
  if (awaitsFrame(text)) return isFrame(next);
  if (ENDS_IN_PLACE.test(text)) return MODULE.test(next);
  return ENDS_IN_MODULE.test(text) && BUILD_ID.test(next);
}

/** A header's last fields, which nobody reads, may stand in a line of their own. */
export const awaitsFlags = (text: string): boolean => text.startsWith('task:') && !text.includes('flags:0x');

export const isRestOfHeader = (text: string, next: string): boolean =>
  awaitsFlags(text) && /^(?:task_)?flags:0x/.test(next);
