/** Chapters of healthy lives in which a program prints what a kernel would. */
import type { SshProbe, SysrqKey } from '../../src/core/model.js';
import { forge, PANIC } from './panicked.js';
import { answers, BOOT, golden, small, type VirtualGuest } from './virtual-guest.js';

const idle = answers(small(golden('idle')));
const blocked = answers(small(golden('page-in')));

interface ForgedLife {
  guest: VirtualGuest;
  ssh: SshProbe['kind'];
  press: (key: SysrqKey) => string[];
  requests: number;
  answer(): void;
}

/** For so many milliseconds; and a second number, where it takes one. */
export const FORGED_CHAPTERS: Record<string, (life: ForgedLife, ms: number, other: number) => void> = {
  'prints the words of a kernel, and means nothing by them': (life, ms, other) => {
    life.press = other % 3 === 0 ? slow() : idle;
    life.requests = other % 3 === 0 ? 100 : 0;
    forge(life.guest, ms, other);
    life.guest.run(ms);
    life.answer();
  },
  'prints the words of a panic in its boot': (life, ms, other) => {
    life.ssh = 'refused';
    life.guest.lines(BOOT.slice(0, 2));
    life.guest.lines([PANIC], 3_000 + (other % 10_000));
    life.guest.lines(['[  OK  ] Reached target Basic System.', `unit ${other} is up`], 20_000);
    life.guest.run(15_000 + (ms % 60_000));
    life.answer();
  },
  'prints the words of a kernel to a host without ssh': (life, ms, other) => {
    life.ssh = 'host-fault';
    forge(life.guest, ms, other);
    life.guest.run(ms);
    life.answer();
  },
};

/** Blocked in one look, not in the next. */
export function slow(): (key: SysrqKey) => string[] {
  let looks = 0;
  return (key) => {
    if (key === 'w') looks += 1;
    return (looks % 2 === 1 ? blocked : idle)(key);
  };
}
