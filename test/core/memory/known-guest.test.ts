import { describe, expect, it } from 'vitest';
import { createBuilds } from '../../../src/core/memory/builds.js';
import { KnownGuest } from '../../../src/core/memory/known-guest.js';
import { handmade } from './by-hand.js';

/** `elsewhere`: a vCPU that runs on page tables of which the kernel knows nothing. */
function known() {
  const { machine, registers } = handmade();
  const guest = new KnownGuest(machine, createBuilds());
  return { guest, here: [registers], elsewhere: [{ ...registers, cr3: 0x1f0_0000n }] };
}

describe('a kernel that a reboot has left whole in memory', () => {
  it('is the guest’s no more once no vCPU runs on it', () => {
    const { guest, here, elsewhere } = known();
    expect(guest.kernelNow(here, 0)).toMatchObject({ release: '6.9.1-hand' });
    expect(guest.kernelNow([], 1)).toMatchObject({ release: '6.9.1-hand' });
    expect(guest.kernelNow(elsewhere, 2)).toContain('is not of a running kernel');
    expect(guest.kernelNow(here, 20)).toMatchObject({ release: '6.9.1-hand' });
  });

  it('is not sampled by its clock, which stands, until the registers were asked', () => {
    const { guest, here, elsewhere } = known();
    expect(guest.sample(null, 0, 20)).toMatchObject({ ok: true });
    expect(guest.sample(null, 15, 20)).toEqual({
      ok: false,
      why: 'the clock of its kernel stands',
      fix: null,
    });
    expect(guest.sample(here, 15, 20)).toMatchObject({ ok: true });
    expect(guest.sample([], 30, 20)).toMatchObject({ ok: true });
    expect(guest.sample(elsewhere, 45, 20)).toMatchObject({ ok: false });
  });
});
