/** How each fact of a capture is found; what follows from the facts is in doubts.test.ts. */
import { describe, expect, it } from 'vitest';
import type { Analysis, Dump, Share, Task, Verdict } from '../../../src/core/model.js';
import { type Facts, factsOf } from '../../../src/core/watch/case/facts.js';
import { openCase } from '../../../src/core/watch/case/open.js';
import type { Context } from '../../../src/core/watch/context.js';
import type { TimedLook } from '../../../src/core/watch/looks.js';
import { judged } from '../../../src/core/watch/slices/restraint.js';
import { booted, running, VirtualGuest } from '../../support/virtual-guest.js';

const task = (pid: number, state: string, comm = 'mount'): Task => ({
  ...{ comm, pid, ppid: 1, state, workqueue: null, blockedForSeconds: null },
  frames: [{ symbol: 'io_schedule', offset: 1, size: 9, module: null, reliable: true }],
});
const dump = (key: 'w' | 't', tasks: Task[]): Dump => ({
  ...{ key, complete: true, incompleteBecause: [], tasks, cpus: [], locks: [], workqueues: [] },
});
const culprit = { comm: 'mount', pid: 88, state: 'D', frame: 'io_schedule' };
const verdict: Verdict = {
  ...{ title: 'mount:88 stuck', class: 'blocked', frame: 'io_schedule', confidence: 'high' },
  ...{ culprit, reasons: [], inferred: [] },
};
const stuck = [dump('w', [task(88, 'D')]), dump('w', [task(88, 'D')]), dump('t', [task(88, 'D')])];
const share: Share = {
  tag: 'store',
  socket: '/s',
  server: { pid: 7, comm: 'virtiofsd', state: 'S', cpuMs: 5 },
};
const look = (at: number, cpuMs: number, more: Partial<TimedLook> = {}): TimedLook => ({
  ...running,
  qmp: { ok: true, runState: 'running', vcpus: [{ index: 0, threadId: 1, cpuMs }], block: null },
  ...{ at, shares: [share], ...more },
});

/** A guest that was up for half a minute and is accused of silence now. */
function facts(
  dumps: Dump[],
  change: (context: Context) => void = () => undefined,
  { by = 'silence', found = {} }: { by?: Facts['by']; found?: Partial<Verdict> } = {},
): Facts {
  const guest = booted(new VirtualGuest({ config: 'arm: off' })).run(30_000);
  const context: Context = { state: guest.state, settings: guest.settings, at: guest.now, effects: [] };
  openCase(context, { by, why: ['w'] });
  const later = { ...context, at: context.at + 10_000 };
  change(later);
  if (later.state.case === null) throw new Error('a case is open');
  const analysis = { dumps, verdict: { ...verdict, ...found } } as Analysis;
  return factsOf(later, later.state.case, analysis, []);
}

const looks =
  (...seen: TimedLook[]) =>
  ({ state }: Context) => {
    if (state.case !== null) state.case.looks = seen;
  };

describe('what speaks for itself', () => {
  it('is a hand, a panic, a stuck QEMU and a complaint, but no emergency shell', () => {
    const complain = (kind: 'hung_task' | 'emergency') => (context: Context) => {
      if (context.state.case)
        context.state.case.accusation.complaint = { kind, seconds: null, text: '', at: 30_000 };
    };
    expect(facts(stuck).speaks).toBe(false);
    expect(facts(stuck, undefined, { by: 'hand' }).speaks).toBe(true);
    expect(facts(stuck, ({ state }) => (state.name = 'panicked')).speaks).toBe(true);
    expect(facts(stuck, ({ state }) => (state.name = 'qemu-stuck')).speaks).toBe(true);
    expect(facts(stuck, complain('hung_task')).speaks).toBe(true);
    expect(facts(stuck, complain('emergency')).speaks).toBe(false);
  });
});

