/** Healthy lives for virtual guests: what may happen to one, in any order. */
import fc from 'fast-check';
import type { HostPressure } from '../../src/core/host/now.js';
import type { CpuSample, Look, SshProbe, SysrqKey } from '../../src/core/model.js';
import { FORGED_CHAPTERS, slow } from './forged-lives.js';
import { recordedTasks } from './memory-dumps.js';
import { LIVING, MEMORY_CHAPTERS, shown, type Shows } from './memory-lives.js';
import { answers, BOOT, golden, running, small, VirtualGuest } from './virtual-guest.js';

const idle = answers(small(golden('idle')));
const blocked = answers(small(golden('page-in')));
const waiting = answers(small(golden('exec')));
const MIN = 60_000;
/** Where a tight loop is found, time and again. */
export const LOOP = ['55d3c0a01139', '55d3c0a0113c', '55d3c0a01139', '55d3c0a0113c'];

const RESTING: Shows = { tasks: recordedTasks('idle'), since: null };

/** A life: what SSH, QEMU, the keyboard and the host answer now. */
export class Life {
  ssh: SshProbe['kind'] = 'ok';
  /** SSH answers one probe in three. */
  rarely = false;
  private probes = 0;
  command: number | null = 400;
  runState = 'running';
  qmp: Look['qmp'] | null = null;
  shares = running.shares;
  press: (key: SysrqKey) => string[] = idle;
  /** Share of the time that its vCPU runs, block requests a second. */
  busy = 0;
  requests = 0;
  pcs: string[] = [];
  pressure: Partial<HostPressure> = {};
  private felt = { at: 0, io: 0 };
  private counted = { at: 0, cpuMs: 0, reads: 0 };
  shows: Shows = RESTING;
  readonly guest = new VirtualGuest({
    memory: (at) => (this.readsMemory ? shown(this.shows, at, this.busy >= 1) : null),
    ssh: () => (this.rarely && (this.probes += 1) % 3 !== 0 ? 'timed-out' : this.ssh),
    command: () => (this.ssh === 'ok' ? this.command : Infinity),
    press: (key) => this.press(key),
    look: (at) => ({ ...running, shares: this.shares, qmp: this.qmp ?? this.view(at) }),
    host: (at) => this.averaged(at),
  });

  /** `readsMemory`: whether its memory can be read. */
  constructor(private readonly readsMemory: boolean) {}

  /** The kernel's pressure is an average over 10 s: it neither rises nor falls from one moment to the next. */
  private averaged(at: number): Partial<HostPressure> {
    const share = 1 - Math.exp((this.felt.at - at) / 10_000);
    this.felt = { at, io: this.felt.io + ((this.pressure.io ?? 0) - this.felt.io) * share };
    return { io: this.felt.io };
  }

  private view(at: number): Look['qmp'] {
    const passed = at - this.counted.at;
    const { cpuMs, reads } = this.counted;
    this.counted = {
      at,
      cpuMs: cpuMs + passed * this.busy,
      reads: reads + Math.ceil((passed / 1000) * this.requests),
    };
    const samples: CpuSample[] = this.pcs.map((pc) => ({ pc, halted: false, user: true, masked: false }));
    const vcpus = [{ index: 0, threadId: 9, cpuMs: this.counted.cpuMs, samples }];
    return { ok: true, runState: this.runState, vcpus, block: { reads: this.counted.reads, writes: 0 } };
  }

  /** All is well again, for as long as it takes to be seen. */
  answer(): void {
    Object.assign(this, {
      ssh: 'ok',
      rarely: false,
      command: 400,
      shares: running.shares,
      press: idle,
      busy: 0,
      requests: 0,
      pcs: [],
      pressure: {},
      runState: 'running',
      shows: RESTING,
    });
    this.guest.run(10_000);
  }

  /** Lines of new kinds, one every few seconds. */
  chat(ms: number, everyMs: number): void {
    for (let at = 0; at < ms; at += everyMs) {
      const word = String(Math.floor(this.guest.now + at)).replace(
        /\d/g,
        (digit) => 'ghijklmnop'[Number(digit)] ?? '',
      );
      this.guest.lines([`the job is at ${word}`], at);
    }
  }
}

/** A silence that a boot may have, whatever its guest can be seen into. */
const BOOT_MAX = 90_000;

