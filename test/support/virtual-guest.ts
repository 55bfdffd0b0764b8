/** A guest in virtual time: what it would answer is a script, and its watchdog is the real step(). */
import { parseConfig } from '../../src/core/config/parse-config.js';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import type { Channel } from '../../src/core/capture/ladder.js';
import type { GuestSettings } from '../../src/core/config/schema.js';
import { cleanRow } from '../../src/core/console/clean.js';
import type { Machine } from '../../src/core/host/machine.js';
import type { HostNow } from '../../src/core/host/now.js';
import type { Look, SysrqKey } from '../../src/core/model.js';
import type { Effect, Finding, GuestEvent } from '../../src/core/watch/events.js';
import { NO_FACTS } from '../../src/core/ssh/guest-facts.js';
import { learn, type Learned } from '../../src/core/watch/slices/quiet.js';
import { type GuestState, initialState } from '../../src/core/watch/state.js';
import { decide } from '../../src/core/watch/decide.js';
import { recordedTime, type Script } from './script.js';
import { memoryAnswer } from './virtual-memory.js';
import { Timeline } from '../../src/core/watch/timeline.js';
import { readGolden } from '../golden/golden.mjs';

type Untimed<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

export const running: Look = {
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [{ index: 0, threadId: 1, cpuMs: 100 }],
    block: null,
  },
  qemu: { pid: 1, state: 'S' },
  kernelCommandLine: null,
  shares: [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'T' } }],
};

