/** Programs that are run because of an incident: what they get, how they end, and that nobody waits for them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import { readIncident } from '../../src/core/report/read-incident.js';
import { incidentJson } from '../../src/core/report/json.js';
import { renderVerdict } from '../../src/core/report/text.js';
import type { FiledCase } from '../../src/daemon/guest-handle.js';
import { Hooks } from '../../src/daemon/hooks.js';
import { Pending } from '../../src/daemon/pending.js';
import { incident } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from '../support/temporary.js';

const HOSTILE = '$(touch pwned)';

interface Run {
  command: string[];
  timeout?: number;
}

/** Hooks over an archive with incidents in it. */
async function prepared(...hooks: Run[]) {
  const state = await temporaryDirectory();
  const pending = new Pending({ state, runtime: await temporaryDirectory(), log: () => undefined });
  const onIncident = hooks.map((hook) => ({ timeout: 10_000, ...hook }));
  const config = { ...configSchema.parse({}), onIncident };
  const said: string[] = [];
  const all = new Hooks({ config, services: { pending } }, (level, text) => said.push(`${level}: ${text}`));
  onTestFinished(() => all.stop());
  const incidents = join(state, 'incidents');
  const place = (id: string) => join(incidents, id);
  const file = async (id: string, vm = 'vm1', more: Partial<FiledCase> = {}) => {
    const filed = { ...incident(), id, vm };
    await mkdir(place(id), { recursive: true });
    await writeFile(join(place(id), 'incident.json'), incidentJson(filed));
    await writeFile(join(place(id), 'verdict.txt'), `${filed.verdict.title}\n`);
    const settings = guestSettings(config, vm, { qmpDirectory: '/nonexistent' });
    all.filed({ vm, settings }, { directory: place(id), title: '', byHand: false, incident: filed, ...more });
  };
  const read = async (id: string) => {
    const result = readIncident(await readFile(join(place(id), 'incident.json'), 'utf8'));
    if (!result.ok) throw new Error(result.problem);
    return result.incident;
  };
  const hooksOf = async (id: string) => {
    await expect.poll(async () => (await read(id)).hooks, { timeout: 15_000 }).toBeDefined();
    return (await read(id)).hooks ?? [];
  };
  return { all, said, place, file, read, hooksOf, pending, config };
}

const ID = '20260918T101502Z.vm1.0123abcd';

it('gets its words as they stand, the incident on standard input, and runs in its directory', async () => {
  const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
  const save = `require('fs').writeFileSync('seen.json', JSON.stringify({argv: process.argv.slice(1), cwd: process.cwd(), title: JSON.parse(require('fs').readFileSync(0, 'utf8')).verdict.title, ours: process.env.NOTIFY_SOCKET ?? null}))`;
  process.env['NOTIFY_SOCKET'] = '/run/x';
  onTestFinished(() => {
    delete process.env['NOTIFY_SOCKET'];
  });
  const { file, place, hooksOf, said, read } = await prepared(
    { command: [process.execPath, '-e', save, HOSTILE, '%i', '%d', '; exit 3'] },
    { command: [process.execPath, '-e', script, '%v'] },
  );
  await file(ID);
  const runs = await hooksOf(ID);
  expect(runs.map(({ outcome }) => outcome)).toEqual(['worked', 'worked']);
  expect(runs[1]?.command.at(-1)).toBe('vm1');
  const seen = JSON.parse(await readFile(join(place(ID), 'seen.json'), 'utf8')) as object;
  const { title } = incident().verdict;
  expect(seen).toEqual({ argv: [HOSTILE, ID, place(ID), '; exit 3'], cwd: place(ID), title, ours: null });
  expect(said).toHaveLength(2);
  expect(renderVerdict(await read(ID), [])).toContain('What was run because of it');
});

it('failures are recorded in the incident, each with its cause, and do not stop the next one', async () => {
  const plain = join(await temporaryDirectory(), 'plain');
  await writeFile(plain, 'echo no program', { mode: 0o600 });
  const { file, hooksOf, said, read } = await prepared(
    { command: ['/nonexistent/tell'] },
    { command: [process.execPath, '-e', 'console.error("first\\nno such bucket"); process.exit(7)'] },
    { command: [plain] },
    { command: [process.execPath, '-e', 'setInterval(() => 0, 1000)'], timeout: 500 },
    { command: ['true'] },
  );
  await file(ID);
  const runs = await hooksOf(ID);
  expect(runs.map(({ outcome, detail }) => `${outcome}: ${detail}`)).toEqual([
    'failed: no such program: /nonexistent/tell. Fix: give its whole path',
    'failed: exit code 7: no such bucket',
    `failed: ${plain} may not be executed. Fix: chmod +x`,
    'failed: no end within 500ms. Fix: a longer timeout, or systemd-run --user for what takes long',
    expect.stringMatching(/^worked: after \d+\.\d s$/),
  ]);
  expect(said.filter((line) => line.startsWith('warning: vm1: hook '))).toHaveLength(4);
  expect((await read(ID)).verdict).toEqual(incident().verdict);
});

