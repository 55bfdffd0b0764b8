/** What the host sees of a guest and does to it: keys, probes, looks. */

/** Letters and digits of Alt+SysRq that wedgewatch can express. The destructive ones are not in the type. */
export type SysrqKey = 'h' | DumpSysrqKey | LoglevelKey;
/** Those that are answered by a dump. */
export type DumpSysrqKey = 'w' | 't' | 'l' | 'm' | 'p' | 'd' | 'q';
export type LoglevelKey = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';

/** What one SSH probe found. `host-fault` says nothing about the guest: no ssh, no such host, no permission. */
export interface SshProbe {
  kind: 'ok' | 'refused' | 'timed-out' | 'host-fault';
  /** Where it ended; absent for an `ok`, and where that is not known. */
  step?: 'connect' | 'banner';
  detail: string;
  tookMs: number;
  /** It was given up while this host was late: it says nothing about the guest. */
  late?: true;
  /** Only QEMU's arguments told how to reach it: ssh does not know the guest, and nobody can log in. */
  way?: SshWay;
}

/** How a guest is reached that ssh does not know: as the arguments of its QEMU tell. */
export type SshWay = 'port' | 'vsock';

/** Why QMP could not be used, each with its own meaning for the verdict. */
export type QmpFault =
  | 'missing' // no socket, or nobody listens
  | 'busy' // another client holds it
  | 'no-greeting' // accepted, but QEMU never greets
  | 'main-loop-stuck' // greeted, then answers nothing
  | 'closed' // went away in the middle
  | 'timeout' // one command was not answered
  | 'protocol' // garbage, or too much of it
  | 'refused' // QEMU answered with an error
  | 'no-resources' // this host is short of descriptors or memory: accuses nobody, and passes
  | 'no-permission'
  | 'no-libvirt'; // libvirt cannot be asked: accuses nobody

/** Why a key could not be pressed. */
export type PressFault = QmpFault | 'ssh-failed' | 'no-keyboard';

/** What QMP said of the machine. */
export interface QmpView {
  /** As `query-status` names it: running, paused, io-error, guest-panicked … */
  runState: string;
  vcpus: Vcpu[];
  /** Sums over all block devices; null where there is none. */
  block: { reads: number; writes: number } | null;
  /** The same for each device. Older recordings lack it. */
  disks?: DiskCounters[];
}

/** Requests completed since QEMU began, and those that failed. */
export interface DiskCounters {
  name: string;
  reads: number;
  writes: number;
  flushes: number;
  failed: number;
}

export interface Vcpu {
  index: number;
  threadId: number;
  /** user + system time of the thread */
  cpuMs: number | null;
  /** How long the thread waited for a CPU of the host; absent where its kernel does not count it. */
  waitedMs?: number;
  /** Samples of its registers, milliseconds apart; absent where none were asked for or QEMU gave none. */
  samples?: CpuSample[];
}

/** From QEMU's `info registers`. */
export interface CpuSample {
  /** The program counter, hexadecimal. */
  pc: string;
  /** Waits for an interrupt; null where the architecture does not say. */
  halted: boolean | null;
  /** Runs a program, not the kernel; null as above. */
  user: boolean | null;
  /** Takes no interrupts; null as above. */
  masked: boolean | null;
  /** The function there, as function+0xoffset/0xsize; absent where that is not known. */
  symbol?: string;
}

/** One look from outside: harmless, takes milliseconds, presses nothing. */
export interface Look {
  qmp: ({ ok: true } & QmpView) | { ok: false; fault: QmpFault; detail: string; late?: true };
  /** The QEMU process; state is the letter of /proc/PID/stat. */
  qemu: { pid: number; state: string; blocked?: BlockedThread } | null;
  /** From QEMU's -append, for a kernel that was booted directly. */
  kernelCommandLine: string | null;
  /** Why the samples have no symbols although a System.map is configured. */
  noSymbols?: string;
  /** The file that QEMU writes the first serial console to, perhaps beside its standard output. */
  consoleFile?: string;
  /** Keys may be typed on the guest's console. Older records lack it. */
  typable?: boolean;
  /** The vhost-user devices of QEMU's command line with the server behind each. */
  shares: Share[];
}

/** A vhost-user device: what a process of the host, not QEMU, gives the guest. */
export interface Share {
  /** For people: the tag of a virtiofs, else the id of the device or of its character device. */
  tag: string;
  /** fs, blk, scsi, net …; absent in older recordings, which knew fs alone. */
  kind?: string;
  socket: string;
  server: {
    pid: number;
    comm: string;
    state: string;
    cpuMs?: number;
    waitedMs?: number;
    /** Where one of its threads stands in D. Older recordings lack it. */
    blocked?: BlockedThread;
  } | null;
  /** Absent in older recordings: ask `serverIs` of host/servers.ts. */
  serverIs?: ServerIs;
  /** Why it is unknown, as a clause. */
  because?: string;
}

/** A thread of the host in D. */
export interface BlockedThread {
  tid: number;
  /** Absent for D. Who asks a FUSE server waits in S. */
  state?: 'S';
  comm: string;
  /** It was not switched for so long, as looks show it; 0 where it was seen once. */
  forMs: number;
  /** The function it sleeps in; null where this user may not see it. */
  wchan: string | null;
  /** Functions, innermost first; only root may see them. */
  stack?: string[];
  /** Mounts of other machines that its process has files open on. */
  on: string[];
}

/** `running`: found, its state tells the rest; `gone`: proved; `unknown` speaks for nobody and against nobody. */
export type ServerIs = 'running' | 'gone' | 'unknown';

/** Read over SSH from a healthy guest, once a boot. Null: could not be read. */
export interface GuestFacts {
  /** kernel.sysrq */
  sysrqMask: number | null;
  /** console_loglevel, the first number of kernel.printk */
  loglevel: number | null;
  /** sysrq_always_enabled is on the kernel's command line: the mask does not count. */
  alwaysEnabled: boolean;
  /** kernel.hung_task_timeout_secs; 0 is off. */
  hungTaskSeconds: number | null;
  /** ID of /etc/os-release. */
  os: string | null;
  /** Where the kernel's text begins, hexadecimal; null where its user may not see that. */
  textAddress: string | null;
  /** Of the kernel's configuration those that are y or m among the ones asked for, without CONFIG_. */
  symbols: string[] | null;
}
