import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../src/core/capture/ladder.js';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import { KEYLESS } from '../../../src/core/qmp/keyboards.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const speaks = answers(golden('page-in'));
const refused = ['[   12.0] sysrq: This sysrq operation is disabled.'];
const asked = { type: 'capture-asked', note: null, keys: null } as const;
const well: Look = { ...running, shares: [] };

const spinning: Look = {
  ...well,
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [
      {
        index: 0,
        threadId: 1,
        cpuMs: 100,
        samples: ['ffffffff81000010', 'ffffffff81000040'].map((pc) => ({
          pc,
          halted: false,
          user: false,
          masked: true,
        })),
      },
    ],
    block: null,
  },
};

/** A mask that lets only some keys of the keyboard through; SSH is not bound by it. */
const masked = (allowed: string) => (key: SysrqKey, _at: number, via: Channel) => {
  if (via === 'sysrq-trigger') return speaks(key);
  if (!allowed.includes(key)) return refused;
  // Without the digits the loglevel stays, and hides all but the header.
  return allowed.includes('8') ? speaks(key) : speaks(key).slice(0, 1);
};

const byHand = (guest: VirtualGuest): VirtualGuest => {
  booted(guest).run(30_000);
  guest.later(0, asked);
  return guest.run(60_000);
};

const rungsOf = ({ findings }: VirtualGuest) =>
  findings[0]?.rungs.map(({ rung, outcome }) => `${rung} ${outcome}`);

