import { describe, expect, it } from 'vitest';
import type { GuestFacts } from '../../../src/core/model.js';
import { factsOf, NEEDED } from '../../../src/core/ssh/guest-facts.js';
import { armed, gapIn } from '../../../src/core/watch/slices/armed.js';
import { unproven } from '../../../src/core/watch/slices/arming.js';
import { booted, VirtualGuest } from '../../support/virtual-guest.js';

const HELP = '[   12.0] sysrq: HELP : loglevel(0-9) reboot(b) crash(c)';
const well: GuestFacts = { ...factsOf('1\n7\t4\t1\t7\n'), os: 'debian' };
const proven = { ...unproven(), heard: true };

const asked = (guest: VirtualGuest) => guest.effects.filter(({ type }) => type === 'prove-keys').length;
const armedNow = ({ state }: VirtualGuest) => armed(state.arming)?.says ?? null;

/** A guest that is up, and answers h with these lines. */
function healthy(help: string[], config = ''): VirtualGuest {
  const guest = booted(new VirtualGuest({ sysrqMask: 1, config })).run(2_000);
  guest.later(0, { type: 'proof', problem: null });
  guest.lines(help, 100);
  return guest.run(8_000);
}

describe('the proof of a healthy guest', () => {
  it('is HELP on its console, asked for once a boot', () => {
    const guest = healthy([HELP]);
    expect(armedNow(guest)).toBe('yes');
    expect(asked(guest)).toBe(1);
    expect(asked(guest.run(60_000))).toBe(1);
    expect(guest.path).toEqual(['starting', 'up']);
  });

  it('is asked for again when it is due', () => {
    const guest = healthy([HELP]);
    guest.later(0, { type: 'arming-due' });
    expect(asked(guest.run(2_000))).toBe(2);
  });

  it('fails where no HELP comes, or only in the words of a program', () => {
    expect(armedNow(healthy([]))).toBe('no: Alt+SysRq+h brings no HELP to the console');
    expect(armedNow(healthy([`printf: ${HELP}`]))).toMatch(/^no: /);
  });

  it('can be turned off', () => {
    const guest = booted(new VirtualGuest({ sysrqMask: 1, config: 'arm: off' })).run(10_000);
    expect(guest.effects.filter(({ type }) => type === 'prove-keys' || type === 'read-facts')).toEqual([]);
  });

  it('is preceded by the fix only where the owner wants it, and once', () => {
    const fixes = (config: string) => {
      const guest = booted(new VirtualGuest({ sysrqMask: 438, config })).run(2_000);
      guest.later(0, { type: 'armed', problem: 'sudo: a password is required' });
      guest.run(3_000);
      return {
        fixes: guest.effects.filter(({ type }) => type === 'arm-guest').length,
        armed: armedNow(guest),
      };
    };
    expect(fixes('arm: fix')).toEqual({
      fixes: 1,
      armed: 'no: kernel.sysrq=438 lacks bit 8 (not set over SSH: sudo: a password is required)',
    });
    expect(fixes('').fixes).toBe(0);
  });

  it('says what was set over SSH', () => {
    const fix = 'set over SSH, kernel.sysrq was 438, the loglevel 4';
    expect(armed({ ...proven, facts: well, fix })?.says).toBe(`yes: ${fix}`);
  });
});

describe('the gap and its fix', () => {
  it.each([
    ['debian', /sysctl\.d\/99-sysrq\.conf .*update-grub/],
    ['fedora', /grubby --update-kernel=ALL --args=sysrq_always_enabled/],
    [
      'nixos',
      /boot\.kernel\.sysctl\."kernel\.sysrq" = 1;.* KERNEL_ARGS in ~\/\.config\/systemd\/qemu-system\/VM\.env .*arm: fix/,
    ],
    [null, /or boot with sysrq_always_enabled/],
  ])('for %s', (os, fix) => {
    const gap = gapIn({ ...well, os, sysrqMask: 16 });
    expect(gap).toMatchObject({ what: 'kernel.sysrq=16 lacks bit 8', settable: true });
    expect(gap?.fix).toMatch(fix);
  });

  it('names the symbols that a kernel lacks', () => {
    const symbols = NEEDED.filter((name) => name !== 'SERIO_I8042');
    expect(gapIn({ ...well, symbols })).toEqual({
      what: 'its kernel lacks CONFIG_SERIO_I8042',
      fix: "build the guest's kernel with CONFIG_SERIO_I8042=y",
      settable: false,
    });
    expect(gapIn({ ...well, symbols: [...NEEDED] })).toBeNull();
  });

  it.each([
    [{ sysrqMask: 0, alwaysEnabled: true }, null],
    [{ sysrqMask: 8, loglevel: 4 }, 'kernel.sysrq=8 lacks bit 2, loglevel 4 hides dumps'],
    [{ sysrqMask: 8, loglevel: 7 }, null],
    [{ sysrqMask: null }, 'its kernel has no SysRq'],
    [{ sysrqMask: null, loglevel: null }, null],
  ])('of %j', (changes, what) => {
    expect(gapIn({ ...well, ...changes })?.what ?? null).toBe(what);
  });
});
