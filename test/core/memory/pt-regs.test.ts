import { expect, test } from 'vitest';
import { syscallOf, X86_REGS } from '../../../src/core/memory/pt-regs.js';
import { fakeGuest } from './fake-guest.js';

test.each([
  ['a 64-bit program', 0x33n, 29],
  ['a 64-bit program, with FRED', 0x33n | (1n << 57n), 29],
  ['a 32-bit program, whose calls have other numbers', 0x23n, undefined],
  ['a 32-bit program, with FRED', 0x23n | (1n << 57n), undefined],
])('the system call of %s', (_, cs, number) => {
  const words = new Map([
    [BigInt(X86_REGS.cs), cs],
    [BigInt(X86_REGS.orig_ax), 29n],
  ]);
  const { kernel } = fakeGuest([]);
  expect(syscallOf(kernel, { word: (va) => words.get(va) ?? 0n }, 0n)?.number).toBe(number);
});
