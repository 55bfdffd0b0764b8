/** What cannot be seen, or may be mere work: how long it is doubted, and in which words it ends. */
import { describe, expect, it } from 'vitest';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import {
  answers,
  booted,
  golden,
  healthyFor,
  keptFromRunning,
  running,
  VirtualGuest,
} from '../../support/virtual-guest.js';

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
    expect([guest.findings, guest.state.judged?.class]).toEqual([[], 'network-only']);
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
