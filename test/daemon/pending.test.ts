/** An archive that takes nothing for a while: what is captured meanwhile waits in the runtime directory, and gets there. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { status } from '../../src/cli/status.js';
import { asRows } from '../../src/core/console/rows.js';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import { configSchema } from '../../src/core/config/schema.js';
import { readIncident } from '../../src/core/report/read-incident.js';
import { firstCapture } from '../../src/core/watch/case/case.js';
import type { Finding, GuestEvent } from '../../src/core/watch/events.js';
import { controlSocket, serveControl } from '../../src/daemon/control.js';
import { finishEarlier } from '../../src/daemon/finish-earlier.js';
import type { finishCutShort } from '../../src/daemon/finish-cut-short.js';
import { Guest } from '../../src/daemon/guest.js';
import { checkPending } from '../../src/daemon/pending-check.js';
import { Pending, pendingDirectory, pendingIds } from '../../src/daemon/pending.js';
import { nothingLeft } from '../../src/daemon/left-over.js';
import { NO_READER } from '../../src/daemon/memory-reader.js';
import { Pace, Slots } from '../../src/daemon/slots.js';
import { Turns } from '../../src/daemon/turns.js';
import { deliver } from '../../src/io/archive/deliver.js';
import { finishPartials } from '../../src/io/archive/finish.js';
import { readIncidents } from '../../src/io/archive/read.js';
import { openIncident } from '../../src/io/archive/writer.js';
import { finish, incident, opening, partsOf } from '../fixtures/archive-sample.js';
import { run } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

const finding = {
  ...opening(),
  analysis: incident(),
  capturedAt: 2,
  suspectAt: 1,
  wedgedSince: 0,
  lastProgress: null,
  test: null,
  evidence: incident().evidence.dumps,
  looks: [],
  rungs: [],
  armed: null,
  complete: true,
  incompleteBecause: [],
} satisfies Finding;
const dump = {
  name: 'sysrq-t' as const,
  lines: ['sysrq: Show State', 'task:chroot state:D'],
  startedAt: 0,
  endedAt: 1,
  endedBy: 'fence' as const,
  quote: null,
  longestPauseMs: 0,
};

/** In this process. */
const finishHere: typeof finishCutShort = async (_config, root, log) => {
  const { finished } = await finishPartials(root, finish);
  for (const { path } of finished)
    log('notice', `archived the unfinished capture of an earlier run: ${path}`);
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

async function watched() {
  const state = await temporaryDirectory();
  const runtime = await temporaryDirectory();
  const log = () => undefined;
  const pending = new Pending({ state, runtime, log });
  const services = {
    ...{ log, pending, archive: state, consoleLines: 100 },
    ...{
      slots: new Slots(),
      turns: new Turns(),
      logins: new Pace(),
      leftOver: nothingLeft,
      position: () => null,
    },
    memory: NO_READER,
    learned: { of: () => ({}), add: () => Promise.resolve() },
  };
  const guestOf = (vm: string) => {
    const guest = new Guest(
      vm,
      guestSettings(configSchema.parse({}), vm, { qmpDirectory: runtime }),
      services,
    );
    const told: GuestEvent[] = [];
    guest.handle = (event) => void told.push(event);
    guest.state.case = {
      accusation: { ...finding, by: 'hand', complaint: null, chatty: false },
      before: { name: 'up', why: [] },
      stage: { name: 'opening' },
      looks: [],
      memory: null,
      capture: firstCapture([]),
      acquitted: null,
      voidLooks: 0,
    };
    return { guest, told };
  };
  return { state, runtime, pending, guestOf, waits: () => pendingIds(pendingDirectory(runtime)) };
}

/** A file where the incidents should be: nothing can be made there. Returns what takes it away again. */
async function spoil(state: string): Promise<() => Promise<void>> {
  const incidents = join(state, 'incidents');
  await rename(incidents, `${incidents}.gone`).catch(() => undefined);
  await writeFile(incidents, '');
  return () => rm(incidents);
}

async function capture({ guest }: { guest: Guest }, between = () => Promise.resolve()) {
  guest.ring.push(asRows(Buffer.from('before')));
  await guest.caseFile.open();
  guest.caseFile.raw(asRows(Buffer.from('during')));
  await guest.caseFile.dump(dump);
  await between();
  guest.caseFile.raw(asRows(Buffer.from('after')));
  await guest.caseFile.file(finding);
}

async function archived(path: string): Promise<void> {
  expect(await readFile(join(path, 'console.raw'), 'utf8')).toBe('before\nduring\nafter\n');
  expect(await readFile(join(path, 'sysrq-t.txt'), 'utf8')).toBe(`${dump.lines.join('\n')}\n`);
  const read = readIncident(await readFile(join(path, 'incident.json'), 'utf8'));
  expect(read).toMatchObject({ ok: true, incident: { verdict: incident().verdict } });
  for (const file of await readdir(path)) expect((await stat(join(path, file))).mode & 0o777).toBe(0o600);
  expect(await readdir(path)).toEqual(expect.arrayContaining(['verdict.txt', 'report.html', 'console.txt']));
}

const FAULT = /a (?:file is in its place|part of the path is a file)\. Fix: /;

it.each(['from the start', 'in the middle of a capture'])(
  'is kept %s, told, and filed later',
  async (when) => {
    const { state, pending, guestOf, waits } = await watched();
    const one = guestOf('store');
    let mend = () => Promise.resolve();
    const lose = async () => void (mend = await spoil(state));
    if (when === 'from the start') await lose();
    await capture(one, when === 'from the start' ? undefined : lose);
    const [id = ''] = await waits();
    expect(one.told).toEqual([
      expect.objectContaining({
        type: 'opened',
        ...(when === 'from the start' && { problem: expect.stringMatching(FAULT) as string }),
      }),
      expect.objectContaining({
        type: 'filed',
        incident: id,
        problem: expect.stringMatching(FAULT) as string,
      }),
    ]);
    expect(pending.status()).toMatchObject([
      { id, vm: 'store', problem: expect.stringMatching(FAULT) as string },
    ]);
    await vi.advanceTimersByTimeAsync(5_000);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    expect(await waits()).toEqual([id]);
    await mend();
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.waitFor(() => expect(pending.status()).toEqual([]));
    expect(await waits()).toEqual([]);
    expect(await readdir(join(state, 'incidents'))).toEqual([id]);
    await archived(join(state, 'incidents', id));
    await pending.stop();
  },
);

it('goes to the archive as soon as anything else does', async () => {
  const { state, pending, guestOf } = await watched();
  const mend = await spoil(state);
  await capture(guestOf('first'));
  await mend();
  await capture(guestOf('second'));
  await vi.waitFor(() => expect(pending.status()).toEqual([]));
  expect((await readIncidents(state)).map(({ id }) => id.split('.')[1]).sort()).toEqual(['first', 'second']);
  await pending.stop();
});

it('is found and filed by the next start, and its recovery with it', async () => {
  const { state, runtime, pending, guestOf, waits } = await watched();
  const mend = await spoil(state);
  const one = guestOf('store');
  await capture(one);
  const [id = ''] = await waits();
  one.guest.state.filings.incident = id;
  await one.guest.caseFile.recovered();
  await pending.stop();
  const next = new Pending({ state, runtime, log: () => undefined });
  await next.restore();
  expect(next.status()).toMatchObject([{ id }]);
  await mend();
  const third = new Pending({ state, runtime, log: () => undefined });
  await third.restore();
  expect(third.status()).toEqual([]);
  expect((await readIncidents(state))[0]).toMatchObject({ id, recoveredAt: expect.any(String) as string });
  await Promise.all([next.stop(), third.stop()]);
});

it('takes no more than three of a guest: the next one is told as lost', async () => {
  const { state, pending, guestOf, waits } = await watched();
  await spoil(state);
  for (let n = 0; n < 3; n += 1) await capture(guestOf('loud'));
  const lost = guestOf('loud');
  await capture(lost);
  expect(lost.told.find(({ type }) => type === 'opened')).toMatchObject({
    problem: expect.stringMatching(/takes no more: 3 incidents of this guest wait there/) as string,
  });
  expect(lost.told.find(({ type }) => type === 'filed')).toMatchObject({ incident: null });
  await capture(guestOf('quiet'));
  expect(await waits()).toHaveLength(4);
  await pending.stop();
});

it('completes what the archive has of it, and keeps the longer evidence', async () => {
  const { state, runtime } = await watched();
  const { id } = incident();
  const partial = join(state, 'incidents', `${id}.1-1.partial`);
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, 'console.raw'), 'all that the disk took');
  await writeFile(join(partial, 'opening.json'), '{}');
  // As a kill in the middle leaves it: half of a file, and all still in the source.
  await writeFile(join(partial, 'verdict.txt.new'), 'half');
  const kept = await openIncident(join(runtime, 'p'), { ...opening(), id });
  await kept.raw(Buffer.from('the newest'));
  await kept.dump('sysrq-t', dump.lines);
  const { path: from } = await kept.file(incident(), partsOf());
  const path = await deliver(from, state);
  expect(await readdir(join(state, 'incidents'))).toEqual([id]);
  expect(await readFile(join(path, 'console.raw'), 'utf8')).toBe('all that the disk took');
  expect(await readFile(join(path, 'sysrq-t.txt'), 'utf8')).toContain('task:chroot');
  expect(await readIncidents(state)).toMatchObject([{ id: id, complete: true }]);
  expect(await readdir(path)).not.toContain('opening.json');
  // Filed meanwhile, without its analysis.
  await mkdir(from);
  await writeFile(join(from, 'verdict.txt'), 'the verdict\n');
  await deliver(from, state);
  expect(await readFile(join(path, 'verdict.txt'), 'utf8')).toBe('the verdict\n');
  await expect(stat(from)).rejects.toThrow('ENOENT');
});

