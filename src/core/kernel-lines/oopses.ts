/** What die() prints, and what stands above it: arch/<name>/kernel/traps.c and mm/fault.c. It counts its calls: `[#1]`. */
import type { KernelLine } from './line.js';

const OOPS = { complaint: 'oops', dump: 'oops' } as const;

export const OOPSES: readonly KernelLine[] = [
  // x86: before and since 5.1
  {
    heads: ['BUG: unable to handle '],
    rest: /^(?:kernel|page fault)/,
    ...OOPS,
    examples: [
      'BUG: unable to handle kernel NULL pointer dereference at 0000000000000008',
      'BUG: unable to handle page fault for address: ffffa1b2c3d4e5f6',
    ],
  },
  {
    heads: ['BUG: kernel NULL pointer dereference'],
    ...OOPS,
    examples: ['BUG: kernel NULL pointer dereference, address: 0000000000000010'],
  },
  // arm, riscv, s390; mips and loongarch with the CPU
  {
    heads: ['Unable to handle kernel '],
    ...OOPS,
    examples: ['Unable to handle kernel paging request at virtual address ffff800012345678'],
  },
  {
    heads: ['CPU '],
    rest: /^\d{1,5} Unable to handle kernel /,
    ...OOPS,
    examples: ['CPU 0 Unable to handle kernel paging request at virtual address 00000008, epc == 8003ca80'],
  },
  // lib/bug.c
  {
    heads: ['kernel BUG at '],
    rest: /^\S+:\d+!/,
    ...OOPS,
    examples: ['kernel BUG at fs/inode.c:612!'],
  },
  // x86 and powerpc; arm; mips and loongarch; riscv
  {
    heads: ['Oops'],
    rest: /^(?:: .{1,160}| - .{1,160})? ?\[#\d+\]/,
    ...OOPS,
    examples: [
      'Oops: 0002 [#1] PREEMPT SMP NOPTI',
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP NOPTI',
      'Oops: Kernel access of bad area, sig: 11 [#1]',
      'Oops - BUG: 0 [#1] PREEMPT SMP ARM',
      'Oops[#1]:',
      'Oops - illegal instruction [#1]',
    ],
  },
  // arm and arm64
  {
    heads: ['Internal error: '],
    rest: /^.{1,160}\[#\d+\]/,
    ...OOPS,
    examples: ['Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP'],
  },
  // x86: the traps that a guest meets
  {
    heads: ['general protection fault', 'stack segment', 'divide error', 'invalid opcode', 'double fault'],
    rest: /^(?!\w).{0,160}\[#\d+\]/,
    ...OOPS,
    examples: [
      'general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] PREEMPT SMP',
      'stack segment: 0000 [#1] SMP',
      'divide error: 0000 [#1] SMP',
      'invalid opcode: 0000 [#2] PREEMPT SMP NOPTI',
      'double fault: 0000 [#1] SMP',
    ],
  },
  {
    heads: ['PANIC: double fault'],
    ...OOPS,
    examples: ['PANIC: double fault, error_code: 0x0'],
  },
  // mips and loongarch; riscv
  {
    heads: ['Kernel bug detected', 'Kernel BUG'],
    rest: /^ ?\[#\d+\]/,
    ...OOPS,
    examples: ['Kernel bug detected[#1]:', 'Kernel BUG [#1]'],
  },
  // The other traps of all machines. A tool that numbers its results prints such lines as well.
  {
    heads: [''],
    holds: '[#',
    rest: /^[A-Za-z][\w, -]{2,60}: (?:0x)?[0-9a-f]{1,8}(?: ilc:\d)? ?\[#\d+\]/,
    ...OOPS,
    stamped: true,
    examples: ['specification exception: 0006 ilc:2 [#1] SMP', 'alignment check: 0000 [#1] SMP'],
  },
  // What a mailer leaves of those above where it wraps them. Without the count it may be anybody's: no complaint.
  {
    heads: ['Oops'],
    rest: /^(?:: |\[| - .{1,40}: )/,
    dump: 'oops',
    examples: ['Oops: 0002', 'Oops - undefined instruction: 0'],
  },
  {
    heads: ['Internal error: ', 'general protection fault', 'double fault', 'kernel BUG at '],
    dump: 'oops',
    examples: [
      'Internal error: Oops: 17',
      'general protection fault, probably for non-canonical address',
      'double fault, gdt at c1000000',
      'kernel BUG at fs/ext4/inode.c',
    ],
  },
];