it('nothing of a hook outlives its deadline, and it cannot hold up who waits for it', async () => {
  const { file, hooksOf, place } = await prepared({
    command: ['sh', '-c', "trap '' TERM; (trap '' TERM; echo $$ >inner; sleep 60; touch late) & sleep 60"],
    timeout: 300,
  });
  await file(ID);
  expect((await hooksOf(ID))[0]?.outcome).toBe('failed');
  const pid = (await readFile(join(place(ID), 'inner'), 'utf8')).trim();
  await expect.poll(() => aliveInGroup(Number(pid)), { timeout: 5_000 }).toBe(false);
});

function aliveInGroup(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('a name that a program may take for a pattern is put into no argument; the JSON has it', async () => {
  const { file, hooksOf } = await prepared({ command: ['touch', '%v'] }, { command: ['true', '%i'] });
  await file(ID, HOSTILE);
  const runs = await hooksOf(ID);
  expect(runs[0]).toMatchObject({ outcome: 'failed', command: ['touch', '%v'] });
  expect(runs[0]?.detail).toMatch(/^not run: for %v .* Fix: /);
  expect(runs[1]?.outcome).toBe('worked');
});

it('captures by hand and what could not be kept run nothing', async () => {
  const { file, read, all } = await prepared({ command: ['true'] });
  await file(ID, 'vm1', { byHand: true });
  await file('20260918T101503Z.vm1.0123abcd', 'vm1', { directory: null });
  await all.stop();
  expect((await read(ID)).hooks).toBeUndefined();
});

it('at the end those that run are ended, and the others told', async () => {
  const { file, hooksOf, all } = await prepared({ command: ['sleep', '60'], timeout: 60_000 });
  const ids = Array.from({ length: 6 }, (_, n) => `20260918T10150${n}Z.vm1.0123abcd`);
  for (const id of ids) await file(id);
  const began = performance.now();
  await all.stop();
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const id of ids) expect((await hooksOf(id))[0]?.detail).toBe('wedgewatch was stopped');
});

it('a recovery that is noted at the same moment loses nothing', async () => {
  const { file, hooksOf, pending, read } = await prepared({ command: ['true'] });
  for (let n = 0; n < 10; n += 1) {
    const id = `20260918T10150${n}Z.vm1.0123abcd`;
    await file(id);
    const times = Array.from({ length: 20 }, (_, each) => `2026-09-18T10:20:${10 + each}.000Z`);
    await Promise.all(times.map((recoveredAt) => pending.update(id, { recoveredAt })));
    expect(await hooksOf(id)).toHaveLength(1);
    expect((await read(id)).recoveredAt).toBe(times.at(-1));
  }
});

it('reads what the team knows of the hang, in its JSON; a list that cannot be read keeps nobody from running', async () => {
  const list = join(await temporaryDirectory(), 'known.yaml');
  const { fingerprint } = incident();
  await writeFile(list, `- {title: t, link: 'https://example.org/1', fingerprint: '${fingerprint}'}\n`);
  const save = "require('fs').writeFileSync('seen.json', require('fs').readFileSync(0))";
  const { file, place, hooksOf, config, said } = await prepared({ command: [process.execPath, '-e', save] });
  config.known = list;
  await file(ID);
  await hooksOf(ID);
  const known = { title: 't', link: 'https://example.org/1', ignored: false, ignoreUntil: null };
  expect(JSON.parse(await readFile(join(place(ID), 'seen.json'), 'utf8'))).toMatchObject({ known });
  await writeFile(list, '- nonsense');
  const other = ID.replace('vm1', 'vm2');
  await file(other, 'vm2');
  expect((await hooksOf(other)).map(({ outcome }) => outcome)).toEqual(['worked']);
  expect(said.join('\n')).toContain(`warning: vm2: ${list}:1:3: [0]: expected a mapping`);
});
