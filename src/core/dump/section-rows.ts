/** Lines within a dump that say what follows, and what the kinds of dump have in common. */
import type { DumpKey } from '../model.js';
import type { TaskHeader } from './task-header.js';

export const TRACE = /^(?:Call [Tt]race|Backtrace|Trace|Stack ?[Tt]race): *(.*)$/;
/** The stacks that follow are of others, who used the memory long ago (KASAN), or of a warning. */
export const OTHERS =
  /^(?:-{12}\[ cut here|(?:Allocated|Freed) by task |Last potentially related work creation:)/;
/** Android's kernels print a stack once. */
export const SAME = /^<Same stack as pid (\d{1,10})>/;
export const NOBODY: TaskHeader = { comm: '', pid: null, ppid: null, state: '?' };
/** Dumps of tasks: a CPU's backtrace within is no part of them. */
export const TASK_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't', 'none']);
export const LISTING_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't']);
/** Memory and timers: their lines are shown as they are. */
export const UNREAD_KEYS: ReadonlySet<DumpKey> = new Set(['m', 'q']);
export const CPU_KEYS: ReadonlySet<DumpKey> = new Set(['lockup', 'rcu_stall', 'oops', 'panic']);
