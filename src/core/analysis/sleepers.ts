/**
 * Tasks that sleep in S where none rests: what a guest hangs in if nothing is blocked in D. No more than a hint: each of
 * them may be waiting for something that will come. Where tasks usually rest is from the kernel's sources, 2.6 to 7.x.
 */
import type { Dump, Task, Verdict } from '../model.js';
import { isBenign, isIdleThread } from './benign.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { entryTextOf, firmSymbols } from './frames.js';
import { layerOf } from './layers.js';
import { whole } from './patterns.js';
import { frameName } from './phrases.js';
import { titled } from './stall-words.js';
import { lockWaited, waitOf } from './wait-kinds.js';
import { wholeIndex } from './whole-dump.js';

interface Odd {
  task: Task;
  /** For the title: `waiting for …`. */
  what: string;
  /** The lower, the odder. */
  rank: number;
}

interface Row {
  frame: RegExp;
  what: string;
}

/** Waits that somebody else has to end soon, and in which nobody rests. */
export const ODD_WAITS: readonly Row[] = [
  { frame: /^wait_port_writable$/, what: 'the host to take what it writes to a virtio port' },
  { frame: /^(?:wait_for_random_bytes|_*random_read_wait\w*)$/, what: 'random numbers' },
  { frame: /^(?:tty_wait_until_sent|uart_wait_until_sent|set_termios|hvc_\w*write\w*)$/, what: 'a terminal to send what was written' },
  { frame: /^(?:n_tty_write|tty_write|file_tty_write\w*|do_output_char)$/, what: 'a terminal to take its output' },
  { frame: /^unix_wait_for_peer$/, what: 'room in the socket of a program that does not read' },
  { frame: /^(?:pipe_write|anon_pipe_write|pipe_wait_writable)$/, what: 'the reader of a full pipe' },
  { frame: /^(?:wait_for_partner|fifo_open)$/, what: 'somebody to open the other end of a FIFO' },
  { frame: /^(?:futex_lock_pi\w*|rt_mutex_wait_proxy_lock)$/, what: 'a mutex of its program' },
  { frame: /^(?:xenbus_dev_request_and_reply|read_reply|xs_talkv|xs_wait_for_reply)$/, what: 'an answer of the Xen store' },
  { frame: /^(?:usb_start_wait_urb|usb_control_msg\w*|usb_bulk_msg)$/, what: 'a USB device' },
  { frame: /^(?:dma_fence_\w*wait\w*|dma_resv_wait\w*|drm_syncobj_\w*wait\w*)$/, what: 'a fence of the GPU' },
]; // prettier-ignore

