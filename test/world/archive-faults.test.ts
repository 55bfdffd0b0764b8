/** What befalls the archive and the journal while a real guest prints its dumps: nothing is lost without a word. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { IncidentRow } from '../../src/core/report/row.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { archive, mainOf, verb } from './by-hand.js';
import { newVm, startGuest, waitForPrompt } from './guests.js';
import { user, World } from './world.js';

const tasks = Number(process.env['WEDGEWATCH_TASKS'] ?? 100);
const memory = tasks > 1000 ? '1536M' : '384M';
const MINUTES = 600_000;
/** QEMU's own copy of the console. The user may not read it: only the journal is left to the watchdog. */
const truth = join(user.home, 'truth.console');
const lab = newVm();
const small = join(user.home, 'small');
const OLD = 14;
const OLD_BYTES = 64 << 10;

let world: World;
/** Bytes of the evidence of a whole capture, by file. */
const evidence: Record<string, number> = {};

const sh = (script: string, timeoutMs = 60_000) => world.dev(['sh', '-c', script], timeoutMs);

/** journald keeps neither empty lines nor blanks at an end. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');

async function rawOf(directory: string): Promise<string> {
  return lines(await world.root(['cat', join(directory, 'console.raw')]));
}

async function incidentIn(directory: string): Promise<Incident> {
  return JSON.parse(await sh(`cat ${directory}/incident.json`)) as Incident;
}

/** Of what a console should hold without a break: null, or the first line that it does not, with those around it. */
async function notPrinted(raw: string): Promise<string[] | null> {
  const printed = lines(await world.root(['cat', truth]));
  if (printed.includes(raw)) return null;
  const rows = raw.split('\n');
  const end = rows.findIndex((_, index) => !printed.includes(rows.slice(0, index + 1).join('\n')));
  return rows.slice(Math.max(0, end - 2), end + 2);
}

async function incidents(): Promise<IncidentRow[]> {
  return JSON.parse((await verb(world, 'list --json')).out) as IncidentRow[];
}

const startWatchdog = () =>
  sh(`systemd-run --user --quiet --collect --unit=watchdog -- ${mainOf(world).join(' ')} run`);
const log = () => sh('journalctl --user-unit=watchdog --output=cat');

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  const dropIn = join(import.meta.dirname, '../../systemd/user@.service.d/50-wedgewatch.conf');
  await world.write('/home/dev/drop-in', await readFile(dropIn, 'utf8'));
  const unit = `user@${user.runtime.split('/').at(-1)}.service`;
  const directory = '/etc/systemd/system/user@.service.d';
  const install = `mkdir -p ${directory} && cp /home/dev/drop-in ${directory}/50-wedgewatch.conf`;
  await world.root(['sh', '-c', `${install} && systemctl daemon-reload && systemctl restart ${unit}`]);
  const detect = 'detect: {secondLook: 1s, silence: 1h, bootSilence: 1h}';
  // What the console loses, memory would make up for.
  const config = `memory: off\ncapture: {dumpTimeout: 10min}\n${detect}\n`;
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), config);
  const append = `loglevel=7 wedge.tasks=${tasks}`;
  await startGuest(world, { vm: lab, mode: 'none', port: 2320, append, memory, log: truth });
  await waitForPrompt(world, truth, MINUTES);
  await sh(`chmod 0 ${truth}`);
}, MINUTES);

afterAll(() => world.down());

test(
  'journalctl that is killed again and again while it reads a dump costs no line',
  { timeout: MINUTES },
  async () => {
    // One that has delivered something; one that never does is no reader at all.
    const killer = `n=0; while [ ! -e over ] && [ $n -lt 50 ]; do
    for pid in $(pgrep -x journalctl); do
      wrote=$(sed -n 's/^wchar: //p' /proc/$pid/io)
      [ "\${wrote:-0}" -gt 0 ] && kill -KILL $pid && n=$((n + 1))
    done; sleep 0.05
  done; echo $n`;
    const [kills, { code, out }] = await Promise.all([
      sh(killer, MINUTES),
      verb(world, `--quiet capture ${lab} --json`, MINUTES).finally(() => sh('touch over')),
    ]);
    const incident = JSON.parse(out) as Incident;
    const path = join(archive, incident.id);
    process.stdout.write(`journalctl was killed ${kills.trim()} times\n`);
    expect(Number(kills)).toBeGreaterThanOrEqual(tasks > 1000 ? 50 : 5);
    expect(incident.evidence).toMatchObject({ complete: true, incompleteBecause: [] });
    expect(code).toBe(0);
    expect(await notPrinted(await rawOf(path))).toBeNull();
    const sizes = await sh(`cd ${path} && stat --format='%s %n' console.raw sysrq-*.txt`);
    for (const [, size, name = ''] of sizes.matchAll(/^(\d+) (.+)$/gm)) evidence[name] = Number(size);
  },
);

