/**
 * The scenario matrix: real guests that wedge, and real ones that only seem to, side by side under one watchdog. It
 * prints the table of docs/scenarios.md. WEDGEWATCH_IDLE_MINUTES=10 watches the idle guest for so long at least;
 * WEDGEWATCH_SCENARIOS=REGEXP runs those whose names match, and the ones that stay.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { buildKernelGuest } from '../../src/guest/kernels.js';
import { buildDebian } from './debian-image.js';
import { buildModule } from './kernel-module.js';
import { healthy, type Outcome, Runner } from './matrix/runner.js';
import type { Scenario } from './matrix/scenario.js';
import { scenarios as all } from './matrix/scenarios.js';
import { newVm } from './guests.js';
import { shareScenes } from './scenes.js';
import { startWatchdog } from './watchdog.js';
import { user, World } from './world.js';

const MATRIX_MS = 600_000;
const ASLEEP_MS = 60_000;
/** Long enough for a verdict on what was seen, or not seen, meanwhile. */
const AWAKE_MS = 20_000;
const IDLE_MS = 60_000 * Number(process.env['WEDGEWATCH_IDLE_MINUTES'] ?? 0);
const IMAGES_MS = 900_000;

const wanted = new RegExp(process.env['WEDGEWATCH_SCENARIOS'] ?? '');
const scenarios = all.filter(({ name, stays }) => stays === true || wanted.test(name));
const alive = scenarios.filter(({ stays }) => stays === true).map(({ vm }) => vm);

let world: World;
let runner: Runner;
let idleSince = 0;
const runs = new Map<string, Promise<Outcome>>();
const rows: string[] = [];

function row(name: string, { class: kind, incident, seconds }: Outcome): void {
  rows.push(`| ${name} | ${kind} | ${incident ?? 'none'} | ${seconds.toFixed(1)} |`);
}

/**
 * A guest may miss its time on a host that others use: it gets a second try, and the log has the first. A false
 * incident has none.
 */
function again(scenario: Scenario, index: number, error: unknown): Promise<Outcome> {
  if (scenario.stays === true || String(error).includes('a false incident')) throw error;
  process.stdout.write(`${scenario.name}: failed, and is tried once more:\n${String(error)}\n`);
  return runner.run({ ...scenario, vm: newVm() }, index + scenarios.length);
}

beforeAll(async () => {
  const options = { log: (line: string) => process.stdout.write(`${line}\n`) };
  const image = await buildGuest(guestCache(), options);
  world = await World.up(image, { debian: await buildDebian(guestCache(), options) });
  const modules = { abba_spin: await buildModule('abba_spin', image, guestCache(), options) };
  const scenes = new Map([['demo', await shareScenes(image, world.share, 'demo', modules)]]);
  for (const name of new Set(scenarios.flatMap(({ guest }) => ('demo' in guest ? (guest.kernel ?? []) : []))))
    scenes.set(
      name,
      await shareScenes(await buildKernelGuest(guestCache(), name, options), world.share, name),
    );
  await startWatchdog(world);
  runner = new Runner(world, scenes);
  scenarios.forEach((scenario, index) => {
    const run = runner.run(scenario, index).catch((error: unknown) => again(scenario, index, error));
    run.catch(() => undefined); // its own test tells
    runs.set(scenario.vm, run);
  });
  idleSince = performance.now();
}, IMAGES_MS);

afterAll(async () => {
  const head = ['scenario', 'class', 'incident', 'seconds'];
  process.stdout.write(`\n| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n${rows.join('\n')}\n\n`);
  await runner.observer.stop();
  await world.down();
});

/** Waits until the watchdog finds a guest healthy. */
const up = (vm: string) => runner.observer.until(vm, healthy, 60_000);

test.for(scenarios)('$name', { timeout: MATRIX_MS }, async ({ name, vm }) => {
  row(name, await runs.get(vm)!);
});

test(
  'the watchdog stopped for a minute, as on a host without time: it accuses nobody when it wakes',
  async () => {
    await Promise.allSettled(runs.values());
    await delay(Math.max(0, IDLE_MS - (performance.now() - idleSince)));
    // systemd's own watchdog would restart it instead.
    const dropIn = join(user.home, '.config/systemd/user/wedgewatch.service.d/50-asleep.conf');
    await world.write(dropIn, '[Service]\nWatchdogSec=0\n');
    const manager = (...words: string[]) => world.dev(['systemctl', '--user', ...words]);
    await manager('daemon-reload');
    await manager('restart', 'wedgewatch');
    for (const vm of alive) await up(vm);
    const watched = (performance.now() - idleSince) / 1_000;
    await manager('kill', '--kill-who=main', '--signal=STOP', 'wedgewatch');
    await delay(ASLEEP_MS);
    await manager('kill', '--kill-who=main', '--signal=CONT', 'wedgewatch');
    const since = performance.now();
    for (const vm of alive) await up(vm);
    const seconds = (performance.now() - since) / 1_000;
    await delay(AWAKE_MS);
    for (const vm of alive) await up(vm);
    const log = await world.dev(['journalctl', '--user-unit=wedgewatch.service', '--output=cat']);
    const slept = 'open windows are void: the watchdog itself slept for (?:59|6\\d) s';
    expect(log).toMatch(new RegExp(`^${alive[0]}: ${slept}`, 'm'));
    expect(log).not.toMatch(new RegExp(`^(?:${alive.join('|')}): verdict: `, 'm'));
    row(`idle for ${watched.toFixed(0)} s`, { class: 'healthy', incident: null, seconds: watched });
    row('the watchdog stopped for 60 s', { class: 'healthy', incident: null, seconds });
  },
  MATRIX_MS + IDLE_MS,
);
