import { describe, expect, it } from 'vitest';
import { reviveState, type SavedState } from '../../../src/core/watch/saved.js';
import { initialState } from '../../../src/core/watch/state.js';
import { booted, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const saved = (value: object) => JSON.parse(JSON.stringify(value)) as SavedState;

describe('a state that a timeline kept', () => {
  it('comes back as it was', () => {
    const { state } = booted(new VirtualGuest({ ssh: healthyFor(30_000) })).run(90_000);
    expect(state.name).toBe('held');
    const revived = reviveState(saved(state));
    expect(revived).toEqual(state);
    expect(revived.console.progress.toJSON()).toEqual(state.console.progress.toJSON());
  });

  it('has first values for the members that it lacks', () => {
    const { restraint, host, ...rest } = initialState('vm1', 5);
    const { stood, ...older } = restraint;
    expect(stood).toBeNull();
    expect(reviveState(saved({ ...rest, restraint: { ...older, patience: 3 } }))).toEqual({
      ...initialState('vm1', 5),
      host,
      restraint: { ...restraint, patience: 3 },
    });
  });

  it('of the version before, in which the slices lay side by side, is read too', () => {
    const { console, ssh, command } = initialState('vm1', 5);
    const flat = {
      ...{ vm: 'vm1', name: 'up', since: 5, why: ['SSH answers'], invocation: 'abc' },
      boot: { at: 7, by: 'kernel' },
      phase: { name: 'up', since: 8, quiet: null },
      learned: { kernel: [7] },
      ...{ lastTickAt: 9, lastWallMs: 10, host: null, console, ssh: { ...ssh, lastOkAt: 11, command } },
      ...{
        facts: null,
        seen: [],
        arming: { askedAt: null, heard: true, problem: null, fix: null },
        case: null,
      },
      ...{ filed: [1], looks: [2, 3], notBefore: 12, cooldownMs: 13, lastIncident: 'i2', incident: 'i1' },
      complained: [{ key: 'k', at: 14 }],
      ...{ filedFor: 'command', doubted: null, patience: 2, judged: null },
    };
    expect(reviveState(saved(flat))).toMatchObject({
      boot: { invocation: 'abc', sign: { at: 7, by: 'kernel' }, phase: { name: 'up' } },
      qemu: { machine: null, learned: { kernel: [7] }, learnedFor: null, asked: { pauseMs: 2_000 } },
      host: { lastTickAt: 9, lastWallMs: 10, now: null },
      ...{ ssh: { lastOkAt: 11 }, command: { hangs: 0 }, arming: { heard: true, facts: null }, looks: [] },
      restraint: { filed: [1], looks: [2, 3], notBefore: 12, cooldownMs: 13, patience: 2, stood: null },
      filings: { newest: 'i2', incident: 'i1', complained: [{ key: 'k', at: 14 }], filedFor: 'command' },
    });
  });

  it('of that version in the middle of a case begins anew', () => {
    const { console, ssh, command } = initialState('vm1', 5);
    const flat = { vm: 'vm1', name: 'confirming', since: 5, why: ['w'], console, ssh: { ...ssh, command } };
    const revived = reviveState(saved({ ...flat, notBefore: 0, case: { startedAt: 3 } }));
    expect([revived.name, revived.case]).toEqual(['unknown', null]);
  });
});
