/** struct pt_regs: the registers that an entry into the kernel pushes. */
import type { Kernel } from './model.js';
import type { StackWords } from './stack-words.js';

/** Offsets of x86-64's, the same in all versions. */
export const X86_REGS = {
  ...{ r15: 0, r14: 8, r13: 16, r12: 24, bp: 32, bx: 40, r11: 48, r10: 56, r9: 64, r8: 72, ax: 80, cx: 88 },
  ...{ dx: 96, si: 104, di: 112, orig_ax: 120, ip: 128, cs: 136, flags: 144, sp: 152, ss: 160 },
} as const;

export type PtRegs = typeof X86_REGS;

/** Code segment of a 32-bit program: its calls have other numbers. */
const USER32_CS = 0x23n;
/** With FRED the word of the code segment holds more than that. */
const SEGMENT = 0xffffn;

interface Syscall {
  number: number;
  args: bigint[];
}

/** The system call that entered with these registers; null for an exception or interrupt. */
export function syscallOf(kernel: Kernel, words: StackWords, base: bigint): Syscall | null {
  return kernel.arch === 'arm64' ? armSyscall(kernel, words, base) : x86Syscall(words, base);
}

/** The largest number of any architecture's table, with room: anything beyond it is not a call. */
const NUMBER_MAX = 4096;

function x86Syscall(words: StackWords, base: bigint): Syscall | null {
  const register = (name: keyof PtRegs) => words.word(base + BigInt(X86_REGS[name]));
  const number = register('orig_ax');
  if (number === null || number >= BigInt(NUMBER_MAX) || is32Bit(register('cs'))) return null;
  const args = (['di', 'si', 'dx', 'r10', 'r8', 'r9'] as const).map((name) => register(name) ?? 0n);
  return { number: Number(number), args };
}

const is32Bit = (cs: bigint | null): boolean => cs !== null && (cs & SEGMENT) === USER32_CS;

function armSyscall({ layouts }: Kernel, words: StackWords, base: bigint): Syscall | null {
  const at = layouts.offset('pt_regs', 'syscallno');
  const first = layouts.offset('pt_regs', 'orig_x0');
  if (at === null || first === null) return null;
  const word = words.word(base + BigInt(at & ~7));
  if (word === null) return null;
  const number = Number((at % 8 === 0 ? word : word >> 32n) & 0xffff_ffffn);
  if (number >= NUMBER_MAX) return null;
  const rest = [1, 2, 3, 4, 5].map((n) => words.word(base + BigInt(8 * n)) ?? 0n);
  return { number, args: [words.word(base + BigInt(first)) ?? 0n, ...rest] };
}
