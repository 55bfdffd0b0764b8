/** followJournal against the real journalctl, on journals that systemd-journal-remote writes: no journald needed. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { guestMatches, routeOf } from '../../src/core/journal/route.js';
import { type FollowedEntry, followJournal, type JournalPosition } from '../../src/io/journal.js';
import type { SourceStatus } from '../../src/io/source-status.js';
import { consoleFields, exportEntry, type Fields } from '../fixtures/export-format.js';

const REMOTE = '/usr/lib/systemd/systemd-journal-remote';
const SLICE = 'app-qemu\\x2dsystem.slice';

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
  const input = Buffer.concat(entries.map(exportEntry));
  await execa(REMOTE, [`--output=${join(directory, `${name}.journal`)}`, '-'], { input, timeout: 20_000 });
}

function start(position: JournalPosition | null = null) {
  const entries: FollowedEntry[] = [];
  const statuses: SourceStatus[] = [];
  const done = followJournal({
    matches: guestMatches({ uid: 1000, slice: SLICE, units: ['own.service'] }),
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
const row = (message: string, ageMs: number, unit?: string): Fields =>
  consoleFields({
    realtimeUs: Math.round((Date.now() - ageMs) * 1000),
    monotonicUs: 9_000_000_000 - ageMs * 1000,
    message: Buffer.from(message, 'latin1'),
    ...(unit === undefined ? {} : { unit }),
  });
const without = (fields: Fields, names: readonly string[]) =>
  fields.filter(([name]) => !names.includes(name));

describe('followJournal with journalctl', () => {
  it('delivers rows byte for byte, of the guests only, more than ten of them', async () => {
    const hostile = '\x1b[K[ * ] a\rb \xff\xfe';
    const others: Fields[] = [
      [...without(row('another user', 55_000), ['_UID']), ['_UID', '1001']],
      without(row('another slice', 54_000, 'shell.service'), ['_SYSTEMD_USER_SLICE']),
    ];
    const manager: Fields = [
      ...without(row('Started vm1.', 53_000, 'init.scope'), ['_SYSTEMD_USER_SLICE', '_TRANSPORT']),
      ['_TRANSPORT', 'journal'],
      ['USER_UNIT', 'qemu-system@vm1.service'],
    ];
    const lastBoot: Fields = [
      ...without(row('last boot', 56_000), ['_BOOT_ID']),
      ['_BOOT_ID', 'f'.repeat(32)],
    ];
    const rows = Array.from({ length: 30 }, (_, i) => row(`row ${i}`, 40_000 - i));
    await write('a', [
      row('too old', 16 * 60_000),
      lastBoot,
      ...others,
      manager,
      without(row('unit elsewhere', 52_000, 'own.service'), ['_SYSTEMD_USER_SLICE']),
      row(hostile, 50_000),
      ...rows,
    ]);
    const { entries, live, done } = start();
    await live();
    stop.abort();
    await done;
    expect(entries.map(text)).toEqual([
      'Started vm1.',
      'unit elsewhere',
      hostile,
      ...rows.map((_, i) => `row ${i}`),
    ]);
    expect(entries.slice(0, 2).map(routeOf)).toEqual([
      { unit: 'qemu-system@vm1.service', invocation: null, pid: null, kind: 'manager' },
      { unit: 'own.service', invocation: 'aaaabbbbccccddddeeeeffff00001111', pid: 4711, kind: 'console' },
    ]);
    expect(entries[2]?.monotonicMs).toBeCloseTo(9_000_000 - 50_000, 3);
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

  it('reads anew where the cursor makes no sense to journalctl', async () => {
    await write('a', [row('here', 60_000)]);
    const { entries, statuses, live } = start({ cursor: 'nonsense', realtimeMs: 1 });
    await live();
    expect(entries.map(text)).toEqual(['here']);
    expect(statuses.find(({ state }) => state === 'down')?.detail).toMatch(/Failed to seek to cursor/);
  });
});
