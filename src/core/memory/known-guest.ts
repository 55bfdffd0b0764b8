/** A guest whose memory is read again and again: its kernel is found once a boot. */
import type { SampleAnswer, SnapshotAnswer } from './answers.js';
import type { RamWay } from '../model.js';
import { isRunning } from './by-note.js';
import { memoryDump } from './dump.js';
import { openKernel } from './kernel.js';
import type { Builds, Kernel, Ram, Snapshot, VcpuRegisters } from './model.js';
import { KernelNotFound } from './not-found.js';
import { readLog } from './printk.js';
import { sampleKernel } from './sample-kernel.js';
import { Sampler } from './sampler.js';
import { takeSnapshot } from './snapshot.js';
import { memoryText } from './text.js';

/** What of a note is kept to know it by: its release, its build and where this boot put the kernel. */
const NOTE_BYTES = 4_096;
/** A guest without a Linux kernel is not searched all the time; seconds. */
const AGAIN_FIRST = 5;
const AGAIN_MOST = 600;
/** The clock of a boot never goes back by more than its CPUs differ; seconds. */
const CLOCK_BACK = 5;

export class KnownGuest {
  private kernel: Kernel | null = null;
  private note: Uint8Array | null = null;
  private sampler = new Sampler();
  private clock = 0;
  /** Of the last sample. */
  private sampledClock: number | null = null;
  private failed: { why: string; until: number; pause: number } | null = null;

  constructor(
    private readonly ram: Ram,
    private readonly builds: Builds,
    /** Where the note of its kernel was, if that is known from before. */
    private noteAt: number | null = null,
  ) {}

  /**
   * The kernel that runs in it now, or why none is found. `now`: of any steady clock, in seconds. After a failure it is
   * searched again only after a while.
   */
  kernelNow(registers: readonly VcpuRegisters[], now: number): Kernel | string {
    if (this.kernel !== null && this.stillRuns(this.kernel, registers)) return this.kernel;
    if (this.failed !== null && now < this.failed.until) return this.failed.why;
    this.forget();
    try {
      const { noteAt, ram, builds } = this;
      const kernel = openKernel(ram, { registers, noteAt, builds });
      this.kernel = kernel;
      this.noteAt = kernel.noteAt ?? noteAt;
      this.note = this.noteBytes(kernel);
      this.failed = null;
      return kernel;
    } catch (error) {
      if (!(error instanceof KernelNotFound)) throw error;
      const pause = Math.min(AGAIN_MOST, this.failed === null ? AGAIN_FIRST : this.failed.pause * 2);
      this.failed = { why: error.message, until: now + pause, pause };
      return error.message;
    }
  }

  /** `way`: how its RAM is read, for the dump. */
  snapshot(registers: readonly VcpuRegisters[], now: number, way?: RamWay): SnapshotAnswer {
    const taken = this.steadySnapshot(registers, now);
    if (typeof taken === 'string') return { ok: false, why: taken, fix: null, noKernel: true };
    const dump = memoryDump(taken, way);
    return { ok: true, dump, text: memoryText(dump), log: readLog(taken.kernel) };
  }

  /**
   * `registers` null: nobody asked for them. Then a clock that stands is no answer: it may be that of a kernel which a
   * reboot, or kexec, has left in memory.
   */
  sample(registers: readonly VcpuRegisters[] | null, now: number, standingForSeconds: number): SampleAnswer {
    const kernel = this.kernelNow(registers ?? [], now);
    if (typeof kernel === 'string') return { ok: false, why: kernel, fix: null };
    const answer = sampleKernel(kernel, this.sampler, standingForSeconds);
    const before = this.sampledClock;
    this.sampledClock = answer.ok ? answer.clock : null;
    if (registers === null && answer.ok && answer.clock === before)
      return { ok: false, why: 'the clock of its kernel stands', fix: null };
    return answer;
  }

  /** Until the next look: page tables change anyway, and those of many guests are much. */
  rest(): void {
    this.kernel?.space.forget();
  }

  /** Of a kernel that was rebooted since it was found, a snapshot is empty or its clock went back: then once more. */
  private steadySnapshot(registers: readonly VcpuRegisters[], now: number): Snapshot | string {
    for (const last of [false, true]) {
      const kernel = this.kernelNow(registers, now);
      if (typeof kernel === 'string') return kernel;
      const taken = takeSnapshot(kernel, { registers });
      const rebooted = taken.tasks.length === 0 || taken.clock + CLOCK_BACK < this.clock;
      if (!rebooted || last) {
        this.clock = taken.clock;
        return taken.tasks.length === 0 ? 'its kernel has no tasks' : taken;
      }
      this.forget();
    }
    return 'its kernel has no tasks';
  }

  private forget(): void {
    this.kernel = null;
    this.note = null;
    this.sampler = new Sampler();
    this.clock = 0;
    this.sampledClock = null;
  }

  private stillRuns(kernel: Kernel, registers: readonly VcpuRegisters[]): boolean {
    kernel.space.forget();
    if (!isOnCpu(kernel, registers)) return false;
    const init = kernel.object('init_task') ?? kernel.symbols.address('init_task');
    const comm = kernel.layouts.offset('task_struct', 'comm');
    const named = init !== null && comm !== null && kernel.space.read(init + BigInt(comm), nameRead);
    if (!named || !equal(nameRead, SWAPPER)) return false;
    return this.note === null || (this.readNote(kernel, noteRead) && equal(noteRead, this.note));
  }

  private noteBytes(kernel: Kernel): Uint8Array | null {
    const bytes = new Uint8Array(NOTE_BYTES);
    return this.readNote(kernel, bytes) ? bytes : null;
  }

  private readNote({ noteAt }: Kernel, into: Uint8Array): boolean {
    return noteAt !== null && this.ram.read(noteAt, into);
  }
}

/** Memory outlives a reboot: what lies there may be whole, and not be what runs. True where no registers tell. */
function isOnCpu({ arch, ram, space, text }: Kernel, registers: readonly VcpuRegisters[]): boolean {
  const at = arch === 'x86-64' ? space.translate(text.first) : null;
  return at === null || isRunning(ram, text.first, at, registers) !== false;
}

const SWAPPER = new TextEncoder().encode('swapper/0\0');
/** Every guest is asked each time: what is read for that is not kept. */
const nameRead = new Uint8Array(SWAPPER.length);
const noteRead = new Uint8Array(NOTE_BYTES);

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
