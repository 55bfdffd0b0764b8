/** Healthy lives in virtual time: whatever order they come in, nobody is accused; and a wedge at their end is caught. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Look, SshProbe, SysrqKey } from '../../../src/core/model.js';
import { answers, BOOT, golden, running, VirtualGuest } from '../../support/virtual-guest.js';

const idle = answers(golden('idle'));
const blocked = answers(golden('page-in'));
const MIN = 60_000;

/** A life: what SSH, QEMU and the keyboard answer now. */
class Life {
  ssh: SshProbe['kind'] = 'ok';
  runState = 'running';
  press: (key: SysrqKey) => string[] = idle;
  readonly guest = new VirtualGuest({
    ssh: () => this.ssh,
    press: (key) => this.press(key),
    look: (): Look => ({ ...running, qmp: { ok: true, runState: this.runState, vcpus: [], block: null } }),
  });

  /** All is well again, for as long as it takes to be seen. */
  answer(): void {
    this.ssh = 'ok';
    this.press = idle;
    this.guest.run(10_000);
  }
}

/** What may happen to a healthy guest, for so many milliseconds; and a second number, where it takes one. */
const CHAPTERS: Record<string, (life: Life, ms: number, other: number) => void> = {
  'is idle': ({ guest }, ms) => {
    guest.run(ms);
  },
  'reboots, silent for long': (life, ms, other) => {
    life.ssh = 'refused';
    life.guest.run(2_000);
    life.ssh = 'timed-out';
    life.guest.lines(BOOT.slice(0, 2));
    life.guest.run(other);
    life.guest.lines(['[  OK  ] Reached target Basic System.', `unit ${other} is up`]);
    life.guest.run(ms % 90_000);
    life.answer();
  },
  'reboots, and hears no keys meanwhile': (life, ms, other) => {
    life.press = () => [];
    CHAPTERS['reboots, silent for long']?.(life, ms, other);
  },
  'loses SSH, and nothing is stuck': (life, ms, other) => {
    life.ssh = other % 2 === 0 ? 'timed-out' : 'refused';
    life.guest.run(ms);
    life.answer();
  },
  'is slow: blocked in one look, not in the next': (life, ms) => {
    let looks = 0;
    life.ssh = 'timed-out';
    life.press = (key) => {
      if (key === 'w') looks += 1;
      return (looks % 2 === 1 ? blocked : idle)(key);
    };
    life.guest.run(ms % 60_000);
    life.answer();
  },
  'waits for a job behind a spinner': ({ guest }, ms) => {
    const seconds = Math.ceil(ms / 1_000);
    for (let second = 1; second <= seconds; second += 1)
      guest.lines(
        [`[ ***  ] A start job is running for Wait for udev (${second}s / no limit)`],
        second * 1_000,
      );
    guest.run(ms);
  },
  'is paused': (life, ms) => {
    life.runState = 'paused';
    life.ssh = 'timed-out';
    life.guest.run(ms);
    life.runState = 'running';
    life.guest.run(1_000);
    life.answer();
  },
  'is not seen by a watchdog that sleeps': (life, ms) => {
    life.ssh = 'timed-out';
    life.guest.run(2_000).run(ms, { asleep: true });
    life.answer();
  },
  'is stopped and started': (life, ms) => {
    life.guest.later(0, { type: 'gone', reason: 'stopped' });
    life.ssh = 'refused';
    life.guest.run(ms);
    life.guest.later(0, { type: 'boot', invocation: String(life.guest.now), reason: 'QEMU was started' });
    life.guest.run(5_000);
    life.answer();
  },
  'is probed by a host without ssh': (life, ms) => {
    life.ssh = 'host-fault';
    life.guest.run(ms);
    life.answer();
  },
};

const chapter = fc.tuple(
  fc.constantFrom(...Object.keys(CHAPTERS)),
  fc.integer({ min: 0, max: 30 * MIN }),
  fc.integer({ min: 0, max: 90_000 }),
);
type Chapter = typeof chapter extends fc.Arbitrary<infer T> ? T : never;

function live(story: readonly Chapter[]): Life {
  const life = new Life();
  life.guest.lines(BOOT);
  life.guest.run(10_000);
  for (const [name, ms, other] of story) CHAPTERS[name]?.(life, ms, other);
  return life;
}

it('nobody who lives well is accused', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(chapter, { minLength: 1, maxLength: 8 }), (story) => {
      const { guest } = live(story);
      expect(guest.findings.map(({ analysis, why }) => [analysis.verdict.title, why])).toEqual([]);
      expect(guest.state.name).toBe('up');
    }),
    { numRuns: 60 },
  );
});

it('who wedges after such a life is caught once, within 25 s', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(chapter, { maxLength: 4 }), (story) => {
      const life = live(story);
      life.ssh = 'timed-out';
      life.press = blocked;
      life.guest.run(25_000);
      expect(life.guest.findings.map(({ analysis }) => analysis.verdict.frame)).toEqual(['filemap_fault']);
    }),
    { numRuns: 60 },
  );
});
