/** Who hinders a grace period: a CPU that stalls, a task that never leaves the kernel. */
import type { Confidence, Dump, Task } from '../model.js';
import { firmSymbols } from './frames.js';
import { wholeDump } from './whole-dump.js';

interface Found {
  task: Task;
  confidence: Confidence;
  reason: string;
}

/** They only run because the dump or the grace period made them. */
const NOT_MEANT = /^(?:swapper|rcu_|rcuo|rcub|rcuc|ksoftirqd|migration|khungtaskd|kworker\/\d+:\dH?-events)/;

/** Whom a stall report accuses, else the one task that runs in the kernel in the newest whole dump. */
export function rcuOwner(dumps: readonly Dump[]): Found | null {
  const report = dumps.findLast(({ key }) => key === 'rcu_stall' || key === 'lockup');
  const accused = report?.cpus.find(({ comm, pid, idle }) => comm !== null && pid !== null && !idle);
  if (accused && accused.comm !== null && !NOT_MEANT.test(accused.comm)) {
    const { comm, pid, frames } = accused;
    const task = { comm, pid, ppid: null, state: 'R', frames, workqueue: null, blockedForSeconds: null };
    return { task, confidence: 'medium', reason: 'the kernel reports that its CPU stalls' };
  }
  const all = wholeDump(dumps);
  const running = (all?.tasks ?? []).filter(
    (task) => task.state === 'R' && !NOT_MEANT.test(task.comm) && inKernel(task),
  );
  const [only] = running;
  return only && running.length === 1
    ? { task: only, confidence: 'low', reason: 'no other task runs in the kernel' }
    : null;
}

/** More than the interrupt that printed it. */
const inKernel = ({ frames }: Task): boolean =>
  firmSymbols(frames).some((name) => /^(?:entry_|do_syscall|el0|kthread$|ret_from_fork)/.test(name));