describe('the ladder', () => {
  it('says that the keys worked where they did', () => {
    expect(rungsOf(byHand(new VirtualGuest()))).toEqual(['send-key worked']);
  });

  it.each([
    ['438', '0123456789h'],
    ['16', 'h'],
    ['8, where the loglevel hides what is allowed', 'wtlh'],
  ])('writes to /proc/sysrq-trigger where the mask refuses the keys and SSH runs: %s', (_mask, allowed) => {
    const guest = byHand(new VirtualGuest({ press: masked(allowed) }));
    expect(rungsOf(guest)).toEqual(['send-key failed', 'sysrq-trigger worked']);
    const [finding] = guest.findings;
    expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
    expect(finding?.evidence.map(({ name, endedBy }) => [name, endedBy])).toEqual([
      ['sysrq-w.1', 'fence'],
      ['sysrq-t', 'fence'],
    ]);
    expect(finding?.analysis.verdict.frame).toBe('filemap_fault');
    // The loglevel goes back the way it came.
    expect(guest.effects.findLast(({ type }) => type === 'press')).toMatchObject({ via: 'sysrq-trigger' });
  });

  it('samples the registers where the loglevel hides what the keys bring, and nothing better is left', () => {
    const config = 'ssh: {enabled: false}';
    const guest = byHand(new VirtualGuest({ press: masked('wtlh'), config, look: () => spinning }));
    expect(rungsOf(guest)?.filter((text) => !text.endsWith('skipped'))).toEqual([
      'send-key failed',
      'registers worked',
    ]);
    const [finding] = guest.findings;
    expect(finding?.rungs[0]?.detail).toMatch(/^the loglevel cannot be raised by these keys/);
    expect(finding?.incompleteBecause).toEqual([
      'sysrq-w.1: no task lines: nothing is blocked, or the console loglevel hides them',
      'sysrq-t: the bodies are hidden: the console loglevel is below 7',
    ]);
  });

  it.each([
    ['was read, and goes with what the guest says', 438, '0123456789h', 'kernel.sysrq=438 lacks bit 8'],
    ['was set since', 438, 'h', "kernel.sysrq lacks bit 8, as systemd's default 16 does"],
    ['was set since', 16, '0123456789h', "kernel.sysrq lacks bit 8, as Debian's default 438 does"],
    ['was set since', 0, 'h', "kernel.sysrq lacks bit 8, as systemd's default 16 does"],
  ])('names the mask that %s: %d', (_how, sysrqMask, allowed, words) => {
    const script = { press: masked(allowed), ssh: healthyFor(30_000), sysrqMask };
    const guest = booted(new VirtualGuest(script)).run(120_000);
    expect(guest.findings[0]?.incompleteBecause).toEqual([`the guest refuses its dumps: ${words}`]);
  });

  const deaf = 'interrupts off on its CPU 0';
  const noDriver = 'no PS/2 keyboard driver in its kernel';
  it.each([
    [null, well, `${noDriver}, kernel.sysrq=0, or ${deaf}`],
    [1, well, `${noDriver}, kernel.sysrq set to 0 since it was 1, or ${deaf}`],
    [0, spinning, 'kernel.sysrq=0'],
    [1, spinning, 'interrupts are off on its CPU 0'],
  ])('says why a guest may be mute, as far as mask %s and its registers tell', (sysrqMask, look, words) => {
    const script = { press: () => [], ssh: healthyFor(30_000), look: () => look, sysrqMask };
    const guest = booted(new VirtualGuest(script)).run(300_000);
    expect(guest.findings[0]?.incompleteBecause).toEqual([`the guest does not answer Alt+SysRq: ${words}`]);
  });

  it('says that a guest has no keyboard, and what helps, where QEMU says so', () => {
    const keyless = { fault: 'no-keyboard', detail: KEYLESS } as const;
    const press = (_key: SysrqKey, _at: number, via: Channel) => (via === 'send-key' ? [] : keyless);
    const script = { press, ssh: healthyFor(30_000), look: () => well, sysrqMask: 1 };
    const [finding] = booted(new VirtualGuest(script)).run(300_000).findings;
    expect(finding?.incompleteBecause).toEqual([`the guest does not answer Alt+SysRq: ${KEYLESS}`]);
    expect(finding?.rungs).toContainEqual({ rung: 'input-send-event', outcome: 'failed', detail: KEYLESS });
  });

  it('keeps the words of the refusal where SSH is lost as well', () => {
    const script = { press: masked('0123456789h'), ssh: healthyFor(30_000), sysrqMask: 438 };
    const guest = booted(new VirtualGuest(script)).run(120_000);
    const [finding] = guest.findings;
    expect(finding?.incompleteBecause).toEqual(['the guest refuses its dumps: kernel.sysrq=438 lacks bit 8']);
    expect(finding?.rungs).toMatchObject([
      { rung: 'send-key', outcome: 'failed', detail: 'the guest refuses: kernel.sysrq=438 lacks bit 8' },
      { rung: 'sysrq-trigger', outcome: 'skipped', detail: 'SSH does not answer: timed-out' },
      { rung: 'input-send-event', outcome: 'skipped' },
      { rung: 'second-keyboard', outcome: 'skipped' },
      { rung: 'console', outcome: 'skipped' },
      { rung: 'registers', outcome: 'failed', detail: 'QEMU gives no registers' },
      { rung: 'inject-nmi', outcome: 'skipped', detail: 'ladder.injectNmi is false' },
      { rung: 'memory-dump', outcome: 'skipped', detail: 'ladder.memoryDump is false' },
    ]);
  });

  it('finds the keyboard that hears, where none answers the first', () => {
    const press = (key: SysrqKey, _at: number, via: Channel) =>
      via === 'second-keyboard' ? speaks(key) : [];
    const guest = byHand(new VirtualGuest({ press, config: 'ssh: {enabled: false}' }));
    expect(rungsOf(guest)).toEqual([
      'send-key failed',
      'sysrq-trigger skipped',
      'input-send-event failed',
      'second-keyboard worked',
    ]);
    expect(guest.findings[0]).toMatchObject({ complete: true });
  });

  it('types on the console of a guest without a keyboard, where that takes keys and the configuration lets it', () => {
    const press = (key: SysrqKey, _at: number, via: Channel) => (via === 'console' ? speaks(key) : []);
    const config = 'ssh: {enabled: false}\nladder: {typeOnConsole: true}';
    const typed = byHand(new VirtualGuest({ press, config, look: () => ({ ...well, typable: true }) }));
    expect(rungsOf(typed)?.slice(-2)).toEqual(['second-keyboard failed', 'console worked']);
    expect(typed.findings[0]).toMatchObject({ complete: true });
    // A shell may take the keys as its input: nothing is typed unasked.
    const unasked = byHand(
      new VirtualGuest({ press, config: 'ssh: {enabled: false}', look: () => ({ ...well, typable: true }) }),
    ).run(60_000);
    expect(unasked.effects).not.toContainEqual(expect.objectContaining({ via: 'console' }));
  });

  it('climbs to the top for a mute guest, and says what each vCPU does', () => {
    const config = 'ladder: {typeOnConsole: true, injectNmi: true, memoryDump: true}';
    const script = { press: () => [], ssh: healthyFor(30_000), look: () => spinning, config };
    const guest = booted(new VirtualGuest(script)).run(300_000);
    expect(guest.findings).toHaveLength(1);
    expect(guest.findings[0]?.rungs.slice(-4)).toEqual([
      {
        rung: 'console',
        outcome: 'skipped',
        detail: 'nothing can be typed on its console: it is no socket and no pty',
      },
      {
        rung: 'registers',
        outcome: 'worked',
        detail:
          'vCPU 0 spins in the kernel at 0xffffffff81000010, 0xffffffff81000040, interrupts off (2 samples)',
      },
      {
        rung: 'inject-nmi',
        outcome: 'worked',
        detail: 'the console says: [   50.0] Uhhuh. NMI received for unknown reason 30 on CPU 0.',
      },
      { rung: 'memory-dump', outcome: 'worked', detail: 'memory.elf, 0.4 GiB' },
    ]);
    expect(guest.findings[0]?.analysis.verdict.reasons.join('\n')).toMatch(
      /Its registers, sampled by QEMU: vCPU 0 spins in the kernel at 0xffffffff81000010/,
    );
    // Not before it was sure to be filed.
    const costly = ({ type }: { type: string }) => type === 'inject-nmi' || type === 'dump-memory';
    expect(guest.effects.filter(costly)).toHaveLength(2);
  });

  it('does not let QEMU wait for a server that is known to be stopped', () => {
    const config = 'ladder: {memoryDump: true}';
    const guest = byHand(new VirtualGuest({ press: () => [], config, look: () => running }));
    expect(guest.findings[0]?.rungs.at(-1)).toEqual({
      rung: 'memory-dump',
      outcome: 'skipped',
      detail: 'the server of share store is in state T: dump-guest-memory would hang QEMU for ever',
    });
  });

  it('asks QEMU for nothing more where QMP is what fails', () => {
    const guest = byHand(new VirtualGuest({ press: () => null, config: 'ssh: {enabled: false}' }));
    expect(rungsOf(guest)?.filter((text) => text.endsWith('worked'))).toEqual([]);
    expect(guest.findings[0]).toMatchObject({ complete: false });
  });

  it('ends where the guest answers again', () => {
    const ssh = (at: number) => (at < 30_000 || at > 48_000 ? ('ok' as const) : ('timed-out' as const));
    const guest = booted(new VirtualGuest({ press: () => [], ssh, look: () => well })).run(80_000);
    expect([guest.findings, guest.state.name, guest.state.case]).toEqual([[], 'up', null]);
  });
});
