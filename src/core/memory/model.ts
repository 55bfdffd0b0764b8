/** What the parts of core/memory/ hand to each other: a guest's RAM, its kernel, and what a snapshot of it holds. */
import type { Frame } from '../model.js';

/** Guest-physical memory. All of it is hostile: whatever is read from it is bounded by the reader. */
export interface Ram {
  /** Ascending, without overlap; `end` is behind the last byte. */
  readonly ranges: readonly { first: number; end: number }[];
  /** Fills `into` from the guest-physical address on. False where part of it is no RAM, or could not be read. */
  read(gpa: number, into: Uint8Array): boolean;
}

/** Kernel-virtual memory, by the kernel's own page tables. */
export interface AddressSpace {
  /** The guest-physical address, or null where nothing is mapped. */
  translate(va: bigint): number | null;
  /** Fills `into` from the address on. False where part of it is not mapped, or could not be read. */
  read(va: bigint, into: Uint8Array): boolean;
  /** Forgets what the page tables said: before each snapshot. */
  forget(): void;
}

/** Where a symbol lies, as `%pB` prints it. */
export interface Located {
  name: string;
  offset: number;
  size: number;
}

export interface Symbols {
  /** The address of the first symbol of this name; null where there is none. */
  address(name: string): bigint | null;
  /** The symbol that holds the address. For a return address ask for the byte before it. */
  at(va: bigint): Located | null;
}

/** Offsets and sizes of the kernel's structures, in bytes. */
export interface Layouts {
  readonly by: 'btf' | 'learned';
  /** Of a member by its dotted path, through anonymous structs; the first of `a|b` that exists. */
  offset(struct: string, path: string): number | null;
  size(struct: string): number | null;
  /** How wide a member is: on_cpu has four bytes up to 6.12 and one in 7.2. */
  memberSize(struct: string, path: string): number | null;
}

/** How the kernel was found, in words for people: `its note`, `a vCPU's page tables`; `BTF`, `learned from its tasks`. */
export interface HowFound {
  kernel: 'kept note' | 'note' | 'page tables of a vCPU';
  types: Layouts['by'];
  stacks: 'orc' | 'frame records';
}

/** What guests of one kernel build share, kept while a few builds are. */
export interface Builds {
  /**
   * What `make` made of the same bytes before, or makes of them now; `make` is a constant function. The bytes are
   * compared, not a name of the build: a guest that lies about its build deceives nobody but itself.
   */
  share<T>(make: (parts: readonly Uint8Array[]) => T, parts: readonly Uint8Array[]): T;
}

/** Constant for a boot. What is constant for a build as well is shared between guests by `buildId`. */
export interface Kernel {
  readonly arch: 'x86-64' | 'arm64';
  /** `uname -r` */
  readonly release: string;
  /** Hexadecimal; null where no note tells. */
  readonly buildId: string | null;
  readonly how: HowFound;
  /** Of the VMCOREINFO note: where to look first the next time. */
  readonly noteAt: number | null;
  readonly ram: Ram;
  /** For what else is constant for a build, as unwind tables are. */
  readonly builds: Builds;
  readonly space: AddressSpace;
  readonly symbols: Symbols;
  readonly layouts: Layouts;
  /** Of the kernel image. */
  readonly text: { first: bigint; end: bigint };
  /** VMCOREINFO's OFFSET(), SIZE(), NUMBER() and SYMBOL() lines, by their whole left side; empty without a note. */
  readonly note: ReadonlyMap<string, bigint>;
  /**
   * Objects of the kernel that KALLSYMS_ALL=n hides, found by their shape where there is no symbol: init_task, modules,
   * prb, __start_orc_unwind_ip, __stop_orc_unwind_ip, __start_orc_unwind. Ask this before `symbols`. Of prb it is the
   * struct printk_ringbuffer itself, where the symbol is a pointer to it.
   */
  object(name: string): bigint | null;
  /** Where the direct map of all RAM begins, and the array of struct page; null where that is not known. */
  readonly pageOffset: bigint | null;
  readonly vmemmap: bigint | null;
}

/** From QEMU's `info registers -a`, one a vCPU. */
export interface VcpuRegisters {
  vcpu: number;
  /** Those that x86 names in lower case without their width: ax, bx … r15, ip, sp, bp. arm64: x0 …, sp, pc. */
  general: Readonly<Record<string, bigint>>;
  cr3: bigint | null;
  cr4: bigint | null;
  gdt: bigint | null;
  gs: bigint | null;
  user: boolean;
  halted: boolean | null;
  interruptsOff: boolean | null;
}

/** Why an unwinder stopped: `user` and `end` are proper ends, all else is a broken stack and says why. */
export interface StackEnd {
  proper: boolean;
  /** `user`, `end`, or a phrase such as `its frames leave the stack`. */
  why: string;
}

export interface MemoryFrame extends Frame {
  ip: bigint;
  /** Where its words on the stack begin; the next frame's begin where they end. */
  sp: bigint;
  /** Whether the instruction before it is a call; null for the innermost one, an interrupt's, and other architectures. */
  called: boolean | null;
}

export interface MemoryTask {
  address: bigint;
  comm: string;
  pid: number;
  tgid: number;
  /** Null where its parent was not among the tasks. */
  ppid: number | null;
  /** As SysRq prints it. */
  state: string;
  /** PF_ flags. */
  flags: number;
  kernelThread: boolean;
  /** The CPU it is on, or was on last. */
  cpu: number | null;
  onCpu: boolean;
  /** Since it was last on a CPU, by the scheduler's clock; null where that is not known, 0 while it is on one. */
  offCpuSeconds: number | null;
  /** It could run, and waits for a CPU. */
  queued: boolean;
  /** Context switches in its life, both kinds. */
  switches: number;
  /** Where the task is in user mode or in a system call: its number and arguments; null for kernel threads, exceptions. */
  syscall: { number: number; args: bigint[] } | null;
  frames: MemoryFrame[];
  end: StackEnd;
  /** How often it was read, until it had not run meanwhile. */
  tries: number;
  /** It ran while it was read, three times over. */
  torn: boolean;
  /** A copy of its stack from `base` upwards; null where it has none, or is on a CPU. */
  stack: { base: bigint; bytes: Uint8Array } | null;
  /** task_struct.blocker and blocked_on, where the kernel has them; 0n: none. */
  blocker: bigint | null;
  blockedOn: bigint | null;
}

export interface MemoryCpu {
  cpu: number;
  vcpu: number | null;
  /** The task there; null where that could not be read. */
  task: MemoryTask | null;
  idle: boolean;
  /** In user mode, by its registers; null without them. */
  user: boolean | null;
  interruptsOff: boolean | null;
  frames: MemoryFrame[];
  end: StackEnd;
}

export interface Snapshot {
  kernel: Kernel;
  /** Whole lists, each task read steadily, each stack with a proper end. */
  complete: boolean;
  incompleteBecause: string[];
  /** The scheduler's clock, seconds since the boot: that of dmesg. */
  clock: number;
  tasks: MemoryTask[];
  cpus: MemoryCpu[];
}
