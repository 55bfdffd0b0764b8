/** What journalctl of three systemds printed of the same units: test/golden/record-journal.mjs has them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/core/config/schema.js';
import { ExportParser, type JournalEntry } from '../../../src/core/journal/export-format.js';
import { guestRouter } from '../../../src/core/journal/route.js';

const CONSOLE = (vm: string) => [
  `[    0.000000] Linux version 6.12.43 of ${vm}`,
  '\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mjob\x1b[0m.',
  '\x1bM\r\x1b[K[ ***  ] (1 of 2) A start job is running',
  'bad \xff\xfe bytes',
  'tab\tand \xc3\xbc',
  'cut behind',
  'before',
  'after',
  'MESSAGE=forged',
  '__CURSOR=forged',
  '_BOOT_ID=forged',
  'localhost login:',
];

const text = ({ message }: JournalEntry) => Buffer.from(message).toString('latin1');

/** The values of a field that is always text, by another way than the parser's. */
const valuesOf = (recorded: Buffer, name: string): string[] =>
  [...recorded.toString('latin1').matchAll(new RegExp(`^${name}=([0-9a-f;=a-z]+)$`, 'gm'))].map(
    ([, value = '']) => value,
  );

describe.each(['bookworm', 'trixie', 'sid'])('recorded on Debian %s', (suite) => {
  const recorded = readFileSync(new URL(`../../golden/journal/${suite}.export`, import.meta.url));
  const entries = new ExportParser().push(recorded);
  const boot = entries[0]?.bootId ?? '';
  const guestOf = guestRouter(configSchema.parse({}), boot, 'user');
  const rowsOf = (vm: string, kind: string) =>
    entries.flatMap((entry) => {
      const route = guestOf(entry);
      return route?.vm === vm && route.kind === kind ? [{ entry, route }] : [];
    });

  it('every entry is read, with its cursor, times and boot', () => {
    const times = (name: string) => valuesOf(recorded, name).map((us) => Number(us) / 1000);
    expect(entries.length).toBeGreaterThan(40);
    expect(entries.map(({ cursor }) => cursor)).toEqual(valuesOf(recorded, '__CURSOR'));
    expect(entries.map(({ realtimeMs }) => realtimeMs)).toEqual(times('__REALTIME_TIMESTAMP'));
    expect(entries.map(({ monotonicMs }) => monotonicMs)).toEqual(times('__MONOTONIC_TIMESTAMP'));
    expect(boot).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(entries.map(({ bootId }) => bootId))).toEqual(new Set([boot]));
  });

  // One is in machine.slice, the other in the slice that a template has by itself.
  it.each(['vm-0a1b2c3d', 'vm-11223344'])('every row of %s is its own, byte for byte', (vm) => {
    const rows = rowsOf(vm, 'console');
    expect(rows.map(({ entry }) => text(entry))).toEqual(['registered', ...CONSOLE(vm)]);
    expect(new Set(rows.map(({ route }) => route.unit))).toEqual(new Set([`qemu-system@${vm}.service`]));
    const [invocation, ...others] = new Set(rows.map(({ route }) => route.invocation));
    expect(invocation).toMatch(/^[0-9a-f]{32}$/);
    expect(others).toEqual([]);
    const started = rowsOf(vm, 'manager').filter(({ entry }) => text(entry).startsWith('Started'));
    expect(started.map(({ route }) => route.invocation)).toEqual([invocation]);
  });

  it('what other units say is no guest’s', () => {
    const other = entries.filter((entry) => text(entry) === 'not a guest');
    expect(other.map((entry) => entry.fields.get('_SYSTEMD_USER_UNIT'))).toEqual(['other.service']);
    expect(other.map(guestOf)).toEqual([null]);
  });
});