it('a start files what waits before it looks for captures that were cut short', async () => {
  const { state, runtime, pending } = await watched();
  const { id } = incident();
  const partial = join(state, 'incidents', `${id}.1-1.partial`);
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, 'console.raw'), 'before\nduring\n');
  const waiting = await openIncident(pendingDirectory(runtime), { ...opening(), id });
  await waiting.file(incident(), partsOf());
  const cut = id.replace('T10', 'T11');
  const killed = join(pendingDirectory(runtime), 'incidents', `${cut}.1-1.partial`);
  await mkdir(killed);
  await writeFile(join(killed, 'console.raw'), 'sysrq: Show Blocked State\n');
  const said: string[] = [];
  const log = (_level: string, text: string) => void said.push(text);
  const { signal } = new AbortController();
  await finishEarlier({ config: configSchema.parse({}), state, runtime, log, signal }, pending, finishHere);
  expect(said.filter((text) => text.includes('unfinished'))).toEqual([expect.stringContaining(cut)]);
  expect((await readIncidents(state)).map((row) => [row.id, row.complete, row.verdict])).toEqual([
    [id, true, incident().verdict.title],
    [cut, false, expect.any(String)],
  ]);
  expect(await readdir(join(state, 'incidents'))).toHaveLength(2);
  expect(pending.status()).toEqual([]);
  await pending.stop();
});

