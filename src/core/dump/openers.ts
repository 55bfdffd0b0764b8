/**
 * The lines that open, close or spoil a dump. Sources: drivers/tty/sysrq.c, kernel/hung_task.c, kernel/rcu/tree_stall.h,
 * kernel/watchdog.c, kernel/panic.c, die() of arch/<name>/kernel/traps.c.
 */
import type { Blocker, DumpKey } from '../model.js';

export interface Report {
  comm: string;
  pid: number;
  seconds: number;
}

export type Opener =
  | { type: 'section'; key: DumpKey }
  | { type: 'fence' }
  | { type: 'level'; level: number }
  | { type: 'other-sysrq' }
  | { type: 'hung'; report: Report }
  | { type: 'blocker'; blocker: Blocker }
  | { type: 'lost'; messages: number }
  | { type: 'boot' };

/** The tag was `SysRq : ` before 4.20, and `sysrq: SysRq : ` for a while around it. */
const SYSRQ = /^(?:sysrq: )?(?:sysrq: |SysRq ?: )(.*)$/;

const SYSRQ_HEADERS: readonly (readonly [prefix: string, key: DumpKey])[] = [
  ['Show Blocked State', 'w'],
  ['Show State', 't'],
  ['Show backtrace of all active CPUs', 'l'],
  ['Show CPUs', 'l'],
  ['Show Memory', 'm'],
  ['Show Regs', 'p'],
  ['Show Locks Held', 'd'],
  ['Show clockevent devices', 'q'],
];

const CPU_OF_SYSRQ = /^CPU\d+:/;
const WATCHDOG = '(?:NMI )?(?:watchdog: )?(?:CPU\\d+: )?';

/** Reports the kernel makes by itself, anchored so that prose about them does not match. */
const COMPLAINTS: readonly (readonly [pattern: RegExp, key: DumpKey])[] = [
  [/^Kernel panic(?: - not syncing)?:? /, 'panic'],
  [/^(?:rcu: )?INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stalls? /, 'rcu_stall'],
  [new RegExp(`^${WATCHDOG}BUG: soft lockup (?:- CPU#\\d+|detected on CPU)`), 'lockup'],
  [new RegExp(`^${WATCHDOG}Watchdog detected (?:hard )?LOCKUP`), 'lockup'],
  // powerpc
  [/^watchdog: CPU \d+ (?:self-)?detected hard LOCKUP/, 'lockup'],
  // the same until 4.16
  [/^Watchdog CPU:\d+ (?:detected )?Hard LOCKUP/, 'lockup'],
  [/^BUG: workqueue lockup\b/, 'lockup'],
  [/^(?:BUG: (?:unable to handle|kernel NULL pointer)|(?:CPU \d+ )?Unable to handle kernel )/, 'oops'],
  [/^(?:Oops(?: - .{1,40})?: |Oops\[|Internal error: |general protection fault|kernel BUG at )/, 'oops'],
  [/^(?:PANIC: )?double fault/, 'oops'],
  // die() counts: `divide error: 0000 [#1]`, `specification exception: 0006 ilc:2 [#1]`, `Kernel bug detected[#1]:`
  [/^[A-Za-z][\w, -]{2,60}: (?:0x)?[0-9a-f]{1,8}(?: ilc:\d)? ?\[#\d+\]/, 'oops'],
  [/^Kernel (?:bug detected|BUG) ?\[#\d+\]/, 'oops'],
];

const NAME = '(.{1,64}):(\\d{1,10})';
const HUNG = new RegExp(
  `^INFO: task ${NAME} (?:is )?blocked (?:in I/O wait )?for more than (\\d{1,10})(?: seconds|$)`,
);
const BLOCKER = new RegExp(
  `^INFO: task ${NAME} (?:<\\w+> )?(?:is )?(?:<\\w+> )?blocked on an? ([\\w-]+) likely (?:owned|last held) by task ${NAME}\\b`,
);
const LOST = /^\*\* (\d+) printk messages dropped \*\*/;
const BOOT = /^Linux version \d/;
/** A cheap gate: nearly all lines of a dump are frames and stop here. */
const MAYBE =
  /^(?:sysrq: |SysRq|Kernel panic|rcu: |INFO: |NMI [Ww]|watchdog: |Watchdog|BUG: |CPU \d+ U|Unable to|Oops|Internal error|general prot|kernel BUG|PANIC|double |\*\* |Linux version)/;

/** What a line, prefixes already off, means for the dumps around it; null for nearly all lines. */
export function opener(text: string): Opener | null {
  if (!MAYBE.test(text) && !text.includes('[#')) return null;
  const said = SYSRQ.exec(text)?.[1];
  if (said !== undefined) return sysrq(said);
  const [, comm, pid, seconds] = HUNG.exec(text) ?? [];
  if (comm !== undefined)
    return { type: 'hung', report: { comm, pid: Number(pid), seconds: Number(seconds) } };
  const held = BLOCKER.exec(text);
  if (held) {
    const [, waiter = '', waiterPid, lock = '', owner = '', ownerPid] = held;
    const blocker = {
      waiter: { comm: waiter, pid: Number(waiterPid) },
      owner: { comm: owner, pid: Number(ownerPid) },
      lock,
    };
    return { type: 'blocker', blocker };
  }
  const lost = LOST.exec(text)?.[1];
  if (lost !== undefined) return { type: 'lost', messages: Number(lost) };
  if (BOOT.test(text)) return { type: 'boot' };
  const key = COMPLAINTS.find(([pattern]) => pattern.test(text))?.[1];
  return key === undefined ? null : { type: 'section', key };
}

function sysrq(said: string): Opener | null {
  if (said.startsWith('HELP : ')) return { type: 'fence' };
  const level = /^Loglevel set to (\d)/.exec(said)?.[1];
  if (level !== undefined) return { type: 'level', level: Number(level) };
  // An architecture without backtraces by NMI answers `l` so, a CPU after the other.
  if (CPU_OF_SYSRQ.test(said)) return null;
  const key = SYSRQ_HEADERS.find(([prefix]) => said.startsWith(prefix))?.[1];
  return key === undefined ? { type: 'other-sysrq' } : { type: 'section', key };
}
