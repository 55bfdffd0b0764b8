/**
 * Stacks of kernels that keep frame pointers: each frame begins with the address of the next record and a return address
 * (arch/arm64/kernel/stacktrace.c, arch/x86/kernel/unwind_frame.c).
 */
import type { Code } from './code.js';
import type { Kernel } from './model.js';
import { X86_REGS } from './pt-regs.js';
import type { StackWords } from './stack-words.js';
import { brokenEnd, frameAt, FRAMES_MAX, properEnd, type Start, type Trace } from './unwind.js';

/** The frame pointer in `bp`; `ip` is not in a record yet. */
export function unwindRecords(code: Code, words: StackWords, start: Start): Trace {
  const meta = metaOf(code.kernel);
  const trace: Trace = { frames: [], end: brokenEnd('its frames do not end'), userRegs: null };
  let next: Next = { ip: start.ip, fp: start.bp, signal: start.signal };
  while (trace.frames.length < FRAMES_MAX) {
    const ip = code.kernel.arch === 'arm64' ? withoutPac(code.kernel, next.ip) : next.ip;
    trace.frames.push(frameAt(next.signal ? code.at(ip) : code.after(ip), ip, next.fp));
    const step = code.kernel.arch === 'arm64' ? armStep(words, next.fp, meta) : x86Step(words, next.fp);
    if ('end' in step) return { ...trace, ...step };
    if (!step.signal && step.fp !== 0n && step.fp <= next.fp) {
      // Interrupts have stacks of their own, so a record may lie below; it is then the last that is believed.
      if (step.fp > next.fp - 0x4000n) return { ...trace, end: brokenEnd('its frames go back') };
    }
    next = step;
  }
  return trace;
}

interface Next {
  ip: bigint;
  fp: bigint;
  signal: boolean;
}
type Step = Next | Pick<Trace, 'end' | 'userRegs'>;

const ended = (userRegs: bigint | null): Step => ({
  end: properEnd(userRegs === null ? 'end' : 'user'),
  userRegs,
});
const broken = (why: string): Step => ({ end: brokenEnd(why), userRegs: null });

function x86Step(words: StackWords, fp: bigint): Step {
  if (fp === 0n) return ended(null);
  if ((fp & 1n) === 1n) {
    // An entry into the kernel marks its registers so.
    const base = fp & ~1n;
    const register = (name: keyof typeof X86_REGS) => words.word(base + BigInt(X86_REGS[name]));
    const [ip, bp, cs] = [register('ip'), register('bp'), register('cs')];
    if (ip === null || bp === null || cs === null) return broken('its registers leave the stack');
    return (cs & 3n) === 3n ? ended(base) : { ip, fp: bp, signal: true };
  }
  const bp = words.word(fp);
  const ip = words.word(fp + 8n);
  if (bp === null || ip === null) return broken('its frames leave the stack');
  if (ip === 0n) return broken('a frame returns to nowhere');
  return { ip, fp: bp, signal: false };
}

/** struct frame_record_meta, since 6.14: what ends a stack, or holds registers, says so. */
interface Meta {
  /** From a record to its type. */
  type: bigint;
  /** From a record to the struct pt_regs that it lies in, and from there to fp and pc. */
  regs: bigint;
  pc: bigint;
  pstate: bigint;
}
const META_FINAL = 1n;
const META_PT_REGS = 2n;

function metaOf({ arch, layouts }: Kernel): Meta | null {
  if (arch !== 'arm64') return null;
  const record = layouts.offset('pt_regs', 'stackframe');
  const type = layouts.offset('pt_regs', 'stackframe.type');
  const pc = layouts.offset('pt_regs', 'pc');
  const pstate = layouts.offset('pt_regs', 'pstate');
  if (record === null || type === null || pc === null || pstate === null) return null;
  return { type: BigInt(type - record), regs: BigInt(record), pc: BigInt(pc), pstate: BigInt(pstate) };
}

function armStep(words: StackWords, fp: bigint, meta: Meta | null): Step {
  const next = words.word(fp);
  const lr = words.word(fp + 8n);
  if (next === null || lr === null) return broken('its frames leave the stack');
  if (next !== 0n || lr !== 0n) {
    if (lr === 0n) return broken('a frame returns to nowhere');
    return { ip: lr, fp: next, signal: false };
  }
  const type = meta === null ? META_FINAL : words.word(fp + meta.type);
  if (meta === null || type === META_FINAL) return ended(null);
  if (type !== META_PT_REGS) return broken('its frames end in a record of no known kind');
  const base = fp - meta.regs;
  const [pc, bp, pstate] = [
    words.word(base + meta.pc),
    words.word(base + 8n * 29n),
    words.word(base + meta.pstate),
  ];
  if (pc === null || bp === null || pstate === null) return broken('its registers leave the stack');
  return (pstate & 0xfn) === 0n ? ended(base) : { ip: pc, fp: bp, signal: true };
}

/** The bits of a pointer's signature, in a return address of the kernel. */
function withoutPac({ note, text }: Kernel, va: bigint): bigint {
  if (va >= text.first && va < text.end) return va;
  const mask = note.get('NUMBER(KERNELPACMASK)');
  if (mask !== undefined) return BigInt.asUintN(64, va | mask);
  // Bit 55 says which half; addresses of code have all bits above 48 set.
  return ((va >> 55n) & 1n) === 1n ? va | 0xffff_0000_0000_0000n : va;
}