it('status and doctor name what waits', async () => {
  const { runtime } = await watched();
  expect(await checkPending(runtime)).toMatchObject({ result: 'ok' });
  const writer = await openIncident(pendingDirectory(runtime), opening());
  const { path } = await writer.file(incident(), partsOf());
  expect(await checkPending(runtime)).toMatchObject({
    result: 'warning',
    detail: expect.stringMatching(/^1 incident in .* could not be archived yet$/) as string,
  });
  const one = { id: writer.id, vm: 'store', path, problem: 'its filesystem is read-only. Fix: remount it' };
  const base = { pid: 1, version: '', blind: null, configProblems: [], guests: [] };
  const handlers = {
    status: () => ({ ...base, pending: [one] }),
    capture: () => Promise.resolve({ directory: null, problem: null }),
  };
  await mkdir(dirname(controlSocket(runtime)), { recursive: true, mode: 0o700 });
  const server = await serveControl(controlSocket(runtime), handlers, () => undefined);
  onTestFinished(() => void server.close());
  vi.stubEnv('XDG_RUNTIME_DIR', runtime);
  onTestFinished(() => void vi.unstubAllEnvs());
  const asked = (json: boolean) =>
    run((terminal) => status(undefined, { json }, { config: null, quiet: true, terminal }));
  expect(await asked(false)).toEqual({
    code: 5,
    out: '',
    err: `wedgewatch: not archived yet, and tried again: ${path}: ${one.problem}\n`,
  });
  const { out } = await asked(true);
  expect(JSON.parse(out)).toMatchObject({ pending: [one] });
});
