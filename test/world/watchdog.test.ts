/** The watchdog as its user runs it: a user unit under a real manager, a real journal, real guests that wedge. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { IncidentRow } from '../../src/core/report/row.js';
import type { DaemonStatus } from '../../src/daemon/control.js';
import { buildGuest, guestCache, type GuestImage } from '../../src/guest/build.js';
import { archiveOf, DEMO_MS, expectWhole } from './demo-output.js';
import { expectTold, GITHUB, guardedJob } from './guarded.js';
import { continueStore, guestUnit, newVm, startGuest, stopGuest, stopStore, waitForSsh } from './guests.js';
import { pollingFlow } from './polling-flow.js';
import {
  binary,
  checksOf,
  guestStatus,
  readIncident,
  startWatchdog,
  waitForState,
  wedgeAndCatch,
} from './watchdog.js';
import { user, World } from './world.js';

const project = join(import.meta.dirname, '../..');

const [healthy, quiet, hooked, refusing, killed] = [newVm(), newVm(), newVm(), newVm(), newVm()];

let image: GuestImage;
let world: World;

const verb = (args: string[], timeoutMs = 30_000) => world.dev([binary, ...args], timeoutMs);
const guestNamed = (vm: string) => guestStatus(world, vm);
const becomes = (vm: string, state: string) => waitForState(world, vm, state);
const incidentOf = (id: string): Promise<Incident> => readIncident(world, id);

beforeAll(async () => {
  image = await buildGuest(guestCache(), { log: () => undefined });
  world = await World.up(image);
  await startWatchdog(world);
});

afterAll(() => world.down());

test('it starts as a unit, and doctor finds the journal readable', async () => {
  expect(await world.dev(['systemctl', '--user', 'is-active', 'wedgewatch'])).toBe('active');
  const checks = JSON.parse(await verb(['doctor', '--json'])) as { what: string; result: string }[];
  expect(checks.find(({ what }) => what === 'journal')?.result).toBe('ok');
  expect(checks.find(({ what }) => what === 'daemon')?.result).toBe('ok');
});

test('a user who may not read a journal is told so, with the fix', async () => {
  await world.root(['useradd', '--create-home', 'other']);
  const doctor = [
    'runuser',
    '-u',
    'other',
    '--',
    world.host.node,
    join(project, 'dist/cli/main.js'),
    'doctor',
  ];
  const said = await world.root(doctor).catch((error: unknown) => error);
  expect(said).toMatchObject({ exitCode: 5 });
  expect((said as Error).message).toMatch(
    /FAULT {2}journal: this user may not read the journal: .* Fix: sudo mkdir -p \/var\/log\/journal/,
  );
});

test('a guest that comes later is found; watched while healthy, it is armed and up', async () => {
  await startGuest(world, { vm: healthy, mode: 'none', port: 2210 });
  await waitForSsh(world, healthy);
  await becomes(healthy, 'up');
  await expect.poll(async () => (await guestNamed(healthy))?.armed, { timeout: 20_000 }).toBe('yes');
  const ok = { QMP: 'ok', console: 'ok', SSH: 'ok', SysRq: 'ok', 'share store': 'ok', memory: 'ok' };
  expect(await checksOf(world, healthy)).toEqual(ok);
});

test('with `quiet`, a page-in on a dead share is archived within 20 s of losing SSH, bodies and all; let go, it recovers', async () => {
  const vm = quiet;
  await startGuest(world, { vm, mode: 'job', port: 2212, append: 'quiet' });
  await waitForSsh(world, vm);
  await becomes(vm, 'up');
  const job = guardedJob(world, `${vm} -- sleep 600`, GITHUB);
  const incident = await wedgeAndCatch(world, vm);
  expect((await expectTold(world, await job, vm)).id).toBe(incident.id);
  expect(incident.verdict).toMatchObject({ class: 'blocked', frame: 'filemap_fault' });
  expect(incident.verdict.title).toMatch(
    /page-in .*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
  );
  expectWhole(incident);
  expect(Date.parse(incident.filedAt) - Date.parse(incident.wedgedSince ?? '')).toBeLessThan(20_000);
  await continueStore(world, vm);
  await becomes(vm, 'recovered');
  await expect
    .poll(async () => (await incidentOf(incident.id)).recoveredAt, { timeout: 5_000 })
    .not.toBeNull();
  await stopGuest(world, vm);
});

test('the poll loop of docs/kdevops.md ends with a hang, the incident lies in its results, and a hook restarts the guest', async () => {
  const vm = hooked;
  const config = join(user.home, '.config/wedgewatch/config.yaml');
  const states = join(user.home, '.local/state/windmill/workbench/workers/wedgewatch');
  const kept = join(user.home, 'kept');
  await world.dev(['mkdir', '-p', kept]);
  await world.write(
    config,
    `status: {directory: ~/.local/state/windmill/workbench/workers/wedgewatch}
onIncident:
  - command: [cp, -r, '%d', ${kept}]
  - command: [sh, -c, 'cat >${kept}/stdin.json; systemctl --user is-active %u >${kept}/unit']
  - command: ['false']
  - command: [systemctl, --user, kill, --signal=KILL, '%u', 'virtiofsd@%v-store.service']
  - command: [systemctl, --user, restart, '%u', 'virtiofsd@%v-store.service']
    timeout: 3min
`,
  );
  await startGuest(world, { vm, mode: 'job', port: 2216 });
  await waitForSsh(world, vm);
  await becomes(vm, 'up');
  // As in a container: it sees directories of the host at other paths, and no socket.
  const flow = await pollingFlow(vm, {
    states: world.outside(states),
    incidents: world.outside(join(user.home, '.local/state/wedgewatch/incidents')),
  });
  await stopStore(world, vm);
  const { said, results } = await flow.ended;
  const id = readdirSync(join(results, 'wedgewatch'))[0] ?? '';
  const incident = JSON.parse(
    readFileSync(join(results, 'wedgewatch', id, 'incident.json'), 'utf8'),
  ) as Incident;
  expect(incident).toMatchObject({ vm, id });
  expect(said).toMatch(/^vm-\w+ hangs: .*page-in .*virtiofs:store.*\nevidence: .*\/wedgewatch\//);
  expectWhole(incident);

  const after = async () => (await incidentOf(id)).hooks?.map(({ outcome }) => outcome).join(' ');
  await expect.poll(after, { timeout: 60_000, interval: 500 }).toBe('worked worked failed worked worked');
  expect(await world.dev(['head', '-1', join(kept, id, 'verdict.txt')])).toBe(incident.verdict.title);
  expect((JSON.parse(await world.dev(['cat', join(kept, 'stdin.json')])) as Incident).id).toBe(id);
  expect(await world.dev(['cat', join(kept, 'unit')])).toBe('active');
  expect(await verb(['show', id])).toMatch(
    /What was run because of it\n(?:.*\n){2} {2}false: failed: exit code 1\n/,
  );
  await becomes(vm, 'starting');
  await world.write(config, '');
  await stopGuest(world, vm);
}, 180_000);

test('the demo of a user with a manager and a journal: this watchdog leaves its guest to it', async () => {
  // There is no way to a package mirror inside: the image is brought along.
  const cache = join(user.home, '.cache/wedgewatch');
  await world.dev(['mkdir', '-p', cache]);
  await world.root(['cp', '-r', world.image.directory, join(cache, basename(image.directory))]);
  await world.root(['chown', '-R', user.name, cache]);
  const printed = await verb(['demo'], DEMO_MS);
  expect(printed).toMatch(/console: journal of wedgewatch-demo@/);
  expectWhole(JSON.parse(await world.dev(['cat', join(archiveOf(printed), 'incident.json')])) as Incident);
  expect(await guestNamed('wedgewatch-demo')).toBeUndefined();
  const units = ['systemctl', '--user', 'list-units', '--plain', '--no-legend', 'wedgewatch-demo*'];
  expect(await world.dev(units)).toBe('');
});

test('a guest that refuses its dumps: its memory tells, and the incident names the mask, its line and the fix', async () => {
  await startGuest(world, { vm: refusing, mode: 'job', port: 2213, append: 'loglevel=7 wedge.sysrq=438' });
  await waitForSsh(world, refusing);
  await becomes(refusing, 'up');
  const armed = async () => (await guestNamed(refusing))?.armed;
  await expect.poll(armed, { timeout: 20_000 }).toBe('no: kernel.sysrq=438 lacks bit 8');
  expect(await checksOf(world, refusing)).toMatchObject({ SSH: 'ok', SysRq: 'fault' });
  const { verdict, evidence } = await wedgeAndCatch(world, refusing);
  expect(verdict.class).toBe('blocked');
  expect(verdict.title).toMatch(/page-in .*virtiofs:store \(\/mnt\/store\).*\(virtiofsd is stopped\)/);
  expect(evidence).toMatchObject({ complete: true, incompleteBecause: [] });
  const reasons = verdict.reasons.join('\n');
  expect(reasons).toContain('the guest refuses its dumps: kernel.sysrq=438 lacks bit 8');
  await expect(verb(['show'])).resolves.toContain('kernel.sysrq=438 lacks bit 8');
  await stopGuest(world, refusing);
});

test('a watchdog that is killed in the middle of a capture files it at its next start, and then a whole one', async () => {
  await startGuest(world, { vm: killed, mode: 'job', port: 2215 });
  await waitForSsh(world, killed);
  await becomes(killed, 'up');
  await stopStore(world, killed);
  await expect
    .poll(async () => (await guestNamed(killed))?.state, { timeout: 30_000, interval: 50 })
    .toBe('confirming');
  await world.dev(['systemctl', '--user', 'kill', '--signal=KILL', 'wedgewatch']);
  const incidents = async () => {
    const rows = await world.dev(['sh', '-c', `${binary} list --json --vm ${killed} || true`]);
    return JSON.parse(rows) as IncidentRow[];
  };
  await expect.poll(async () => (await incidents()).length, { timeout: 60_000, interval: 500 }).toBe(2);
  const [cut, whole] = await incidents();
  expect(cut?.evidence).toBe('incomplete: the watchdog was killed in the middle of this capture');
  expect(whole?.complete).toBe(true);
  expect(whole?.evidence).toMatch(/^memory w (?:w )?t$/);
  expect(whole?.verdict).toContain('filemap_fault');
  await stopGuest(world, killed);
});

test('a guest that is stopped is gone, not wedged', async () => {
  await expect.poll(async () => (await guestNamed(killed))?.state, { timeout: 10_000 }).toBe('gone');
});

test('a broken edit of the configuration is told by status and changes nothing', async () => {
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), 'ssh: {intervall: 3s}\n');
  // It exits with 5 while the configuration is broken.
  const told = async () =>
    JSON.parse(await world.dev(['sh', '-c', `${binary} status --json || true`])) as DaemonStatus;
  await expect
    .poll(async () => (await told()).configProblems.join(), { timeout: 10_000, interval: 300 })
    .toMatch(/config\.yaml:1:.*ssh\.intervall.*did you mean/);
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), 'ssh: {interval: 3s}\n');
  await expect
    .poll(async () => (await told()).configProblems, { timeout: 10_000, interval: 300 })
    .toEqual([]);
});

test('the healthy, silent guest beside them was never accused', async () => {
  expect(await guestNamed(healthy)).toMatchObject({ state: 'up', ssh: { kind: 'ok' } });
  const warnings = ['--user-unit=wedgewatch.service', '--priority=warning', '--output=cat'];
  expect(await world.dev(['journalctl', ...warnings])).toMatch(new RegExp(`^${quiet}: verdict: `, 'm'));
  expect(await world.dev(['journalctl', ...warnings])).not.toMatch(new RegExp(`^${healthy}: `, 'm'));
  expect(await world.dev(['systemctl', '--user', 'is-active', guestUnit(healthy)])).toBe('active');
});

test('a capture by hand of the healthy guest goes through the daemon: nothing is stuck', async () => {
  expect(await verb(['capture', healthy], 60_000)).toMatch(/^nothing is stuck/);
  expect((await guestNamed(healthy))?.state).toBe('up');
});
