/** Puts the guests through their scenarios, side by side. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Incident } from '../../../src/core/report/incident.js';
import type { GuestStatus } from '../../../src/core/watch/status.js';
import { consoleOf, startDebianGuest, startGuest, stopGuest, waitForSsh } from '../guests.js';
import { binary, readIncident } from '../watchdog.js';
import type { World } from '../world.js';
import { Observer } from './observer.js';
import type { Scenario } from './scenario.js';
import type { SceneImage } from '../scenes.js';
import { Slots } from './slots.js';

/** Guests that boot, or load a CPU, at once. */
const AT_ONCE = 2;
const FIRST_PORT = 2400;
const BOOT_MS = 240_000;
const HEALTHY_MS = 60_000;
const CONSOLE_LINES = 40;

/** What became of one scenario. */
export interface Outcome {
  class: string;
  /** The title of the incident that was filed. */
  incident: string | null;
  /** From what happened to the incident, or to the class where there is none. */
  seconds: number;
}

export const healthy = ({ class: kind, ssh }: GuestStatus): boolean =>
  kind === 'healthy' && ssh?.kind === 'ok';

const isExpected = (scenario: Scenario, kind: string): boolean =>
  kind === scenario.class || kind === scenario.orClass;

export class Runner {
  readonly observer: Observer;
  readonly #slots = new Slots(AT_ONCE);

  /** @param scenes images with the scenes, by the name of their kernel; `demo` is the demo's own */
  constructor(
    private readonly world: World,
    private readonly scenes: ReadonlyMap<string, SceneImage>,
  ) {
    this.observer = new Observer(world);
  }

  /** Rejects with what an engineer needs to see why. */
  async run(scenario: Scenario, index: number): Promise<Outcome> {
    const release = await this.#slots.take(scenario.alone === true ? AT_ONCE : 1);
    try {
      const startedAt = performance.now();
      await this.#start(scenario, FIRST_PORT + index);
      await this.#booted(scenario);
      if (scenario.alone !== true) release();
      const happens = scenario.act !== undefined || scenario.ready instanceof RegExp;
      return await this.#judge(scenario, happens ? performance.now() : startedAt);
    } catch (error) {
      throw new Error(await this.#explain(scenario.vm, error), { cause: error });
    } finally {
      if (scenario.stays !== true) await stopGuest(this.world, scenario.vm).finally(release);
      release();
    }
  }

  /** As `run`, with the daemon's log, its status and the console's end in the message. */
  async #explain(vm: string, error: unknown): Promise<string> {
    const { world } = this;
    const log = ['journalctl', '--user-unit=wedgewatch.service', '--output=short-precise', `--grep=^${vm}: `];
    const parts = await Promise.all([
      world.dev(log).catch(String),
      world.dev([binary, 'status', vm]).catch(String),
      consoleOf(world, vm).then((text) => text.split('\n').slice(-CONSOLE_LINES).join('\n'), String),
    ]);
    const changes = this.observer
      .changes(vm)
      .map(({ at, state, class: kind }) => `${at.toFixed(1)} s ${state} ${kind}`);
    const titles = ['the watchdog’s log', 'its status', 'the console ends'];
    const sections = parts.map((text, index) => `--- ${titles[index] ?? ''}:\n${text}`);
    return [String(error), `--- it was: ${changes.join(', ')}`, ...sections].join('\n');
  }

  async #start({ vm, guest }: Scenario, port: number): Promise<void> {
    if ('debian' in guest) {
      const { debian: wedge, append = '' } = guest;
      await startDebianGuest(this.world, { vm, port, wedge, append });
    } else {
      const { demo: mode, kernel = 'demo', ...rest } = guest;
      const image = this.scenes.get(kernel);
      await startGuest(this.world, { vm, port, mode, image, ...rest });
    }
  }

  async #booted({ vm, ready, act }: Scenario): Promise<void> {
    if (ready === 'ssh') {
      await waitForSsh(this.world, vm, BOOT_MS);
      if (act !== undefined) await this.observer.until(vm, healthy, HEALTHY_MS);
    } else if (ready instanceof RegExp) {
      const end = performance.now() + BOOT_MS;
      while (!ready.test(await consoleOf(this.world, vm))) {
        if (performance.now() > end) throw new Error(`its console does not say ${String(ready)}`);
        await delay(1_000);
      }
    } else await delay(ready.afterS * 1_000);
  }

  async #judge(scenario: Scenario, since: number): Promise<Outcome> {
    const { world, observer } = this;
    const { vm, act, incident, staysS, undo } = scenario;
    await act?.(world, vm);
    const expected = (guest: GuestStatus) =>
      isExpected(scenario, guest.class) && (incident === null || guest.lastIncident !== null);
    const found = await observer.until(vm, expected, scenario.withinS * 1_000 - (performance.now() - since));
    const seconds = (performance.now() - since) / 1_000;
    const title = found.lastIncident === null ? null : await this.#filed(found.lastIncident, scenario);
    if (staysS !== undefined) {
      await delay(staysS * 1_000);
      await observer.until(vm, ({ class: kind }) => isExpected(scenario, kind), 2_000);
    }
    if (undo !== undefined) {
      await undo(world, vm);
      await observer.until(vm, healthy, HEALTHY_MS);
    }
    const last = observer.latest(vm)?.lastIncident ?? null;
    if (last !== found.lastIncident)
      throw new Error(`a false incident: ${await this.#filed(last ?? '', scenario)}`);
    return { class: found.class, incident: title, seconds };
  }

  /** The title of an incident, once it is checked. */
  async #filed(id: string, scenario: Scenario): Promise<string> {
    const { verdict, evidence, dumps, awaiting } = await readIncident(this.world, id);
    const said = `${verdict.class}: ${verdict.title}`;
    if (scenario.incident === null) throw new Error(`a false incident: ${said}`);
    if (!isExpected(scenario, verdict.class) || !scenario.incident.test(verdict.title))
      throw new Error(`the incident says ${said}`);
    expectEvidence(scenario, evidence, dumps);
    if (scenario.awaiting?.test(awaiting ?? '') === false)
      throw new Error(`it was waiting for ${awaiting ?? 'nothing'}`);
    const blocked = dumps.filter(({ key }) => key === 'w').flatMap(({ tasks }) => tasks);
    if (scenario.nobodyBlocked === true && verdict.class === 'waiting' && blocked.length > 0)
      throw new Error('its w shows blocked tasks');
    return verdict.title;
  }
}

/** All of it, or the reason why not. */
function expectEvidence(
  { unseen, runs }: Scenario,
  { complete, incompleteBecause }: Incident['evidence'],
  dumps: Incident['dumps'],
): void {
  const because = incompleteBecause.join('; ');
  if (unseen !== undefined && !incompleteBecause.some((why) => unseen.test(why)))
    throw new Error(`it does not say why nothing was seen: ${because}`);
  const whole = complete || (runs === true && dumps.some(({ key }) => key === 'memory'));
  if (!whole && unseen === undefined) throw new Error(`its evidence is not whole: ${because}`);
}
