import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/core/config/schema.js';
import type { JournalEntry } from '../../../src/core/journal/export-format.js';
import {
  guestMatches,
  guestRouter,
  routedFields,
  routeOf,
  unitMatches,
} from '../../../src/core/journal/route.js';

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
    expect(routeOf(console, 'user')).toEqual({
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
    expect(routeOf(manager, 'user')).toEqual({
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
    expect(routeOf(forged, 'user')).toBeNull();
  });

  it('has no route for the rest', () => {
    expect(routeOf(entry({ _TRANSPORT: 'stdout' }), 'user')).toBeNull();
    expect(routeOf(entry({ _TRANSPORT: 'journal', _SYSTEMD_USER_UNIT: 'init.scope' }), 'user')).toBeNull();
  });
});

describe('of the system', () => {
  const unit = 'qemu-system@vm1.service';

  it('a console is that of a system unit, whoever runs its QEMU', () => {
    const console = { _TRANSPORT: 'stdout', _PID: '812', _UID: '64055', _SYSTEMD_INVOCATION_ID: 'f00d' };
    const route = { unit, invocation: 'f00d', pid: 812, kind: 'console' };
    expect(routeOf(entry({ ...console, _SYSTEMD_UNIT: unit }), 'system')).toEqual(route);
  });

  it('the first process speaks of units', () => {
    const said = { _TRANSPORT: 'journal', _SYSTEMD_UNIT: 'init.scope', UNIT: unit, INVOCATION_ID: 'f00d' };
    const route = { unit, invocation: 'f00d', pid: null, kind: 'manager' };
    expect(routeOf(entry(said), 'system')).toEqual(route);
  });

  it('a user’s guest of the same name is another’s, and a user’s manager speaks of none', () => {
    const guestOf = guestRouter(configSchema.parse({}), null, 'system');
    const ofUser = { _SYSTEMD_UNIT: 'user@1000.service', _UID: '1000' };
    expect(guestOf(entry({ ...ofUser, _TRANSPORT: 'stdout', _SYSTEMD_USER_UNIT: unit }))).toBeNull();
    const manager = { ...ofUser, _TRANSPORT: 'journal', _SYSTEMD_USER_UNIT: 'init.scope', USER_UNIT: unit };
    expect(guestOf(entry({ ...manager, UNIT: unit }))).toBeNull();
  });
});

const consoleOf = (unit: string) => entry({ _TRANSPORT: 'stdout', _SYSTEMD_USER_UNIT: unit, _PID: '7' });
const about = (unit: string) =>
  entry({ _TRANSPORT: 'journal', _SYSTEMD_USER_UNIT: 'init.scope', USER_UNIT: unit });
const config = configSchema.parse({ guests: [{ name: 'own', unit: 'own.service' }] });

describe('guestRouter', () => {
  const guestOf = guestRouter(config, 'b', 'user');

  it.each([
    ['a guest of the template', consoleOf('qemu-system@vm-0a1b2c3d.service'), 'vm-0a1b2c3d', 'console'],
    ['a guest with a unit of its own', consoleOf('own.service'), 'own', 'console'],
    ['the manager about a guest', about('qemu-system@vm1.service'), 'vm1', 'manager'],
  ])('knows %s, however often it is asked', (_, one, vm, kind) => {
    for (let asked = 0; asked < 2; asked += 1) expect(guestOf(one)).toMatchObject({ vm, kind });
  });

  it.each([
    ['another unit', consoleOf('shell.service')],
    ['the manager about another unit', about('shell.service')],
    ['the template of a guest with a unit of its own', consoleOf('qemu-system@own.service')],
    ['no unit', entry({ _TRANSPORT: 'stdout' })],
  ])('leaves alone %s', (_, one) => {
    for (let asked = 0; asked < 2; asked += 1) expect(guestOf(one)).toBeNull();
  });

  it('leaves alone other boots, with the same fields, unless it is asked about all', () => {
    const one = consoleOf('own.service');
    expect(guestOf(one)).not.toBeNull();
    expect(guestOf({ ...one, bootId: 'older' })).toBeNull();
    expect(guestRouter(config, null, 'user')({ ...one, bootId: 'older' })).toMatchObject({ vm: 'own' });
  });
});

describe('guestMatches', () => {
  it('binds both alternatives to the user, and no slice', () => {
    expect(guestMatches('user', 7)).toEqual([
      '_UID=7',
      '_TRANSPORT=stdout',
      '+',
      '_UID=7',
      '_SYSTEMD_USER_UNIT=init.scope',
    ]);
  });

  it('asks of the system for what all units print, and the first process', () => {
    expect(guestMatches('system', 0)).toEqual(['_TRANSPORT=stdout', '+', '_SYSTEMD_UNIT=init.scope']);
    expect(routedFields('system')).toMatch(/,_SYSTEMD_UNIT,.*,UNIT,INVOCATION_ID$/);
    expect(unitMatches('system', 0, 'a.service')).toEqual(['_SYSTEMD_UNIT=a.service']);
  });
});