/** Where programs and kernel threads rest until there is something to do. */
const RESTS = whole([
  // Events, time, signals, children.
  'ep_poll|do_epoll_\\w*wait|epoll_wait|sys_epoll_\\w*wait|do_select|core_sys_select|sys_select|do_poll|do_sys_poll|sys_poll|poll_schedule_timeout\\w*|do_pollfd',
  'do_nanosleep|hrtimer_nanosleep|common_nsleep\\w*|sys_nanosleep|sigsuspend|sys_rt_sigsuspend|do_sigtimedwait|sys_rt_sigtimedwait|_*do_sys_pause|sys_pause|do_pause',
  'do_wait\\w*|kernel_wait\\w*|sys_wait\\w*|_*do_sys_wait\\w*|do_freezer_trap|do_signal_stop|ptrace_stop\\w*|do_jobctl_trap|get_signal|do_restart_poll|wait_for_vfork_done',
  'eventfd_read|signalfd_\\w*read\\w*|timerfd_read\\w*|inotify_read|fanotify_read|userfaultfd_\\w*read\\w*|perf_read|read_events|aio_read_events\\w*|do_io_getevents|io_cqring_wait\\w*|_*io_cqring_\\w+|io_sq_thread|io_wqe?_worker|io_worker_\\w+|__io_getevents',
  // Something to read: sockets, pipes, terminals, input, logs.
  'inet_csk_\\w*accept\\w*|inet_accept|unix_accept|vsock_accept|_*sys_accept4?|_*skb_wait_\\w+|_*skb_recv_\\w+|sk_wait_data|unix_stream_read_generic|unix_stream_data_wait|unix_\\w+_recvmsg|tcp_recvmsg\\w*|tcp_data_wait|netlink_recvmsg|packet_recvmsg|vsock_\\w*recvmsg|wait_for_packet',
  '(?:anon_)?pipe_read\\w*|pipe_wait_readable|n_tty_read|tty_read|read_chan|evdev_read|mousedev_read|hidraw_read|uinput_read|joydev_read|do_syslog|syslog_print|devkmsg_read|kmsg_read|port_fops_read|wait_port_readable|rtc_dev_read|hwrng?_\\w*read|rng_dev_read|rfkill_fop_read|tun_\\w*read\\w*|tun_ring_recv|tap_do_read|cdev_\\w+read|snd_\\w+_read\\w*|vt_event_wait\\w*|vt_waitactive|lirc_read|proc_reg_poll|mon_bin_\\w+|usbdev_\\w+|proc_reapurb\\w*|reap_as',
  // The lock of a file may be held for as long as a program likes.
  'fcntl_setlk\\w*|do_lock_file_wait|(?:posix|flock|locks)_lock_inode_wait|flock_lock_file_wait|fuse_setlk',
  'do_msgrcv|do_semtimedop|_*do_semtimedop|sys_msgrcv|sys_sem\\w*op|do_mq_timedreceive|wq_sleep',
  // Servers of the kernel, and the programs that serve it.
  'fuse_dev_do_read|fuse_dev_\\w*read|autofs_\\w*read|nbd_ioctl|nbd_start_device\\w*|nbd_do_it|sock_xmit|_*sock_xmit|recv_work|svc_recv|nfsd|lockd|kvm_vcpu_(?:block|halt)\\w*|kvm_arch_vcpu_ioctl_run|vhost_\\w+|binder_\\w*(?:read|wait)\\w*|ubd_\\w+|loop_thread|cifs_demultiplex_thread|kernel_recvmsg|sock_recvmsg|ksmbd_\\w+|target_\\w+_thread|scsi_error_handler|kauditd_thread|rescuer_thread|worker_thread|kswapd|kcompactd|khugepaged|ksmd|jbd2_\\w*|kjournald2?|xfsaild|transaction_kthread|cleaner_kthread|md_thread|oom_reaper|hub_thread|rcu_\\w+|smpboot_thread_fn|kthread_worker_fn|irq_thread|kthreadd|migration_thread|napi_threaded_poll',
]);

/** glibc's mutex that somebody holds and others wait for, in a plain FUTEX_WAIT; conditions and joins use others. */
const CONTENDED = 2;
const FUTEX_WAIT = 0;
const FUTEX_COMMAND = 0x7f;

/** Seconds in one wait, where memory tells: who runs in between goes about its work. */
const LASTS = 2;
const OWN_ROW = 100;
const MOST_LISTED = 4;
/** Init adopts the children of others: those have nothing to do with each other. */
const INIT = 1;

/** Who sleeps where nobody rests, by the newest dump of all tasks. Null if every task is where it should be. */
export function sleeperVerdict(dumps: readonly Dump[]): Verdict | null {
  const index = wholeIndex(dumps);
  const dump = dumps[index];
  if (!dump) return null;
  const odd = [...dump.tasks.flatMap(oddIn), ...pipeReaders(dump.tasks)].sort((a, b) => a.rank - b.rank);
  const [first] = odd;
  if (!first) return null;
  const alike = odd.filter(({ what }) => what === first.what).length - 1;
  const others = odd.slice(1, 1 + MOST_LISTED).map(({ task, what }) => `${nameOf(task)} for ${what}`);
  const entry = entryTextOf(first.task);
  const frame = frameOf(first.task);
  return {
    title: titled(
      `${nameOf(first.task)} sleeps${entry === null ? '' : ` in ${entry}`} → waiting for ${first.what}`,
      frame === null ? '' : ` (${frame})`,
      alike === 0 ? '' : ` (+${alike} ${alike === 1 ? 'other' : 'others'})`,
    ),
    class: 'waiting',
    frame,
    confidence: 'low',
    culprit: frame === null ? null : { comm: first.task.comm, pid: first.task.pid, state: 'S', frame },
    reasons: [
      `${nameDump(dumps, index)}: nothing is blocked; ${nameOf(first.task)} sleeps in S where no task rests.`,
      lastsOf(first.task),
      ...(others.length === 0
        ? []
        : [`Others sleep oddly too: ${others.join(', ')}${odd.length > 1 + MOST_LISTED ? ' …' : ''}.`]),
      ...dump.incompleteBecause.map((why) => `${nameDump(dumps, index)}: ${why}.`),
    ],
    inferred: [],
  };
}

