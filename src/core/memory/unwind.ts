/** From where a stack begins to its end: by ORC (arch/x86/kernel/unwind_orc.c), else by frame records. */
import type { Code, Place } from './code.js';
import type { KeptReturns } from './kept-returns.js';
import type { MemoryFrame, StackEnd } from './model.js';
import { FRAME_POINTER_ENTRY, type OrcEntry } from './orc.js';
import type { PtRegs } from './pt-regs.js';
import type { StackWords } from './stack-words.js';

/** A stack of 16 KiB holds 2048 words; the deepest real ones have a hundred frames. */
export const FRAMES_MAX = 512;

export interface Trace {
  frames: MemoryFrame[];
  end: StackEnd;
  /** Where the registers lie that the task had in user mode. */
  userRegs: bigint | null;
}

/** Where unwinding begins. */
export interface Start {
  ip: bigint;
  sp: bigint;
  bp: bigint;
  /** The address is that of an instruction, not of one behind a call. */
  signal: boolean;
  /** A vCPU's, by their names in VcpuRegisters. */
  registers: Readonly<Record<string, bigint>> | null;
}

export const properEnd = (why: 'user' | 'end'): StackEnd => ({ proper: true, why });
export const brokenEnd = (why: string): StackEnd => ({ proper: false, why });

export function frameAt(place: Place, ip: bigint, sp: bigint): MemoryFrame {
  const { symbol, offset, size, module, reliable } = place.frame;
  return { symbol, offset, size, module, reliable, ip, sp, called: place.called };
}

export function unwindOrc(
  code: Code,
  words: StackWords,
  regs: PtRegs,
  start: Start,
  kept: Pick<KeptReturns, 'of'> = { of: (ip) => ip },
): Trace {
  return new OrcWalk(code, words, regs, start, kept).walk();
}

/** Whose tables cover a frame, and what one step made of it. */
type Step = StackEnd | null;

class OrcWalk {
  readonly #frames: MemoryFrame[] = [];
  #ip: bigint;
  #sp: bigint;
  #bp: bigint;
  #signal: boolean;
  /** Registers that the current frame was interrupted with. */
  #known: ((name: string) => bigint | null) | null;
  #userRegs: bigint | null = null;
  #guessed: string | null = null;

  constructor(
    private readonly code: Code,
    private readonly words: StackWords,
    private readonly regs: PtRegs,
    start: Start,
    private readonly kept: Pick<KeptReturns, 'of'>,
  ) {
    ({ ip: this.#ip, sp: this.#sp, bp: this.#bp, signal: this.#signal } = start);
    const { registers } = start;
    this.#known = registers === null ? null : (name) => registers[name] ?? null;
  }

  walk(): Trace {
    let end: Step = null;
    while (end === null) end = this.#step();
    if (end.proper && this.#guessed !== null)
      end = brokenEnd(`no unwind data covers ${this.#guessed}: frame pointers were followed`);
    return { frames: this.#frames, end, userRegs: this.#userRegs };
  }

  #step(): Step {
    if (this.#frames.length >= FRAMES_MAX) return brokenEnd('its frames do not end');
    if (this.#ip === 0n) return brokenEnd('a frame returns to nowhere');
    const place = this.#signal ? this.code.at(this.#ip) : this.code.after(this.#ip);
    const frame = frameAt(place, this.#ip, this.#sp);
    this.#frames.push(frame);
    const { orc } = place;
    if (orc?.kind === 'end') return properEnd('end');
    if (orc?.kind === 'undefined') return brokenEnd(`its frames end in ${frame.symbol}`);
    if (orc === null) {
      if (this.#bp === 0n) return brokenEnd(`no unwind data covers ${frame.symbol}`);
      this.#guessed ??= frame.symbol;
    }
    return this.#follow(orc ?? FRAME_POINTER_ENTRY);
  }

  #follow(orc: OrcEntry): Step {
    const cfa = this.#frameAddress(orc);
    if (typeof cfa !== 'bigint') return cfa;
    if (orc.kind !== 'call') return this.#interrupted(orc, cfa);
    const returns = this.words.word(cfa - 8n);
    const bp = this.#framePointer(orc, cfa);
    if (returns === null || bp === null) return brokenEnd('its frames leave the stack');
    const ip = this.kept.of(returns);
    if (ip === null) return brokenEnd('a tracer keeps where a frame returns to');
    // A table that is wrong, or forged, could lead in a circle.
    if (cfa <= this.#sp && orc.sp === 'sp') return brokenEnd('its frames go back');
    this.#go(ip, cfa, bp, orc.signal, null);
    return null;
  }

  /** Where the caller's frame begins: the canonical frame address. */
  #frameAddress(orc: OrcEntry): bigint | StackEnd {
    switch (orc.sp) {
      case 'sp':
        return this.#sp + orc.spOffset;
      case 'bp':
        return this.#bp + orc.spOffset;
      case 'sp-indirect': {
        const word = this.words.word(this.#sp);
        return word === null ? brokenEnd('its frames leave the stack') : word + orc.spOffset;
      }
      case 'bp-indirect':
        return this.words.word(this.#bp + orc.spOffset) ?? brokenEnd('its frames leave the stack');
      case 'ax':
      case 'dx':
      case 'di':
      case 'r10':
      case 'r13':
        return this.#known?.(orc.sp) ?? brokenEnd(`a frame needs the register ${orc.sp}, which is not known`);
      case 'undefined':
      case 'prev-sp':
        return brokenEnd('its unwind data makes no sense');
    }
  }

  /** The caller's frame pointer; that of the current frame where the code left it alone. */
  #framePointer(orc: OrcEntry, cfa: bigint): bigint | null {
    if (orc.bp === 'prev-sp') return this.words.word(cfa + orc.bpOffset);
    return orc.bp === 'bp' ? this.words.word(this.#bp + orc.bpOffset) : this.#bp;
  }

  /** All registers lie at the address, or only those that the CPU itself pushes, behind the place of the others. */
  #interrupted(orc: OrcEntry, cfa: bigint): Step {
    const whole = orc.kind === 'regs';
    const base = whole ? cfa : cfa - BigInt(this.regs.ip);
    const register = (name: keyof PtRegs) => this.words.word(base + BigInt(this.regs[name]));
    const ip = register('ip');
    const sp = register('sp');
    const cs = register('cs');
    if (ip === null || sp === null || cs === null) return brokenEnd('its registers leave the stack');
    if ((cs & 3n) === 3n) {
      this.#userRegs = base;
      return properEnd('user');
    }
    let bp = this.#framePointer(orc, cfa);
    if (whole && orc.bp === 'undefined') bp = register('bp');
    if (bp === null) return brokenEnd('its registers leave the stack');
    const known = whole
      ? (name: string) => (name in this.regs ? register(name as keyof PtRegs) : null)
      : null;
    this.#go(ip, sp, bp, orc.signal, known ?? this.#known);
    return null;
  }

  #go(ip: bigint, sp: bigint, bp: bigint, signal: boolean, known: ((name: string) => bigint | null) | null) {
    this.#ip = ip;
    this.#sp = sp;
    this.#bp = bp;
    this.#signal = signal;
    this.#known = known;
  }
}