describe('SSH', () => {
  const answers = ({ state, at }: Context) => (state.ssh.lastOkAt = at);

  it('answers again if it did since the case began, and it was not a command that hung', () => {
    expect(facts(stuck).answersAgain).toBe(false);
    expect(facts(stuck, answers).answersAgain).toBe(true);
    expect(facts(stuck, answers, { by: 'command' }).answersAgain).toBe(false);
  });

  it('tells nothing while the host cannot run it, whatever the case was opened for', () => {
    const fault = { kind: 'host-fault', detail: '', tookMs: 1 } as const;
    expect(facts(stuck).sshTells).toBe(true);
    expect(facts(stuck, ({ state }) => (state.ssh.last = fault)).sshTells).toBe(false);
    expect(facts(stuck, undefined, { by: 'blocked-task' }).sshTells).toBe(true);
  });

  it('has a server that sleeps if every one of a whole t is in S', () => {
    const t = (...states: string[]) => [
      dump(
        't',
        states.map((state, n) => task(n, state, 'sshd')),
      ),
    ];
    expect(facts(t('S', 'S')).serverSleeps).toBe(true);
    expect(facts(t('S', 'D')).serverSleeps).toBe(false);
    expect(facts(t()).serverSleeps).toBe(false);
    expect(facts([dump('t', [task(1, 'S', 'crond')])]).serverSleeps).toBe(false);
  });
});

describe('a boot', () => {
  it('gave up, unless SSH answers all the same', () => {
    const gaveUp = (failures: number) => (context: Context) => {
      context.state.console.gaveUp = 'You are in emergency mode';
      context.state.ssh.failures = failures;
    };
    expect(facts(stuck, gaveUp(2)).gaveUp).toBe('You are in emergency mode');
    expect(facts(stuck, gaveUp(0)).gaveUp).toBeNull();
  });

  it('waits for a start job for three times detect.blindBoot from the last news', () => {
    const { lost } = facts(stuck, ({ state }) => (state.console.quietSince = 1_000));
    expect(lost.startJob).toBe(1_000 + 3 * 180_000);
  });
});

describe('the culprit', () => {
  const before =
    (since: number, switches: number | null = null) =>
    (context: Context) => {
      const key = '88|mount|D|io_schedule+1';
      judged(context.state.restraint, null, { key, since, switches, ran: false });
    };

  it('stood still if both dumps of blocked tasks show its stack', () => {
    expect(facts(stuck)).toMatchObject({ stoodStill: true, fresh: false });
  });

  it('is fresh if the first of them does not show it', () => {
    const dumps = [dump('w', []), ...stuck.slice(1)];
    expect(facts(dumps)).toMatchObject({ stoodStill: false, fresh: true });
    expect(facts(dumps, undefined, { found: { culprit: { ...culprit, state: 'S' } } }).fresh).toBe(false);
  });

  it('is proven by a capture 20 s ago with the same stack', () => {
    expect(facts(stuck)).toMatchObject({ stoodMs: 0, proven: false });
    expect(facts(stuck, before(21_000))).toMatchObject({ stoodMs: 19_000, proven: false });
    expect(facts(stuck, before(20_000))).toMatchObject({ stoodMs: 20_000, proven: true });
  });

  it('is not, if a whole dump between them does not show it, or its stack is another', () => {
    expect(facts([dump('w', []), ...stuck.slice(1)], before(1_000)).proven).toBe(false);
    const moved = stuck.map((one) => ({ ...one, tasks: [{ ...task(88, 'D'), frames: [] }] }));
    expect(facts(moved, before(1_000)).stood).toBeNull();
  });

  it('ran if it was switched to since, which its stack does not show', () => {
    const switched = stuck.map((one) => ({ ...one, tasks: [{ ...task(88, 'D'), switches: 9 }] }));
    expect(facts(switched, before(1_000, 8)).stood).toMatchObject({ ran: true, switches: 9 });
    expect(facts(switched, before(1_000, 9)).stood?.ran).toBe(false);
  });

  it('is remembered over a capture that saw nothing, and forgotten over one that saw nobody stuck', () => {
    const unknown = { class: 'unknown' as const, culprit: null };
    expect(facts([], before(1_000), { found: unknown }).stood?.since).toBe(1_000);
    expect(facts([dump('t', [])], before(1_000), { found: { ...unknown, class: 'none' } }).stood).toBeNull();
  });
});