const lastsOf = ({ offCpuSeconds }: Task): string =>
  offCpuSeconds === undefined
    ? 'One dump cannot tell a wait that ends soon from one without end.'
    : `By memory it was last on a CPU ${offCpuSeconds} s before.`;

/** A wait in a lower function of the operation's names it better than the operation itself. */
function frameOf(task: Task): string | null {
  const names = firmSymbols(task.frames);
  return names.find((name) => ODD_WAITS.some(({ frame }) => frame.test(name))) ?? frameName(task.frames);
}

function oddIn(task: Task): Odd[] {
  if (task.state !== 'S' || task.frames.length === 0 || isBenign(task) || isIdleThread(task)) return [];
  if ((task.offCpuSeconds ?? LASTS) < LASTS) return [];
  const names = firmSymbols(task.frames);
  const row = ODD_WAITS.findIndex(({ frame }) => names.some((name) => frame.test(name)));
  const known = ODD_WAITS[row];
  if (known) return [{ task, what: known.what, rank: row }];
  const lock = lockWaited(task);
  if (lock) return [{ task, what: lock.what, rank: OWN_ROW }];
  if (waitsForMutex(task))
    return [{ task, what: 'a mutex of its program, which another thread holds', rank: OWN_ROW }];
  // What a kernel thread rests in has as many names as there are threads.
  const ofKernel = !names.some(isEntry);
  const wait = waitOf(task);
  if (ofKernel || wait?.kind === 'futex' || names.some((name) => RESTS.test(name))) return [];
  return [{ task, what: wait?.what ?? 'something that no other task waits for', rank: OWN_ROW + 1 }];
}

/** How a program comes into the kernel. */
const isEntry = (name: string): boolean =>
  layerOf(name) === 'entry' || /^(?:do_|x64_)?sys(?:call|enter)\w*$/.test(name);

/** Threads that have nothing to do wait for a condition. One that waits for a mutex has something to do. */
const waitsForMutex = ({ futex }: Task): boolean =>
  futex?.value === CONTENDED && (futex.operation & FUTEX_COMMAND) === FUTEX_WAIT;

/**
 * Two or more children of one task that only read from pipes, while it waits for them and nobody near them would write:
 * each waits for the others. The children of init have nothing to do with each other, unless they are of one program.
 */
function pipeReaders(tasks: readonly Task[]): Odd[] {
  const byPid = new Map(tasks.map((task) => [task.pid, task]));
  const children = new Map<number, Task[]>();
  for (const task of tasks) {
    const { ppid } = task;
    if (ppid === null) continue;
    const others = children.get(ppid);
    if (others) others.push(task);
    else children.set(ppid, [task]);
  }
  return [...children].flatMap(([pid, all]): Odd[] => {
    const parent = byPid.get(pid);
    if (!parent || waitOf(parent)?.kind !== 'child') return [];
    const readers = all.filter(
      (task) => readsPipe(task) && (children.get(task.pid ?? 0) ?? []).every(readsPipe),
    );
    const [first] = readers;
    const related =
      pid === INIT ? readers.every(({ comm }) => comm === first?.comm) : readers.length === all.length;
    return readers.length < 2 || !related
      ? []
      : readers.map((task) => ({
          task,
          what: 'somebody to write to its pipe, and all near it read',
          rank: OWN_ROW,
        }));
  });
}

const readsPipe = ({ state, frames }: Task): boolean =>
  state === 'S' && firmSymbols(frames).some((name) => /^(?:anon_)?pipe_read\w*$/.test(name));
