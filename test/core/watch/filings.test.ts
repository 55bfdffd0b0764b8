/** The archive could keep nothing of a hang: it is not muted by that, and its guest is not dumped without end. */
import { describe, expect, it } from 'vitest';
import { booted, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const MINUTE = 60_000;
const FULL = 'no space left on the device';
const wedged = { ssh: healthyFor(30_000), sysrqMask: 1 };

describe('a hang of which the archive could keep nothing', () => {
  it('is not held, says why, and is filed once the archive works', () => {
    const archive = (at: number) => (at < MINUTE ? FULL : null);
    const guest = booted(new VirtualGuest({ ...wedged, archive })).run(MINUTE);
    expect(guest.findings).toHaveLength(1);
    expect(guest.state.name).toBe('suspect');
    expect(guest.state.why).toEqual([
      expect.stringMatching(/^pagein:109 stuck/) as string,
      `not archived: ${FULL}`,
    ]);
    expect(guest.state.filings).toMatchObject({ newest: null, incident: null });
    guest.run(4 * MINUTE);
    expect(guest.findings).toHaveLength(2);
    expect(guest.state.filings.incident).toBe('incident-2');
    expect(guest.state.name).toBe('held');
    guest.run(60 * MINUTE);
    expect(guest.findings).toHaveLength(2);
  });

  it('is captured again ever more rarely while it cannot be kept', () => {
    const guest = booted(new VirtualGuest({ ...wedged, archive: () => FULL })).run(2 * 60 * MINUTE);
    expect(guest.findings.length).toBeGreaterThanOrEqual(5);
    expect(guest.findings.length).toBeLessThanOrEqual(8);
  });

  it('may be said again by the kernel, after the pause', () => {
    const guest = booted(new VirtualGuest({ archive: (at) => (at < 2 * MINUTE ? FULL : null) })).run(30_000);
    const report = '[  150.0] INFO: task mount:88 blocked for more than 120 seconds.';
    for (let second = 0; second < 300; second += 20) guest.lines([report], second * 1000);
    guest.run(5 * MINUTE);
    expect(guest.findings).toHaveLength(2);
    expect(guest.state.filings.newest).toBe('incident-2');
  });

  it('that was asked for by hand is over', () => {
    const guest = booted(new VirtualGuest({ archive: () => FULL })).run(30_000);
    guest.later(0, { type: 'capture-asked', note: null, keys: null });
    guest.run(10 * MINUTE);
    expect(guest.findings).toHaveLength(1);
    expect(guest.state.name).toBe('up');
  });
});