describe('between two looks', () => {
  const dead = (state: string) => ({ shares: [{ ...share, server: { ...share.server!, state } }] });
  const worked = (cpuMs: number) => ({ shares: [{ ...share, server: { ...share.server!, cpuMs } }] });

  it('every vCPU was busy, or not', () => {
    expect(facts(stuck, looks(look(0, 0), look(4_000, 4_000))).busy).toBe(true);
    expect(facts(stuck, looks(look(0, 0), look(4_000, 100))).busy).toBe(false);
    expect(facts(stuck, looks(look(0, 0))).busy).toBe(false);
  });

  it('every vCPU stayed in the kernel without interrupts, however rarely the host let it run', () => {
    const sample = { pc: 'ffffffff97c18710', halted: false, user: false, masked: true };
    const spun = (changed: Partial<typeof sample>, cpuMs = 1_000, samples = 4) =>
      facts(
        stuck,
        looks(
          ...[0, cpuMs].map((ran, turn) => {
            const own = Array.from({ length: samples }, () => ({ ...sample, ...(turn === 1 && changed) }));
            const vcpus = [{ index: 0, threadId: 1, cpuMs: ran, samples: own }];
            return look(turn * 10_000, 0, { qmp: { ok: true, runState: 'running', vcpus, block: null } });
          }),
        ),
      ).deaf;
    expect(spun({})).toBe(true);
    expect(spun({ pc: 'ffffffff97c1a710' })).toBe(false);
    expect(spun({ masked: false })).toBe(false);
    expect(spun({ user: true })).toBe(false);
    expect(spun({ halted: true })).toBe(false);
    expect(spun({}, 900)).toBe(false);
    expect(spun({}, 1_000, 2)).toBe(false);
    expect(facts(stuck, looks(look(0, 0), look(4_000, 4_000))).deaf).toBe(false);
  });

  it('a server worked, or only stirred', () => {
    const after = (cpuMs: number) => facts(stuck, looks(look(0, 0), look(4_000, 1, worked(cpuMs))));
    expect(after(5)).toMatchObject({ moved: null, stirs: null });
    expect(after(8)).toMatchObject({ moved: null, stirs: 'the server of its share still works' });
    expect(after(50)).toMatchObject({ moved: 'the server of its share still works' });
  });

  it('its server is stopped, or nothing is known of it', () => {
    expect(facts(stuck, looks(look(0, 0)))).toMatchObject({ backendDead: false, backendUnknown: null });
    expect(facts(stuck, looks(look(0, 0, dead('T')))).backendDead).toBe(true);
    const unknown = { shares: [{ ...share, server: null, serverIs: 'unknown' as const }] };
    expect(facts(stuck, looks(look(0, 0, unknown))).backendUnknown).toMatch(/share store is not known/);
  });

  it('the culprit waits for a share if the verdict inferred one', () => {
    expect(facts(stuck).onShare).toBe(false);
    expect(facts(stuck, undefined, { found: { inferred: ['virtiofsd is stopped'] } }).onShare).toBe(true);
  });

  it('the culprit waits for a disk that may come to it yet, if memory shows that', () => {
    const waits =
      (symbols: string[], source: string | null, more: Partial<Task> = {}) =>
      (context: Context) => {
        const frames = symbols.map((symbol) => ({
          symbol,
          offset: 1,
          size: 9,
          module: null,
          reliable: true,
        }));
        const filesystem = { type: 'ext4', source, on: '/' };
        const objects = source === null ? [] : [{ kind: 'folio' as const, text: '/f', filesystem }];
        const seen = { ...task(88, 'D'), frames, objects, offCpuSeconds: 54, ...more };
        const shown: Dump = { ...dump('t', [seen]), key: 'memory' };
        if (context.state.case !== null)
          context.state.case.memory = { at: context.at, dump: shown, lines: 1, hopeless: false };
      };
    const page = ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit_common', 'shmem_swapin_folio'];
    const onDisk = (symbols: string[], source: string | null) =>
      facts(stuck, waits(symbols, source)).diskMayCome;
    expect(facts(stuck).diskMayCome).toBe(false);
    expect(onDisk(page, null)).toBe(true);
    expect(onDisk(page, '/dev/vda')).toBe(true);
    expect(onDisk(page, 'store')).toBe(false);
    const asked = { request: { operation: 'READ', unique: '7', source: null } };
    expect(facts(stuck, waits(page, null, asked)).diskMayCome).toBe(false);
    const for3Min = (offCpuSeconds: number) => facts(stuck, waits(page, null, { offCpuSeconds })).diskMayCome;
    expect([for3Min(179), for3Min(180)]).toEqual([true, false]);
    expect(onDisk(['__schedule', 'schedule', 'percpu_rwsem_wait', 'mnt_want_write'], '/dev/vda')).toBe(false);
    // The stall of a CPU is not confirmed by who waits for a disk that may be slow.
    const stall = (source: string, offCpuSeconds: number) =>
      facts(stuck, (context) => {
        waits(page, source, { offCpuSeconds })(context);
        if (context.state.case === null) return;
        context.state.case.accusation.complaint = { kind: 'rcu_stall', seconds: null, text: '', at: 30_000 };
      }).speaks;
    expect([stall('/dev/vda', 54), stall('/dev/vda', 181), stall('store', 54)]).toEqual([false, true, true]);
  });

  it('the host itself was short of time', () => {
    const pressed = ({ state, at }: Context) =>
      (state.host.now = { at, pressure: { cpu: 0, io: 95, memory: 0 }, stalled: 0, guests: 1 });
    expect(facts(stuck, pressed).hostStarves).toBe('host I/O pressure 95 %');
    expect(facts(stuck).hostStarves).toBeNull();
  });
});