/** What may happen to a healthy guest, for so many milliseconds; and a second number, where it takes one. */
const CHAPTERS: Record<string, (life: Life, ms: number, other: number) => void> = {
  ...FORGED_CHAPTERS,
  ...MEMORY_CHAPTERS,
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
    life.guest.run(ms % BOOT_MAX);
    life.answer();
  },
  'reboots, and hears no keys meanwhile': (life, ms, other) => {
    life.press = () => [];
    CHAPTERS['reboots, silent for long']?.(life, ms, other);
  },
  'boots with a start job that ends': (life, ms) => {
    life.ssh = 'refused';
    life.guest.later(0, { type: 'boot', invocation: String(life.guest.now), reason: 'QEMU was started' });
    life.guest.lines([...BOOT.slice(0, 2), 'Welcome to Debian GNU/Linux 12 (bookworm)!'], 100);
    const seconds = Math.ceil((ms % (5 * MIN)) / 1_000);
    for (let second = 1; second <= seconds; second += 1)
      life.guest.lines(
        [`[ ***  ] A start job is running for data.mount (${second}s / no limit)`],
        second * 1_000,
      );
    life.guest.run(seconds * 1_000 + 1_000);
    life.answer();
  },
  'checks its disk, silent for minutes': (life, ms) => {
    life.requests = 300;
    life.press = slow();
    CHAPTERS['boots with a start job that ends']?.(life, ms, 0);
  },
  'runs tests': ({ guest }, ms, other) => {
    for (let at = 0; at < ms; at += 30_000)
      guest.lines(
        [`run fstests generic/${String((other + at) % 900).padStart(3, '0')} at 2026-01-01 00:00:00`],
        at,
      );
    guest.run(ms);
  },
  'works as hard as it can, and answers': (life, ms) => {
    life.busy = 1;
    life.requests = 100;
    life.guest.run(ms);
    life.answer();
  },
  'loses SSH, and nothing is stuck': (life, ms, other) => {
    life.ssh = other % 2 === 0 ? 'timed-out' : 'refused';
    life.guest.run(ms);
    life.answer();
  },
  'answers now and then, and nothing is stuck': (life, ms, other) => {
    life.rarely = true;
    life.busy = other % 2;
    life.press = other % 3 === 0 ? slow() : idle;
    life.guest.run(ms);
    life.answer();
  },
  'loses its network at work, and its console goes on': (life, ms, other) => {
    life.ssh = 'timed-out';
    life.busy = other % 2;
    life.requests = other % 3;
    life.press = other % 5 === 0 ? slow() : idle;
    life.chat(ms % (10 * MIN), 3_000);
    life.guest.run(ms % (10 * MIN));
    life.answer();
  },
  'loses its network at work, silently': (life, ms) => {
    life.ssh = 'timed-out';
    life.busy = 1;
    life.pcs = LOOP;
    life.guest.run(ms % (10 * MIN));
    life.answer();
  },
  'is slow: blocked in one look, not in the next': (life, ms) => {
    life.ssh = 'timed-out';
    life.press = slow();
    life.shows = { tasks: recordedTasks('page-in'), since: null };
    life.guest.run(ms % 60_000);
    life.answer();
  },
  'is slow together with its host': (life, ms) => {
    life.ssh = 'timed-out';
    life.pressure = { io: 95 };
    life.press = blocked;
    life.shows = { tasks: recordedTasks('page-in'), since: life.guest.now };
    life.shares = LIVING;
    life.guest.run(ms % 50_000);
    life.answer();
  },
  'greets, and takes long to run a command': (life, ms, other) => {
    life.command = 1_000 + (other % 89_000);
    life.press = other % 2 === 0 ? idle : slow();
    life.busy = other % 3 === 0 ? 1 : 0;
    life.requests = other % 5 === 0 ? 100 : 0;
    life.guest.run(ms);
    life.answer();
  },
  'waits for a share of a server that is not known, while SSH is away': (life, ms, other) => {
    life.ssh = 'timed-out';
    life.shares = [{ tag: 'store', socket: '/s', server: null, serverIs: 'unknown', because: 'it hides' }];
    life.press = other % 2 === 0 ? blocked : waiting;
    life.shows = { tasks: recordedTasks(other % 2 === 0 ? 'page-in' : 'exec'), since: life.guest.now };
    life.guest.run(ms % 13_000);
    life.answer();
  },
  'greets, and lets nobody in': (life, ms) => {
    life.command = null;
    life.guest.run(ms);
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
  'loses SSH for a moment as the clock jumps': (life, ms) => {
    life.ssh = 'timed-out';
    life.guest.run(5_000).jump(ms);
    life.guest.run(3_000);
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

export const chapter = fc.tuple(
  fc.constantFrom(...Object.keys(CHAPTERS)),
  fc.integer({ min: 0, max: 30 * MIN }),
  fc.integer({ min: 0, max: 90_000 }),
);
type Chapter = typeof chapter extends fc.Arbitrary<infer T> ? T : never;

/** A guest that has lived so. */
export function live(story: readonly Chapter[], readsMemory = false): Life {
  const life = new Life(readsMemory);
  life.guest.lines(BOOT);
  life.guest.run(10_000);
  for (const [name, ms, other] of story) CHAPTERS[name]?.(life, ms, other);
  return life;
}
