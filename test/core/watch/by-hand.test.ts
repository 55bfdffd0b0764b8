import { describe, expect, it } from 'vitest';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import { NO_FACTS } from '../../../src/core/ssh/guest-facts.js';
import { dead } from '../../support/panicked.js';
import {
  answers,
  BOOT,
  booted,
  golden,
  healthyFor,
  running,
  VirtualGuest,
} from '../../support/virtual-guest.js';

describe('a capture by hand', () => {
  const asked = { type: 'capture-asked', note: 'before the upgrade', keys: null } as const;
  const drops = ({ effects }: VirtualGuest) =>
    effects.flatMap((effect) => (effect.type === 'drop' ? [effect.why] : []));

  it('is filed whatever it shows, and accuses nobody', () => {
    const guest = booted(new VirtualGuest({ press: answers(golden('idle')) })).run(30_000);
    guest.later(0, asked);
    guest.run(20_000);
    const [finding] = guest.findings;
    expect(finding).toMatchObject({
      why: ['asked for by hand'],
      note: 'before the upgrade',
      wedgedSince: null,
      complete: true,
    });
    expect(finding?.analysis.verdict.class).toBe('none');
    expect(guest.state.name).toBe('up');
  });

  it('asks for the dumps that were named, in their order, and is whole without the others', () => {
    const blocks = answers(golden('idle'));
    const memory = ['[   10.5] sysrq: Show Memory', '[   10.5] Mem-Info:'];
    const guest = booted(new VirtualGuest({ press: (key) => (key === 'm' ? memory : blocks(key)) })).run(
      30_000,
    );
    guest.later(0, { ...asked, keys: ['m', 'w', 'w'] });
    guest.run(20_000);
    expect(guest.pressed.join('')).toBe('8mhwhwh7');
    const [finding] = guest.findings;
    expect(finding?.evidence.map(({ name, key, complete }) => [name, key, complete])).toEqual([
      ['sysrq-m', 'm', true],
      ['sysrq-w.1', 'w', true],
      ['sysrq-w.2', 'w', true],
    ]);
    expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
  });

  it('puts back the loglevel that the guest has now, whatever is read while it is raised', () => {
    const guest = booted(new VirtualGuest({ press: answers(golden('idle')) })).run(30_000);
    guest.later(0, { ...asked, facts: { ...NO_FACTS, sysrqMask: 1, loglevel: 3 } });
    guest.later(400, { type: 'facts', facts: { ...NO_FACTS, sysrqMask: 1, loglevel: 8 } });
    guest.run(20_000);
    expect(guest.pressed.at(-1)).toBe('3');
  });

  it('leaves a held guest held', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000) })).run(60_000);
    guest.later(0, asked);
    guest.run(120_000);
    expect(guest.findings).toHaveLength(2);
    expect(guest.state.name).toBe('held');
  });

  it('of a guest that panics meanwhile leaves it panicked', () => {
    const healthy = answers(golden('idle'));
    const script = { ssh: healthyFor(30_100), look: dead };
    const press = (key: SysrqKey, at: number) => (at < 30_150 ? healthy(key) : []);
    const guest = booted(new VirtualGuest({ ...script, press })).run(30_000);
    guest.later(0, asked);
    guest.lines(['[  150.0] Kernel panic - not syncing: Fatal exception'], 150);
    guest.run(60_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['panicked']);
    expect(guest.state.name).toBe('panicked');
  });

  it("of a paused guest is refused at once, in QEMU's words", () => {
    const look = (): Look => ({ ...running, qmp: { ok: true, runState: 'paused', vcpus: [], block: null } });
    const guest = booted(new VirtualGuest({ look })).run(30_000);
    guest.later(0, asked);
    guest.run(1_000);
    expect(drops(guest)).toEqual(["QEMU's run state is paused"]);
    expect([guest.findings, guest.pressed, guest.state.name]).toEqual([[], [], 'up']);
  });

  it('is given up, and that is said, when the guest reboots under it', () => {
    const guest = booted(new VirtualGuest({ press: () => [] })).run(60_000);
    guest.later(0, asked);
    guest.lines(BOOT, 1_500);
    guest.run(5_000);
    expect(drops(guest)).toEqual([
      'the guest began a new boot in the middle of the capture (the console shows a new boot)',
    ]);
    expect(guest.findings).toEqual([]);
  });
});
