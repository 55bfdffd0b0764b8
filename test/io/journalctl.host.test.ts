/** followJournal against the real journalctl, on journals that systemd-journal-remote writes: no journald needed. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { guestMatches, guestRouter } from '../../src/core/journal/route.js';
import { type FollowedEntry, followJournal, type JournalPosition } from '../../src/io/journal.js';
import type { SourceStatus } from '../../src/io/source-status.js';
import { consoleFields, exportEntry, type Fields } from '../fixtures/export-format.js';

const REMOTE = '/usr/lib/systemd/systemd-journal-remote';

let directory: string;
let stop: AbortController;

beforeAll(() => {
  if (!existsSync(REMOTE)) throw new Error(`${REMOTE} is missing: apt-get install systemd-journal-remote`);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wedgewatch-journal-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(directory, { recursive: true });
});

async function write(name: string, entries: readonly Fields[]): Promise<void> {
  const input = Buffer.concat(entries.map((fields) => exportEntry(fields)));
  await execa(REMOTE, [`--output=${join(directory, `${name}.journal`)}`, '-'], { input, timeout: 20_000 });
}

function start(position: JournalPosition | null = null) {
  const entries: FollowedEntry[] = [];
  const statuses: SourceStatus[] = [];
  const done = followJournal({
    matches: guestMatches('user', 1000),
    position,
    source: [`--directory=${directory}`],
    onEntries: (batch) => void entries.push(...batch),
    onStatus: (status) => statuses.push(status),
    signal: stop.signal,
  });
  const live = () => vi.waitFor(() => expect(statuses.at(-1)?.state).toBe('live'), { timeout: 10_000 });
  return { entries, statuses, done, live };
}

const text = (entry: FollowedEntry) => Buffer.from(entry.message).toString('latin1');
const row = (message: string, ageMs: number, unit?: string, slice?: string): Fields =>
  consoleFields({
    realtimeUs: Math.round((Date.now() - ageMs) * 1000),
    monotonicUs: 9_000_000_000 - ageMs * 1000,
    message: Buffer.from(message, 'latin1'),
    ...(unit === undefined ? {} : { unit }),
    ...(slice === undefined ? {} : { slice }),
  });
const without = (fields: Fields, names: readonly string[]) =>
  fields.filter(([name]) => !names.includes(name));

describe('followJournal with journalctl', () => {
  it('delivers rows byte for byte, of this user and boot only, more than ten of them', async () => {
    const hostile = '\x1b[K[ * ] a\rb \xff\xfe';
    const others: Fields[] = [
      [...without(row('another user', 55_000), ['_UID']), ['_UID', '1001']],
      [...without(row('no output', 54_000), ['_TRANSPORT']), ['_TRANSPORT', 'syslog']],
      [...without(row('last boot', 56_000), ['_BOOT_ID']), ['_BOOT_ID', 'f'.repeat(32)]],
    ];
    const rows = Array.from({ length: 30 }, (_, i) => row(`row ${i}`, 40_000 - i));
    await write('a', [row('too old', 16 * 60_000), ...others, row(hostile, 50_000), ...rows]);
    const { entries, live, done } = start();
    await live();
    stop.abort();
    await done;
    expect(entries.map(text)).toEqual([hostile, ...rows.map((_, i) => `row ${i}`)]);
    expect(entries[0]?.monotonicMs).toBeCloseTo(9_000_000 - 50_000, 3);
  });

  it('finds guests in whatever slice by their unit, and drops what other units say', async () => {
    const manager: Fields = [
      ...without(row('Started vm1.', 53_000, 'init.scope'), ['_SYSTEMD_USER_SLICE', '_TRANSPORT']),
      ['_TRANSPORT', 'journal'],
      ['USER_UNIT', 'qemu-system@vm1.service'],
    ];
    await write('a', [
      manager,
      row('vm1 1', 52_000, 'qemu-system@vm1.service', 'machine.slice'),
      row('chatter', 51_000, 'shell.service', 'app.slice'),
      row('vm2 1', 50_000, 'qemu-system@vm2.service'),
      without(row('own 1', 49_000, 'own.service'), ['_SYSTEMD_USER_SLICE']),
      row('chatter', 48_000, 'shell.service', 'machine.slice'),
    ]);
    const { entries, live } = start();
    await live();
    await write('a', [row('vm1 2', 0, 'qemu-system@vm1.service', 'machine.slice')]);
    await write('b', [row('vm3 1', 0, 'qemu-system@vm3.service', 'other.slice')]);
    const config = configSchema.parse({ guests: [{ name: 'own', unit: 'own.service' }] });
    const guestOf = guestRouter(config, null, 'user');
    const said = () =>
      entries.flatMap((entry) => {
        const route = guestOf(entry);
        return route === null ? [] : [[route.vm, route.kind, text(entry)]];
      });
    await vi.waitFor(() => expect(said()).toHaveLength(6), { timeout: 10_000 });
    expect(said()).toEqual([
      ['vm1', 'manager', 'Started vm1.'],
      ['vm1', 'console', 'vm1 1'],
      ['vm2', 'console', 'vm2 1'],
      ['own', 'console', 'own 1'],
      ['vm1', 'console', 'vm1 2'],
      ['vm3', 'console', 'vm3 1'],
    ]);
  });

  it('sees what is logged later, also in a journal file that is new, and a guest that is new', async () => {
    await write('a', [row('first', 60_000)]);
    const { entries, live } = start();
    await live();
    await write('a', [row('second', 0)]);
    await vi.waitFor(() => expect(entries.map(text)).toEqual(['first', 'second']), { timeout: 10_000 });
    await write('b', [row('third', 0, 'qemu-system@vm2.service')]);
    await vi.waitFor(() => expect(entries.map(text)).toEqual(['first', 'second', 'third']), {
      timeout: 10_000,
    });
  });

  it('goes on from a position without loss or repeat', async () => {
    await write(
      'a',
      Array.from({ length: 20 }, (_, i) => row(`row ${i}`, 60_000 - i)),
    );
    const first = start();
    await first.live();
    stop.abort();
    await first.done;
    const at = first.entries[11]!;
    stop = new AbortController();
    const recent = start({ cursor: at.cursor, realtimeMs: at.realtimeMs });
    await recent.live();
    expect(recent.entries.filter((entry) => !entry.replayed).map(text)).toEqual(
      first.entries.slice(12).map(text),
    );
    expect(recent.entries).toHaveLength(20);
    const old = start({ cursor: at.cursor, realtimeMs: Date.now() - 3_600_000 });
    await old.live();
    expect(old.entries.map(text)).toEqual(first.entries.slice(12).map(text));
  });

  it.each([
    ['that is another unit’s', row('not a guest', 3_600_500, 'shell.service')],
    [
      'that nothing asks for',
      [...without(row('syslog', 3_600_500), ['_TRANSPORT']), ['_TRANSPORT', 'syslog']],
    ],
  ] as [string, Fields][])('goes on from a position %s', async (_, between) => {
    await write('a', [row('before', 3_601_000), between, row('first', 3_600_000), row('second', 60_000)]);
    const cursors = await execa('journalctl', [`--directory=${directory}`, '--output=json', '--quiet']);
    const { __CURSOR: cursor } = JSON.parse(cursors.stdout.split('\n')[1]!) as { __CURSOR: string };
    const { entries, live } = start({ cursor, realtimeMs: Date.now() - 3_600_500 });
    await live();
    expect(entries.map(text)).toEqual(['first', 'second']);
  });

  it('reads anew where the cursor makes no sense to journalctl', async () => {
    await write('a', [row('here', 60_000)]);
    const { entries, statuses, live } = start({ cursor: 'nonsense', realtimeMs: 1 });
    await live();
    expect(entries.map(text)).toEqual(['here']);
    expect(statuses.find(({ state }) => state === 'down')?.detail).toMatch(/Failed to seek to cursor/);
  });
});