test('the journal is vacuumed under a capture whose watchdog was killed', { timeout: MINUTES }, async () => {
  const before = (await incidents()).length;
  await startWatchdog();
  const state = async () => (await verb(world, `status ${lab} --json`)).out;
  await expect.poll(state, { timeout: 30_000, interval: 300 }).toContain('"state": "up"');
  const asked = verb(world, `capture ${lab}`, MINUTES);
  const partial = `${archive}/*.partial/console.raw`;
  await sh(`until grep -q 'sysrq: Show State' ${partial}; do sleep 0.05; done`);
  await sh('systemctl --user kill --signal=KILL watchdog');
  expect(await asked).toMatchObject({ code: 5 });
  const held = lines(await sh(`cat ${partial}`));
  await world.root(['journalctl', '--rotate']);
  await world.root(['journalctl', '--vacuum-size=1']);
  await startWatchdog();
  await expect
    .poll(async () => (await incidents()).length, { timeout: 60_000, interval: 500 })
    .toBe(before + 1);
  const cut = (await incidents()).at(-1);
  expect(cut?.complete).toBe(false);
  const { evidence: found } = await incidentIn(cut?.path ?? '');
  process.stdout.write(`vacuumed: ${found.incompleteBecause.join('; ')}\n`);
  expect(found.incompleteBecause).toEqual(
    expect.arrayContaining([
      'the watchdog was killed in the middle of this capture',
      expect.stringMatching(
        /^(?:its console no longer reaches back to the start|could not read its console again)/,
      ),
    ]),
  );
  const raw = await rawOf(cut?.path ?? '');
  expect(raw.startsWith(held)).toBe(true);
  expect(await notPrinted(raw)).toBeNull();
  expect(await log()).toMatch(/archived the unfinished capture of an earlier run/);
});

test('two captures by hand never press keys at once', { timeout: MINUTES }, async () => {
  const [first, second] = await Promise.all([
    verb(world, `capture ${lab} --keys wtl --note "who was first" --json`, MINUTES),
    sh('sleep 1').then(() => verb(world, `capture ${lab}`)),
  ]);
  expect(second).toMatchObject({
    code: 5,
    err: expect.stringMatching(/vm-\w+ is already being captured/) as string,
  });
  const { note, evidence: taken } = JSON.parse(first.out) as Incident;
  expect(note).toBe('who was first');
  expect(taken.dumps.map(({ key, endedBy }) => [key, endedBy])).toEqual([
    ['w', 'fence'],
    ['t', 'fence'],
    ['l', 'fence'],
  ]);
  await sh('systemctl --user stop watchdog');
});

test(
  'on a disk that is full the oldest incidents and the reports give way, not the evidence',
  { timeout: MINUTES },
  async () => {
    const bytes = Object.values(evidence).reduce((sum, size) => sum + size, 0);
    const foreign = 128 << 10;
    // Short by two incidents for the evidence alone.
    const size = bytes + (OLD - 2) * OLD_BYTES + foreign + (64 << 10);
    await sh(`mkdir ${small}`);
    const uid = user.runtime.split('/').at(-1);
    await world.root(['mount', '-t', 'tmpfs', '-o', `size=${size},mode=700,uid=${uid}`, 'small', small]);
    await sh(`head -c ${foreign} /dev/zero >${small}/foreign; mkdir ${small}/incidents; cd ${small}/incidents
    for n in $(seq -w 10 ${9 + OLD}); do
      mkdir 202609$\{n}T000000Z.old.000000$\{n} && head -c ${OLD_BYTES} /dev/zero >202609$\{n}T000000Z.old.000000$\{n}/verdict.txt
    done`);
    const config = `capture: {dumpTimeout: 10min}\narchive: {directory: ${small}}\n`;
    await world.write(join(user.home, 'small.yaml'), config);
    const { code, out, err } = await verb(world, `-c small.yaml capture ${lab}`, MINUTES);
    const left = (await sh(`ls ${small}/incidents`)).trim().split('\n');
    const path = join(small, 'incidents', left.at(-1) ?? '');
    process.stdout.write(
      `full disk: exit ${code}\n${out}\n${err}\n${await sh(`ls -l ${path}; cat ${path}/verdict.txt`)}\n`,
    );
    const kept = await sh(`cd ${path} && stat --format='%s %n' console.raw sysrq-*.txt`);
    expect(kept.trim().split('\n')).toHaveLength(Object.keys(evidence).length);
    expect(await notPrinted(await rawOf(path))).toBeNull();
    expect(left.length - 1).toBeGreaterThanOrEqual(10);
    expect(left.length - 1).toBeLessThan(OLD);
    expect(left.at(-2)).toMatch(/\.old\.00000023$/);
    expect((await sh(`stat --format=%s ${small}/foreign`)).trim()).toBe(String(foreign));
  },
);

test(
  'an archive that is read-only: cause and fix; a capture waits in memory, and no daemon starts',
  { timeout: MINUTES },
  async () => {
    await world.root(['mount', '-o', 'remount,ro', small]);
    const words = /its filesystem is read-only\. Fix: remount it/;
    const waits = `${user.runtime}/wedgewatch/pending/incidents/`;
    expect(await verb(world, `-c small.yaml capture ${lab}`, MINUTES)).toMatchObject({
      code: expect.toSatisfy((code: number) => code < 5) as number,
      out: expect.stringContaining(waits) as string,
      err: expect.stringMatching(words) as string,
    });
    expect(await verb(world, '-c small.yaml run')).toMatchObject({
      code: 5,
      err: expect.stringMatching(words) as string,
    });
  },
);
