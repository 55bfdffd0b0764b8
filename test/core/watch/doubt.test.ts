/** What cannot be seen, or may be mere work: how long it is doubted, and in which words it ends. */
import { describe, expect, it } from 'vitest';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';
import { keptFromRunning } from '../../support/starving.js';

const REFUSED = '[   38.344663] sysrq: This sysrq operation is disabled.';

describe('evidence that is not whole', () => {
  it('names the mask that refuses dumps, quotes the guest and gives the fix', () => {
    const press = (key: string) => (key === 'w' ? [REFUSED] : answers(golden('page-in'))(key as 'h'));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press, sysrqMask: 438 })).run(60_000);
    const [finding] = guest.findings;
    expect(finding?.complete).toBe(false);
    expect(finding?.incompleteBecause).toEqual(['the guest refuses its dumps: kernel.sysrq=438 lacks bit 8']);
    expect(finding?.analysis.verdict.class).toBe('unknown');
    expect(finding?.analysis.verdict.reasons.join('\n')).toContain(REFUSED);
    expect(finding?.analysis.verdict.reasons.join('\n')).toContain('sysctl -w kernel.sysrq=1');
    expect(guest.pressed).toEqual(['8', 'w', '7', '8', 'w', '7']);
  });

  it('says that the guest is mute', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press: () => [] })).run(90_000);
    expect(guest.findings[0]?.incompleteBecause[0]).toMatch(/^the guest does not answer Alt\+SysRq/);
    // Twice on each of three ways, in each of two looks.
    expect(guest.pressed.join('')).toBe('888888888888');
  });

  it('says why no chord could be pressed', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press: () => null })).run(90_000);
    expect(guest.findings[0]?.incompleteBecause[0]).toMatch(/could not be pressed: busy/);
  });

  it('counts the whole one of two dumps, where a slow guest answers late and was pressed twice', () => {
    const log = answers(golden('page-in'));
    let late: string[] = [];
    const press = (key: SysrqKey) => {
      if (key !== 'w') return log(key);
      if (late.length === 0) {
        late = log('w');
        return [];
      }
      const both = [...late, ...log('w')];
      late = [];
      return both;
    };
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(90_000);
    expect(guest.pressed).toEqual(['8', 'w', 'w', 'h', 'w', 'w', 'h', 't', 'h', '7']);
    expect(guest.findings[0]).toMatchObject({ complete: true, incompleteBecause: [] });
  });

  it('says of which dump the fence is missing', () => {
    const log = answers(golden('page-in'));
    let dumps = 0;
    const press = (key: SysrqKey) => {
      if (key === 'w') dumps += 1;
      return key === 'h' && dumps === 2 ? [] : log(key);
    };
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(120_000);
    const [finding] = guest.findings;
    expect(finding?.evidence.map(({ name, complete }) => [name, complete])).toEqual([
      ['sysrq-w.1', true],
      ['sysrq-w.2', false],
      ['sysrq-t', false],
    ]);
    expect(finding?.incompleteBecause.slice(0, 2)).toEqual([
      'sysrq-w.2: ended by silence, not by its fence',
      'sysrq-w.2: no fence (sysrq HELP) behind it: its end may be missing',
    ]);
  });

  it('ends a dump whose fence never comes, after pressing it again', () => {
    const press = (key: string) => (key === 'h' ? [] : answers(golden('page-in'))(key as 'w'));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(150_000);
    const [finding] = guest.findings;
    expect(finding?.evidence.map(({ endedBy }) => endedBy)).toEqual(['silence', 'silence', 'silence']);
    expect(finding?.complete).toBe(false);
    expect(guest.pressed.filter((key) => key === 'h')).toHaveLength(12);
  });

  it('files a blind boot only after a long silence', () => {
    const press = (key: string) => (key === 'w' ? [REFUSED] : answers(golden('page-in'))(key as 'h'));
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press })).run(120_000);
    expect(guest.findings).toHaveLength(0);
    expect(guest.run(180_000).findings).toHaveLength(1);
  });
});

describe('a guest whose vCPUs are all busy, and nothing is blocked', () => {
  const press = keptFromRunning(answers(golden('idle')));
  const look = (at: number): Look => ({
    ...running,
    qmp: { ok: true, runState: 'running', vcpus: [{ index: 0, threadId: 9, cpuMs: at }], block: null },
  });

  it('is left to its work for a minute, then it is spinning', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press, look })).run(85_000);
    expect(guest.findings).toEqual([]);
    expect(guest.run(25_000).findings[0]?.analysis.verdict).toMatchObject({
      class: 'spinning',
      confidence: 'low',
    });
  });

  it('is at work, and its network is lost, where its SSH server sleeps', () => {
    const sleeps = answers(golden('idle'));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press: sleeps, look })).run(600_000);
    expect([guest.findings, guest.state.restraint.judged?.class]).toEqual([[], 'network-only']);
  });

  it('is only idle where QEMU does not tell its vCPUs', () => {
    const silent = (): Look => ({
      ...look(0),
      qmp: { ok: true, runState: 'running', vcpus: [], block: null },
    });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press, look: silent })).run(600_000);
    expect(guest.findings).toEqual([]);
  });
});

it('does not accuse a guest that hears no keys, when its SSH is back within half a minute', () => {
  const ssh = (at: number) => (at > 30_000 && at < 55_000 ? ('timed-out' as const) : ('ok' as const));
  const guest = booted(new VirtualGuest({ ssh, press: () => [] })).run(300_000);
  expect(guest.findings).toEqual([]);
});