const settings = (yaml: string): GuestSettings => {
  const parsed = parseConfig(yaml, 'test.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return guestSettings(parsed.config, 'vm1', { qmpDirectory: '/run' });
};

const TICK = 500;
/** When a command that hangs is killed. */
const COMMAND_MS = 180_000;
/** How often the daemon looks at its host. */
const HOST_MS = 2_500;

export class VirtualGuest {
  readonly settings: GuestSettings;
  readonly state: GuestState = initialState('vm1', 0);
  readonly timeline: Timeline;
  readonly path: string[] = [];
  /** The stages of all cases, `-` between two of them. */
  readonly stages: string[] = [];
  readonly findings: Finding[] = [];
  readonly pressed: string[] = [];
  readonly effects: Effect[] = [];
  learned = new Map<string, Learned>();
  /** How long the archive takes to make a directory. */
  opensAfterMs = 5;
  now = 0;
  private wallOffset = 1_700_000_000_000;
  private queue: { at: number; event: Untimed<GuestEvent> }[] = [];
  private hostSeenAt = -Infinity;
  private commandFrom: number | null = null;

  constructor(private readonly script: Script = {}) {
    this.settings = settings(script.config ?? '');
    this.timeline = new Timeline(this.state, this.settings);
  }

  /** Something that happens `afterMs` from now. */
  later(afterMs: number, event: Untimed<GuestEvent>): void {
    const at = this.now + afterMs;
    const before = this.queue.findLastIndex((one) => one.at <= at);
    this.queue.splice(before + 1, 0, { at, event });
  }

  lines(texts: readonly string[], afterMs = 0): void {
    texts.forEach((text, index) => this.later(afterMs + index * 0.05, { type: 'line', text }));
  }

  /** Lets time pass, with a tick each half second unless the watchdog sleeps. */
  run(forMs: number, { asleep = false } = {}): this {
    const end = this.now + forMs;
    while (this.now < end) {
      const tick = Math.min(end, this.now + TICK);
      if (!asleep) {
        this.drain(tick);
        this.now = tick;
        this.endCommand();
        const unread = this.script.unread?.(this.now);
        this.give({
          type: 'tick',
          wallMs: this.wallOffset + this.now,
          ...(unread && { unread }),
          ...this.host(),
        });
      }
      this.now = tick;
    }
    return this;
  }

  /** Sets the wall clock of the host forward, or back. */
  jump(ms: number): void {
    this.wallOffset += ms;
  }

  private host(): { host?: HostNow } {
    if (this.script.host === undefined || this.now - this.hostSeenAt < HOST_MS) return {};
    this.hostSeenAt = this.now;
    const pressure = this.script.host(this.now);
    return { host: { pressure: { cpu: 0, io: 0, memory: 0, ...pressure }, stalled: 0, guests: 1 } };
  }

  private drain(until: number): void {
    for (;;) {
      const next = this.queue[0];
      if (next === undefined || next.at > until) return;
      this.queue.shift();
      // What piled up while the watchdog slept comes when it wakes.
      this.now = Math.max(this.now, next.at);
      this.give(next.event);
    }
  }

  private give(event: Untimed<GuestEvent>): void {
    const timed = { ...event, at: this.now };
    this.timeline.record(this.state, timed);
    const effects = decide(this.state, timed, this.settings, this.script.analyst);
    if (this.path.at(-1) !== this.state.name) this.path.push(this.state.name);
    const stage = this.state.case?.stage.name ?? '-';
    if ((this.stages.at(-1) ?? '-') !== stage) this.stages.push(stage);
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: Effect): void {
    this.effects.push(effect);
    const { script } = this;
    if (effect.type === 'probe-ssh') {
      const kind = script.ssh?.(this.now) ?? 'ok';
      const way = script.way?.(this.now) ?? null;
      const late = kind === 'timed-out' && script.late?.(this.now) === true;
      const probe = { kind, detail: kind, tookMs: 10, ...(way !== null && { way }), ...(late && { late }) };
      const startedAt = this.now;
      this.later(kind === 'timed-out' ? 3_000 : 10, { type: 'ssh', probe, startedAt });
    } else if (effect.type === 'read-facts') {
      this.later(200, { type: 'facts', facts: { ...NO_FACTS, sysrqMask: script.sysrqMask ?? null } });
    } else if (effect.type === 'run-command') {
      this.runCommand(this.commandTakes());
    } else if (!this.carryOutIdentity(effect)) this.carryOutCapture(effect);
  }

  private carryOutIdentity(effect: Effect): boolean {
    const known = (key: string) => this.learned.get(key) ?? {};
    if (effect.type === 'identify')
      this.later(1, { type: 'machine', machine: this.script.machine?.(this.now) ?? null });
    else if (effect.type === 'recall')
      this.later(1, { type: 'recalled', key: effect.key, learned: known(effect.key) });
    else if (effect.type === 'recall-test') this.later(1, recordedTime(this.script, effect.name));
    else if (effect.type === 'learned') this.learned.set(effect.key, learn(known(effect.key), effect.quiet));
    return ['identify', 'recall', 'recall-test', 'learned'].includes(effect.type);
  }

  private carryOutCapture(effect: Effect): void {
    const { script } = this;
    if (effect.type === 'look') {
      this.later(20, { type: 'look', look: script.look?.(this.now) ?? running });
    } else if (effect.type === 'snapshot' || effect.type === 'sample') {
      this.later(15, memoryAnswer(effect, script.memory?.(this.now) ?? null));
    } else if (effect.type === 'open') {
      this.later(this.opensAfterMs, { type: 'opened' });
    } else if (effect.type === 'press') {
      this.press(effect.id, effect.key, effect.via);
    } else if (effect.type === 'inject-nmi') {
      this.later(20, { type: 'nmi-injected', problem: null });
      this.lines(['[   50.0] Uhhuh. NMI received for unknown reason 30 on CPU 0.'], 30);
    } else if (effect.type === 'dump-memory') {
      this.later(2_000, { type: 'memory-dumped', outcome: 'worked', detail: 'memory.elf, 0.4 GiB' });
    } else if (effect.type === 'file') {
      this.findings.push(effect.finding);
      const problem = script.archive?.(this.now) ?? null;
      const incident = `incident-${this.findings.length}`;
      this.later(
        30,
        problem === null ? { type: 'filed', incident } : { type: 'filed', incident: null, problem },
      );
    }
  }

  private commandTakes = (): number | null =>
    this.script.command === undefined ? 400 : this.script.command(this.now);

  private runCommand(tookMs: number | null): void {
    this.later(1, { type: 'command-step', step: 'connect' });
    this.later(50, { type: 'command-step', step: 'login' });
    const denied = { kind: 'no-login', step: 'login', detail: 'Permission denied', tookMs: 90 } as const;
    if (tookMs === null) this.later(90, { type: 'command', result: denied });
    else {
      this.later(100, { type: 'command-step', step: 'command' });
      this.commandFrom = this.now;
    }
  }

  /** A command ends when the guest has come to it, or at its deadline. */
  private endCommand(): void {
    if (this.commandFrom === null) return;
    const tookMs = this.now - this.commandFrom;
    const done = tookMs >= (this.commandTakes() ?? 0);
    if (!done && tookMs < COMMAND_MS) return;
    this.commandFrom = null;
    const kind = done ? 'ok' : 'timed-out';
    this.give({ type: 'command', result: { kind, step: 'command', detail: kind, tookMs } });
  }

  private press(id: number, key: SysrqKey, via: Channel): void {
    this.pressed.push(key);
    const answer = (this.script.press ?? answers(golden('page-in')))(key, this.now, via);
    const failure = Array.isArray(answer) ? null : (answer ?? { fault: 'busy', detail: 'busy' });
    this.later(60, { type: 'pressed', id, ...(failure ?? { fault: null, detail: '' }) });
    this.lines(Array.isArray(answer) ? answer : [], 100);
  }
}

/** The cleaned lines of a recorded console. */
export function golden(name: string): string[] {
  const { log } = readGolden(name);
  return log
    .toString()
    .split('\n')
    .flatMap((row) => cleanRow(Buffer.from(row)));
}

const IDLE_CPUS = [
  'sysrq: Show backtrace of all active CPUs',
  'NMI backtrace for cpu 0 skipped: idling at native_safe_halt+0xb/0x10',
];

const isHeader = (line: string) => / sysrq: Show /.test(line);
const isFence = (line: string) => / sysrq: HELP : /.test(line);

/** A kernel that answers each chord as the recorded one did. */
export function answers(log: readonly string[]): (key: SysrqKey) => string[] {
  const body = (header: string) => {
    const start = log.findIndex((line) => line.includes(`sysrq: ${header}`));
    const end = log.findIndex((line, index) => index > start && (isHeader(line) || isFence(line)));
    return log.slice(start, end);
  };
  const [w, t, h] = [body('Show Blocked State'), body('Show State'), log.filter(isFence).slice(-1)];
  const onCpus = body('Show backtrace of all active CPUs');
  // Most recordings have none.
  const l = onCpus.length > 1 ? onCpus : IDLE_CPUS;
  return (key) => {
    if (key === 'w') return w;
    if (key === 't') return t;
    if (key === 'h') return h;
    if (key === 'l') return l;
    return ['[   11.8] sysrq: Changing Loglevel', `[   11.9] sysrq: Loglevel set to ${key}`];
  };
}

/** The same console of a guest with hardly a kernel thread: a fifth of the lines, and nothing that could be stuck. */
export function small(log: readonly string[]): string[] {
  const gone = new Set<string>();
  let skips = false;
  return log.filter((line) => {
    const header = / task:.* state:([SI]) .* pid:(\d+) +ppid:(\d+) /.exec(line);
    if (header !== null) {
      const [, , pid = '', parent] = header;
      skips = parent === '2';
      if (skips) gone.add(pid);
    } else if (/ task:|Sched Debug|sysrq: /.test(line)) skips = false;
    const row = /\] {2}[SI] .{15} +(\d+) /.exec(line)?.[1];
    return !skips && (row === undefined || !gone.has(row));
  });
}

/** The console of a boot, up to its SSH. */
export const BOOT = [
  '[    0.000000] Linux version 6.1.0',
  '[    1.0] virtio_blk: found',
  'Started OpenSSH server.',
];

/** A QEMU that was given a kernel, and forwards a port. */
export const MACHINE: Machine = {
  pid: 4242,
  model: 'q35, 4 vCPUs, 4096 MiB, kvm',
  release: '6.12.3',
  commandLine: 'console=ttyS0',
  forward: { address: '127.0.0.1', port: 10_022 },
  cid: 100,
};

/** SSH that answers until then, and never again. */
export const healthyFor = (ms: number) => (at: number) => (at < ms ? 'ok' : 'timed-out');

export function booted(guest: VirtualGuest): VirtualGuest {
  guest.lines(BOOT);
  return guest;
}
