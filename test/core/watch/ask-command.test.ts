/** When a guest whose memory is read is asked to run a command over SSH. */
import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { booted, running, VirtualGuest } from '../../support/virtual-guest.js';

const idle = recordedTasks('idle');
const resting: NonNullable<Script['memory']> = (at) => memoryAt(idle, at, { since: null });

/** Its server and its disk work. */
const works = (at: number): Look => ({
  ...running,
  shares: [
    {
      ...{ tag: 'store', socket: '/s' },
      server: { pid: 7, comm: 'virtiofsd', state: 'S', cpuMs: Math.floor(at / 20) },
    },
  ],
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [{ index: 0, threadId: 9, cpuMs: 0 }],
    block: { reads: Math.floor(at / 20), writes: 0 },
  },
});

describe('the command over SSH', () => {
  const asked = (guest: VirtualGuest) => guest.effects.filter(({ type }) => type === 'run-command').length;

  it('is asked once a boot, and then on suspicion only', () => {
    const calm = (memory: Script['memory']) => booted(new VirtualGuest({ memory: memory ?? resting }));
    expect(asked(calm(resting).run(3_600_000))).toBeLessThanOrEqual(2);
    expect(asked(calm(() => null).run(3_600_000))).toBeGreaterThan(50);
    const from = 1_800_000;
    const stands: Script['memory'] = (at) =>
      memoryAt(recordedTasks('page-in'), at, { since: at < from ? null : from });
    const guest = booted(new VirtualGuest({ memory: stands, look: works }));
    guest.run(from);
    const before = asked(guest);
    guest.run(60_000);
    expect(asked(guest)).toBe(before + 1);
  });

  it('is not asked each time that a console which prints now and then falls silent, unless somebody stands by then', () => {
    const chatty = (script: Script) => {
      const guest = booted(new VirtualGuest(script));
      for (let minute = 0; minute < 30; minute += 1) {
        // No two of them alike: another number would be no news.
        guest.lines([`Started ${'abcdefghijklmnopqrstuvwxyz'.slice(minute % 13, 3 + minute)} for its user.`]);
        guest.run(60_000);
      }
      return asked(guest);
    };
    expect(chatty({ memory: () => null })).toBeGreaterThan(25);
    expect(chatty({ memory: resting })).toBeLessThanOrEqual(2);
    const busy: Script['memory'] = (at) => memoryAt(idle, at, { since: null, busy: true });
    expect(chatty({ memory: busy })).toBeGreaterThan(5);
  });
});