describe('a guest whose SSH is off', () => {
  const config = 'ssh: {enabled: false}';
  const busy = (at: number): Look => ({
    ...running,
    qmp: { ok: true, runState: 'running', vcpus: [{ index: 0, threadId: 9, cpuMs: at }], block: null },
  });

  it('is accused by a task that is blocked at the same place in two dumps', () => {
    const guest = booted(new VirtualGuest({ config })).run(60_000);
    expect(guest.findings[0]?.analysis.verdict.frame).toBe('filemap_fault');
  });

  it('is not accused because all its vCPUs are busy', () => {
    const guest = booted(new VirtualGuest({ config, press: answers(golden('idle')), look: busy }));
    expect(guest.run(4 * 3_600_000).findings).toEqual([]);
  });
});

describe('work that looks like a hang', () => {
  const MINUTES = 60_000;
  const LOST = 30_000;
  /** A vCPU that runs for one share of the time, and waits for the host in another; the server as given. */
  const onBusyHost =
    (ran: number, waited: number, server: string) =>
    (now: number): Look => ({
      ...running,
      qmp: {
        ok: true,
        runState: 'running',
        vcpus: [{ index: 0, threadId: 1, cpuMs: ran * now, waitedMs: waited * now }],
        block: null,
      },
      shares: [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: server } }],
    });
  const pageIn = answers(golden('page-in'));
  /** Its disk does a hundred requests a second, and the server of its share runs. */
  const working =
    (cpuMs: (at: number) => number) =>
    (now: number): Look => ({
      ...running,
      qmp: {
        ok: true,
        runState: 'running',
        vcpus: [{ index: 0, threadId: 1, cpuMs: cpuMs(now) }],
        block: { reads: Math.floor(now / 10), writes: 0 },
      },
      shares: [],
    });
  const reading = working(() => 0);
  /** Of every task one switch more with each dump. */
  const switching = () => {
    let dumps = 0;
    return (key: SysrqKey) => {
      dumps += 1;
      return pageIn(key).map((line) =>
        line.replace(
          /^(\[[ .\d]+\] {1,2}>?[A-Z] .{15} +\d+ +-?\d+\.\d+ +)(\d+)/,
          (_, head: string, switches: string) => `${head}${Number(switches) + dumps}`,
        ),
      );
    };
  };

  it('a guest that the host keeps waiting: only a task that stands still for long is stuck', () => {
    const look = onBusyHost(0.2, 0.6, 'S');
    const guest = booted(new VirtualGuest({ ssh: healthyFor(LOST), press: pageIn, look })).run(60_000);
    expect(guest.findings).toEqual([]);
    expect(guest.state.why[0]).toContain('its vCPUs waited 60 % of the time for a CPU of the host');
    guest.run(2 * MINUTES);
    expect(guest.findings[0]?.analysis.verdict.reasons[0]).toMatch(/exactly the same stack/);
  });

  it('the server of its share is stopped: that the host is busy is no excuse', () => {
    const look = onBusyHost(0.2, 0.6, 'T');
    const guest = booted(new VirtualGuest({ ssh: healthyFor(LOST), press: pageIn, look })).run(60_000);
    expect(guest.findings[0]?.capturedAt).toBeLessThan(LOST + 15_000);
  });

  it('the server of its share is stopped: that another disk moves is no excuse', () => {
    const look = (now: number) => ({ ...reading(now), shares: running.shares });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(LOST), press: pageIn, look })).run(60_000);
    expect(guest.findings[0]?.capturedAt).toBeLessThan(LOST + 15_000);
  });

  it.each([
    ['ran for half of the time and never slept: it is busy', 0.6, 0.4, 1],
    ['was hardly run by the host: nothing is proven', 0.3, 0.7, 0],
    ['slept', 0.6, 0.1, 0],
  ])('a vCPU that %s', (_case, ran, waited, incidents) => {
    const press = keptFromRunning(answers(golden('idle')));
    const look = onBusyHost(ran, waited, 'S');
    const guest = booted(new VirtualGuest({ ssh: healthyFor(LOST), press, look })).run(3 * MINUTES);
    expect(guest.findings).toHaveLength(incidents);
  });

  it('a boot that reads its disk, always at the same place: the task runs in between', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press: switching(), look: reading }));
    guest.run(10 * MINUTES);
    expect(guest.findings).toEqual([]);
    expect(guest.pressed).toContain('t');
  });

  it('a boot that does not get on while some disk moves: the task never ran', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press: pageIn, look: reading }));
    guest.run(5 * MINUTES);
    expect(guest.findings[0]?.analysis.verdict.class).toBe('blocked');
  });

  it('a boot that keeps every vCPU busy, and reads', () => {
    const press = keptFromRunning(answers(golden('idle')));
    const look = working((now) => now);
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press, look })).run(10 * MINUTES);
    expect(guest.findings).toEqual([]);
  });

  it('a real-time loop that is young yet is looked at again, and then filed', () => {
    const log = golden('rt-starvation');
    // It has been switched to others in its life before.
    const young = log.map((line) => line.replace(/(>R .{15} +\d+ +-?\d+\.\d+ +)\d+/, '$1500'));
    const press = (key: SysrqKey, now: number) => answers(now > 60_000 ? log : young)(key);
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(90_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['starved']);
    expect(guest.findings[0]?.capturedAt).toBeGreaterThan(60_000);
  });
});
