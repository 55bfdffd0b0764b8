import type { SysrqKey } from '../../src/core/model.js';
import { answers, golden } from './virtual-guest.js';

/** Real-time loops that are put off their CPUs once a second, for 50 ms. */
export const rationed = (key: SysrqKey): string[] =>
  answers(golden('rt-starvation'))(key).map((line) =>
    line.replace(
      /(>R +hog +\d+ +[\d.]+ +)\d+( +0 +[\d.]+ +)([\d.]+)/,
      (_, before: string, between: string) => `${before}21${between}19950.000000`,
    ),
  );

/** The same guest, whose SSH server wants to run and cannot. */
export const keptFromRunning = (press: (key: SysrqKey) => string[]) => (key: SysrqKey) =>
  press(key).map((line) => line.replace(/(task:(?:nc|dropbear) +state:)S/, '$1R'));
