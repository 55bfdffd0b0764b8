import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/core/journal/export.js';
import { guestMatches, routeOf } from '../../../src/core/journal/route.js';

const entry = (fields: Record<string, string>): JournalEntry => ({
  cursor: 'c',
  realtimeMs: 0,
  monotonicMs: 0,
  bootId: 'b',
  fields: new Map(Object.entries(fields)),
  message: new Uint8Array(0),
});

describe('routeOf', () => {
  it('knows the console of a guest', () => {
    const console = entry({
      _TRANSPORT: 'stdout',
      _PID: '812',
      _SYSTEMD_USER_UNIT: 'qemu-system@vm1.service',
      _SYSTEMD_INVOCATION_ID: 'f00d',
    });
    expect(routeOf(console)).toEqual({
      unit: 'qemu-system@vm1.service',
      invocation: 'f00d',
      pid: 812,
      kind: 'console',
    });
  });

  it('takes what the user manager says of a unit as said of that unit', () => {
    const manager = entry({
      _TRANSPORT: 'journal',
      _PID: '82',
      _SYSTEMD_USER_UNIT: 'init.scope',
      USER_UNIT: 'qemu-system@vm1.service',
      USER_INVOCATION_ID: 'f00d',
    });
    expect(routeOf(manager)).toEqual({
      unit: 'qemu-system@vm1.service',
      invocation: 'f00d',
      pid: null,
      kind: 'manager',
    });
  });

  it('lets no guest speak as the manager', () => {
    const forged = entry({
      _TRANSPORT: 'journal',
      _SYSTEMD_USER_UNIT: 'qemu-system@vm1.service',
      USER_UNIT: 'other.service',
    });
    expect(routeOf(forged)).toBeNull();
  });

  it('has no route for the rest', () => {
    expect(routeOf(entry({ _TRANSPORT: 'stdout' }))).toBeNull();
    expect(routeOf(entry({ _TRANSPORT: 'journal', _SYSTEMD_USER_UNIT: 'init.scope' }))).toBeNull();
  });
});

describe('guestMatches', () => {
  it('binds every alternative to the user', () => {
    expect(guestMatches({ uid: 7, slice: 'a\\x2db.slice', units: ['own.service'] })).toEqual([
      '_UID=7',
      '_SYSTEMD_USER_SLICE=a\\x2db.slice',
      '+',
      '_UID=7',
      '_SYSTEMD_USER_UNIT=init.scope',
      '+',
      '_UID=7',
      '_SYSTEMD_USER_UNIT=own.service',
    ]);
  });
});
