import { describe, expect, it } from 'vitest';
import { HangsSince } from '../../../src/core/watch/hangs.js';

const guest = (state: string, incident: string | null = null, busy = false) => ({
  vm: 'vm',
  state,
  incident,
  busy,
});

type Guest = ReturnType<typeof guest>;

/** What hangs at the end, of looks at these seconds. */
const seen = (...looks: (readonly [second: number, ...guests: Guest[]])[]): number => {
  const hangs = new HangsSince();
  return looks.map(([second, ...guests]) => hangs.in(guests, second * 1000).length).at(-1) ?? 0;
};

describe('a hang since then', () => {
  it.each<[string, number, Parameters<typeof seen>]>([
    [
      'a guest that is up',
      0,
      [
        [0, guest('up')],
        [1, guest('up')],
      ],
    ],
    [
      'that is captured',
      0,
      [
        [0, guest('up')],
        [1, guest('capturing', null, true)],
      ],
    ],
    [
      'that is filed',
      1,
      [
        [0, guest('up')],
        [1, guest('held', 'a')],
      ],
    ],
    [
      'that is filed and has recovered between two looks',
      1,
      [
        [0, guest('up')],
        [1, guest('recovered', 'a')],
      ],
    ],
    [
      'that panicked, and is not filed yet',
      0,
      [
        [0, guest('up')],
        [1, guest('panicked', null, true)],
      ],
    ],
    [
      'of which nothing can be kept',
      1,
      [
        [0, guest('up')],
        [1, guest('qemu-stuck')],
      ],
    ],
    [
      'an earlier hang that is over',
      0,
      [
        [0, guest('recovered', 'a')],
        [99, guest('up', 'a')],
      ],
    ],
    [
      'an earlier hang',
      0,
      [
        [0, guest('held', 'a')],
        [59, guest('held', 'a')],
      ],
    ],
    [
      'an earlier hang that stays',
      1,
      [
        [0, guest('held', 'a')],
        [61, guest('held', 'a')],
      ],
    ],
    [
      'an earlier one, another one after a new boot',
      1,
      [
        [0, guest('held', 'a')],
        [9, guest('starting', 'a')],
        [20, guest('held', 'b')],
      ],
    ],
    ['a guest that came later', 1, [[0], [5, guest('held', 'a')]]],
  ])('%s: %i', (_what, expected, looks) => {
    expect(seen(...looks)).toBe(expected);
  });
});