it('the newest capture was moments ago, or longer', () => {
  const last = (at: number) => (context: Context) =>
    judged(context.state.restraint, { at, class: 'none', title: '' }, null);
  expect(facts(stuck).pair).toBe(false);
  expect(facts(stuck, last(1_000)).pair).toBe(true);
  expect(
    facts(stuck, ({ state }) => (state.restraint.judged = { at: -60_000, class: 'none', title: '' })).pair,
  ).toBe(false);
});

it('a guest that was up is lost for good 12, 30 and 60 s after its SSH, and one that boots after detect.blindBoot', () => {
  const lost = (change: (context: Context) => void) =>
    facts(stuck, (context) => {
      Object.assign(context.state.ssh, { failures: 2, last: { kind: 'timed-out', detail: '', tookMs: 1 } });
      change(context);
    }).lost;
  const ssh = ({ state }: Context) => (state.ssh.lastOkAt = 1_000);
  const news = ({ state }: Context) => {
    state.ssh.lastOkAt = null;
    state.console.quietSince = 1_000;
  };
  expect(lost(ssh)).toMatchObject({ loop: 13_000, blind: 31_000, slow: 61_000 });
  expect(lost(news)).toMatchObject({ loop: 181_000, blind: 181_000, slow: 181_000 });
});

it('what is lost is what is lost at the end: a sign of life in the middle of a case counts', () => {
  const answered = ({ state, at }: Context) =>
    Object.assign(state.ssh, {
      lastOkAt: at - 3_000,
      failures: 1,
      last: { kind: 'refused', detail: '', tookMs: 1 },
    });
  const { loss, lost, at } = facts(stuck, answered);
  expect(loss).toEqual({ of: 'ssh', since: at - 3_000 });
  expect(lost.blind).toBe(at - 3_000 + 30_000);
});
