/** The metrics of the daemon, as docs/metrics.md explains them. */
import { Counter, Gauge, Histogram, Registry, type RegistryContentType } from 'prom-client';
import { analysisSchema } from '../core/analysis-schema.js';
import { printable } from '../core/printable.js';
import type { HookRun } from '../core/report/incident.js';
import type { Mono } from '../core/time.js';
import { blindness } from '../core/watch/slices/console.js';
import { isHung, STATE_NAMES } from '../core/watch/state-name.js';
import { monotonicMs } from '../io/clock.js';
import { VERSION } from '../io/version.js';
import type { FiledCase, GuestHandle } from './guest-handle.js';
import type { Pending } from './pending.js';

/** What is counted: the daemon, as far as it matters here. */
interface Counted {
  readonly guests: ReadonlyMap<string, Pick<GuestHandle, 'vm' | 'state'>>;
  readonly services: { readonly pending: Pick<Pending, 'status'> };
}

const CLASSES = analysisSchema.shape.verdict.shape.class.options;
/** A hang beside an SSH that answers holds no state: whoever reads once a minute is to see it. */
const SHOWN_MS = 10 * 60_000;
/** How far from the wedge to the stacks; hung_task needs 120 s. */
const TO_STACKS_S = [1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 900];
const LAG_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const VM_MAX = 200;
const LAG_EVERY_MS = 500;

/** A client renders a registry in one format only: each has its own. */
interface Set {
  registry: Registry<RegistryContentType>;
  incidents: Counter;
  incomplete: Counter;
  lost: Counter;
  hooks: Counter;
  toStacks: Histogram;
  lag: Histogram;
}

export class Metrics {
  private readonly openMetrics: Set;
  private readonly text: Set;
  /** The newest hang of each guest. */
  private readonly hangs = new Map<string, { class: string; at: Mono }>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly daemon: Counted) {
    this.openMetrics = this.makeSet(Registry.OPENMETRICS_CONTENT_TYPE);
    this.text = this.makeSet(Registry.PROMETHEUS_CONTENT_TYPE);
  }

  /** Measures how late this process is, until it is stopped. */
  start(): void {
    let due = monotonicMs() + LAG_EVERY_MS;
    this.timer = setInterval(() => {
      const now = monotonicMs();
      this.each(({ lag }) => lag.observe(Math.max(0, now - due) / 1000));
      due = now + LAG_EVERY_MS;
    }, LAG_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** In the format of OpenMetrics. */
  render(): Promise<string> {
    return this.openMetrics.registry.metrics();
  }

  /** In Prometheus' own, which node-exporter reads. */
  renderText(): Promise<string> {
    return this.text.registry.metrics();
  }

  filed({ vm }: Pick<GuestHandle, 'vm'>, { byHand, directory, incident }: FiledCase): void {
    if (byHand) return;
    if (directory === null || incident === null) {
      this.each(({ lost }) => lost.inc());
      return;
    }
    const { verdict, evidence, timings } = incident;
    this.hangs.set(vm, { class: verdict.class, at: monotonicMs() });
    const { capturedAfterMs } = timings;
    this.each(({ incidents, incomplete, toStacks }) => {
      incidents.inc({ class: verdict.class });
      if (!evidence.complete) incomplete.inc();
      if (capturedAfterMs !== undefined) toStacks.observe(capturedAfterMs / 1000);
    });
  }

  hookRan({ outcome }: HookRun): void {
    this.each(({ hooks }) => hooks.inc({ outcome }));
  }

  private each(on: (set: Set) => void): void {
    on(this.openMetrics);
    on(this.text);
  }

  private makeSet(format: RegistryContentType): Set {
    const registry = new Registry<RegistryContentType>();
    registry.setContentType(format);
    const registers = [registry];
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name, help, labelNames, registers });
    this.gauges(registers);
    const set: Set = {
      registry,
      incidents: counter(
        'wedgewatch_incidents_total',
        'Hangs that were filed, by the class of their verdict.',
        ['class'],
      ),
      incomplete: counter('wedgewatch_incidents_incomplete_total', 'Those with incomplete evidence.'),
      lost: counter('wedgewatch_incidents_lost_total', 'Hangs of which nothing could be kept.'),
      hooks: counter('wedgewatch_hooks_total', 'Programs of onIncident that have ended.', ['outcome']),
      toStacks: new Histogram({
        name: 'wedgewatch_time_to_stacks_seconds',
        help: 'From the last sign of life of a guest to its stacks on disk.',
        buckets: TO_STACKS_S,
        registers,
      }),
      lag: new Histogram({
        name: 'wedgewatch_lag_seconds',
        help: 'How late wedgewatch itself is, measured twice a second.',
        buckets: LAG_S,
        registers,
      }),
    };
    // A rate needs the zero before the first.
    for (const one of CLASSES) set.incidents.inc({ class: one }, 0);
    for (const outcome of ['worked', 'failed']) set.hooks.inc({ outcome }, 0);
    return set;
  }

  private gauges(registers: Registry<RegistryContentType>[]): void {
    const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
      new Gauge({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          collect(this);
        },
      });
    const { daemon } = this;
    const states = () => [...daemon.guests.values()].map(({ state }) => state);
    gauge('wedgewatch_build_info', 'The version that runs; always 1.', ['version'], (one) =>
      one.set({ version: VERSION }, 1),
    );
    gauge('wedgewatch_guests', 'Guests by state.', ['state'], (one) => {
      const names = states().map(({ name }) => name);
      for (const state of STATE_NAMES) one.set({ state }, names.filter((name) => name === state).length);
    });
    gauge('wedgewatch_guests_blind', 'Guests of whose console nothing can be read.', [], (one) => {
      const now = monotonicMs();
      one.set(states().filter(({ console }) => blindness(console, now) !== null).length);
    });
    gauge(
      'wedgewatch_guest_hangs',
      'Guests that hang now, or of which a hang was filed in the last ten minutes; always 1.',
      ['vm', 'class'],
      (one) => this.showHangs(one),
    );
    gauge('wedgewatch_incidents_pending', 'Incidents that the archive could not take yet.', [], (one) =>
      one.set(daemon.services.pending.status().length),
    );
  }

  /** By name only while they matter: names are new for each run, and each would be kept as a series. */
  private showHangs(one: Gauge): void {
    const now = monotonicMs();
    for (const [vm, hang] of this.hangs) {
      const guest = this.daemon.guests.get(vm);
      const hangs = guest !== undefined && isHung(guest.state.name);
      if (hangs || now - hang.at < SHOWN_MS) one.set({ vm: printable(vm, VM_MAX), class: hang.class }, 1);
      else this.hangs.delete(vm);
    }
  }
}
