/** A task with its frames. */
import type { Captured } from './capture.js';
import { offCpuSeconds, type GuestTime } from './clock.js';
import { unwindRecords } from './frame-records.js';
import { KeptReturns } from './kept-returns.js';
import type { MemoryTask, VcpuRegisters } from './model.js';
import { syscallOf, X86_REGS } from './pt-regs.js';
import type { Reader } from './reader.js';
import { LiveWords, type StackCopy, type StackWords } from './stack-words.js';
import type { RawTask } from './tasks.js';
import { brokenEnd, properEnd, unwindOrc, type Start, type Trace } from './unwind.js';

const KERNEL_THREAD = 0x0020_0000;
const KTHREADD = 2;

/** `ppid`: of its parent, null where that is not known. */
export function memoryTask(
  reader: Reader,
  { raw, stack, tries, torn }: Captured,
  time: GuestTime,
  ppid: number | null,
): MemoryTask {
  const trace = sleepingTrace(reader, raw, stack, torn);
  const kernelThread =
    reader.layout.flags === null
      ? raw.pid === KTHREADD || ppid === KTHREADD
      : (raw.flags & KERNEL_THREAD) !== 0;
  // Written out: spread objects made this the slowest part of a snapshot.
  return {
    address: raw.address,
    comm: raw.comm,
    pid: raw.pid,
    tgid: raw.tgid,
    ppid,
    state: raw.state,
    flags: raw.flags,
    kernelThread,
    cpu: raw.cpu,
    onCpu: raw.onCpu,
    offCpuSeconds: offCpuSeconds(raw, time),
    queued: isQueued(raw),
    switches: raw.switches,
    syscall: stack === null ? null : entrySyscall(reader, stack, trace),
    frames: trace.frames,
    end: trace.end,
    tries,
    torn,
    stack: stack === null ? null : { base: stack.base, bytes: stack.bytes },
    blocker: raw.blocker,
    blockedOn: raw.blockedOn,
  };
}

function isQueued({ onCpu, onRq, lastQueued, state }: RawTask): boolean {
  if (onCpu) return false;
  return lastQueued === null ? onRq && state === 'R' : lastQueued !== 0;
}

function entrySyscall({ kernel }: Reader, words: StackWords, { userRegs }: Trace): MemoryTask['syscall'] {
  return userRegs === null ? null : syscallOf(kernel, words, userRegs);
}

const nothing = (end: Trace['end']): Trace => ({ frames: [], end, userRegs: null });

function sleepingTrace(reader: Reader, raw: RawTask, stack: StackCopy | null, torn: boolean): Trace {
  if (torn) return nothing(brokenEnd('it ran while it was read'));
  if (stack !== null) {
    const start = reader.kernel.arch === 'arm64' ? armStart(raw) : x86Start(reader, raw, stack);
    return start === null
      ? nothing(brokenEnd('its stack is too short'))
      : proved(unwind(reader, stack, start, raw.address));
  }
  if (raw.onCpu) return nothing(brokenEnd('it runs'));
  // A zombie's stack is freed.
  return nothing(raw.stack === 0n ? properEnd('end') : brokenEnd('its stack cannot be read'));
}

/** struct inactive_task_frame: r15 r14 r13 r12 bx bp return address. */
const SAVED_BP = 40n;
const SAVED_RETURN = 48n;
const SAVED = 56n;

function x86Start({ forkReturns }: Reader, { sp }: RawTask, stack: StackCopy): Start | null {
  const ip = stack.word(sp + SAVED_RETURN);
  const bp = stack.word(sp + SAVED_BP);
  if (ip === null || bp === null) return null;
  return { ip, bp, sp: sp + SAVED, signal: forkReturns.includes(ip), registers: null };
}

function armStart({ sp, fp, pc }: RawTask): Start {
  return { ip: pc, bp: fp, sp, signal: false, registers: null };
}

/** `task`: whose stack it is; null where that is not known. */
function unwind(
  { kernel, code, trampolines }: Reader,
  words: StackWords,
  start: Start,
  task: bigint | null,
): Trace {
  if (kernel.arch === 'x86-64' && code.orc !== null)
    return unwindOrc(code, words, X86_REGS, start, new KeptReturns(kernel, trampolines, task));
  return unwindRecords(code, words, start);
}

/** A return address that no call leads to is a leftover, or was put there by a tracer. */
function proved(trace: Trace): Trace {
  const unproved = trace.frames.find(({ called }) => called === false);
  if (unproved === undefined || !trace.end.proper) return trace;
  return { ...trace, end: brokenEnd(`no call leads to ${unproved.symbol}`) };
}

/** Of a vCPU in the kernel. Registers and stack are of two moments: only one that proves itself is proper. */
export function runningTrace(
  reader: Reader,
  { general, user }: VcpuRegisters,
): Trace & { syscall: MemoryTask['syscall'] } {
  if (user) return { ...nothing(properEnd('user')), syscall: null };
  const arm = reader.kernel.arch === 'arm64';
  const [ip, sp, bp] = [general[arm ? 'pc' : 'ip'], general['sp'], general[arm ? 'x29' : 'bp']];
  if (ip === undefined || sp === undefined || bp === undefined)
    return { ...nothing(brokenEnd('its registers are not known')), syscall: null };
  const words = new LiveWords(reader.kernel.space);
  const trace = proved(unwind(reader, words, { ip, sp, bp, signal: true, registers: general }, null));
  return { ...trace, syscall: trace.end.proper ? entrySyscall(reader, words, trace) : null };
}
