import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FollowedEntry, followJournal, type FollowOptions } from '../../src/io/journal.js';
import type { SourceStatus } from '../../src/io/source-status.js';
import { consoleFields, exportEntry } from '../fixtures/export-format.js';

const FAKE = new URL('../fixtures/journalctl.mjs', import.meta.url).pathname;
const text = (entry: FollowedEntry) => Buffer.from(entry.message).toString('utf8');

let directory: string;
let file: string;
let stop: AbortController;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wedgewatch-journal-'));
  file = join(directory, 'entries');
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(directory, { recursive: true });
});

const cursorOf = (i: number) => `s=1;i=${i.toString(16)}`;

async function writeEntries(count: number, realtimeMs: (i: number) => number): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) =>
    exportEntry(
      consoleFields({ cursor: cursorOf(i), realtimeUs: realtimeMs(i) * 1000, message: `row ${i}` }),
    ),
  );
  await writeFile(file, entries.map((entry) => `${Buffer.from(entry).toString('base64')}\n`).join(''));
}

const runs = () =>
  readFileSync(`${file}.runs`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { pid: number; args: string[] });

/** Follows the fake until `count` entries came; gives them and the statuses on the way. */
async function follow(mode: string, count: number, more: Partial<FollowOptions> = {}) {
  const entries: FollowedEntry[] = [];
  const statuses: SourceStatus[] = [];
  await followJournal({
    matches: ['_UID=1'],
    position: null,
    onEntries: (batch) => {
      entries.push(...batch);
      if (entries.length >= count) stop.abort();
    },
    onStatus: (status) => statuses.push(status),
    signal: stop.signal,
    command: [process.execPath, FAKE, file, mode],
    backoff: { first: 1, max: 2 },
    ...more,
  });
  return { entries, statuses };
}

/** Follows the fake until a status is `down`. */
async function firstFault(command: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const following = followJournal({
      matches: [],
      position: null,
      onEntries: () => undefined,
      onStatus: ({ state, detail }) => {
        if (state !== 'down') return;
        stop.abort();
        following.then(() => resolve(detail), reject);
      },
      signal: stop.signal,
      command,
    });
  });
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('followJournal', () => {
  it(
    'loses and repeats nothing when journalctl is killed 50 times in the middle of an entry',
    { timeout: 60_000 },
    async () => {
      await writeEntries(160, (i) => 1_700_000_000_000 + i);
      const { entries } = await follow('die-after=4', 160);
      expect(entries.map(text)).toEqual(Array.from({ length: 160 }, (_, i) => `row ${i}`));
      expect(runs().length).toBeGreaterThan(50);
      expect(runs()[1]?.args).toContain(`--cursor=${cursorOf(3)}`);
    },
  );

  it('marks what an earlier daemon has delivered as replayed, and reads the last 15 minutes for it', async () => {
    const now = Date.now();
    await writeEntries(6, (i) => now - 60_000 + (i > 1 ? 0 : i));
    const { entries } = await follow('die-after=10', 6, {
      position: { cursor: cursorOf(3), realtimeMs: now - 60_000 },
    });
    // Entries 2 to 5 share a time; the cursor tells them apart.
    expect(entries.map((entry) => entry.replayed)).toEqual([true, false, true, true, false, false]);
    const since = runs()[0]?.args.find((arg) => arg.startsWith('--since=@'));
    expect(Number(since?.slice('--since=@'.length)) * 1000).toBeCloseTo(now - 15 * 60_000, -4);
  });

  it('goes on from a cursor that is older, without its own entry, and nothing is replay', async () => {
    await writeEntries(5, () => Date.now() - 3_600_000);
    const position = { cursor: cursorOf(1), realtimeMs: Date.now() - 3_600_000 };
    const { entries } = await follow('die-after=10', 3, { position });
    expect(entries.map(text)).toEqual(['row 2', 'row 3', 'row 4']);
    expect(entries.some((entry) => entry.replayed)).toBe(false);
  });

  it('reports the path of states', async () => {
    await writeEntries(3, () => Date.now() - 60_000);
    const states: string[] = [];
    await follow('die-after=2', Infinity, {
      onStatus: ({ state }) => {
        states.push(state);
        if (states.length === 4) stop.abort();
      },
    });
    expect(states).toEqual(['catching-up', 'down', 'catching-up', 'live']);
  });

  it('reads no further while entries are being handled', async () => {
    await writeEntries(1, () => Date.now());
    let pending = 0;
    let seen = 0;
    await follow('flood', Infinity, {
      onEntries: async (batch) => {
        expect((pending += 1)).toBe(1);
        seen += batch.length;
        if (seen === batch.length)
          await vi.waitFor(() => expect(settled()).toBe(true), { timeout: 5000, interval: 100 });
        pending -= 1;
        if (seen > 1000) stop.abort();
      },
    });
    expect(seen).toBeGreaterThan(1000);
  });

  it('ends with what onEntries throws, and leaves no process', async () => {
    await writeEntries(2, () => Date.now());
    await expect(
      follow('die-after=10', 9, { onEntries: () => Promise.reject(new Error('full')) }),
    ).rejects.toThrow('full');
    await vi.waitFor(() => expect(alive(runs()[0]!.pid)).toBe(false));
  });

  it('kills a journalctl that is deaf when it is stopped', async () => {
    const following = follow('hang=nothing', 1);
    await vi.waitFor(() => expect(existsSync(`${file}.runs`)).toBe(true), { timeout: 5000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop.abort();
    await following;
    await vi.waitFor(() => expect(alive(runs()[0]!.pid)).toBe(false));
  });

  it('does nothing once stopped', async () => {
    stop.abort();
    expect((await follow('die-after=1', 1)).statuses).toEqual([]);
  });
});

describe('a journalctl that fails', () => {
  const saying = (words: string) => [process.execPath, FAKE, file, words];

  it('is missing', async () => {
    expect(await firstFault([join(directory, 'journalctl')])).toMatch(
      /journalctl was not found\. Fix: .*trying again in 250 ms/,
    );
  });

  it('is missing behind stdbuf', async () => {
    expect(await firstFault(['stdbuf', '-o65536', join(directory, 'journalctl')])).toMatch(
      /^journalctl was not found/,
    );
  });

  it('may not read', async () => {
    const fault = await firstFault(
      saying('say=No journal files were opened due to insufficient permissions.'),
    );
    expect(fault).toMatch(
      /may not read the journal.*mkdir -p \/var\/log\/journal.*usermod -aG systemd-journal/,
    );
  });

  it('fails in an unknown way: its words without control characters', async () => {
    const fault = await firstFault(saying('say=Bad \x1b[31mmessage\nindeed'));
    expect(fault).toMatch(/^journalctl ended with exit code 1: Bad .\[31mmessage; indeed; trying again/);
    expect(fault).not.toContain('\x1b');
  });
});

/** Whether the flooding fake has come to a stand: its pipe is full. */
let lastCount = '';
function settled(): boolean {
  const count = existsSync(`${file}.count`) ? readFileSync(`${file}.count`, 'utf8') : '';
  const same = count !== '' && count === lastCount;
  lastCount = count;
  if (same) expect(Number(count)).toBeLessThan(2 << 20);
  return same;
}
