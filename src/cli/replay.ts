/** `replay`: decides again over records, with the same core: what would have been noticed, when and why. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import { cleanRow } from '../core/console/clean.js';
import { Stamps } from '../core/console/stamps.js';
import { guestRouter } from '../core/journal/route.js';
import { didYouMean } from '../core/nearest.js';
import { printable } from '../core/printable.js';
import type { GuestEvent } from '../core/watch/events.js';
import { safeJson } from '../core/report/json.js';
import { ConsoleRerun, type Explained, type Firing, Observer } from '../core/watch/rerun.js';
import { replay, type TimelineStart } from '../core/watch/timeline.js';
import { seconds } from '../core/words.js';
import { LogError, logLines } from '../io/console-log.js';
import { readJournal } from '../io/journal-read.js';
import { ownMatches } from '../io/own-journal.js';
import { archiveRoot, qmpDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import { findIncident, NotFound } from './find-evidence.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { evidenceLines } from './status.js';

interface ReplayOptions {
  journal?: boolean | undefined;
  since?: string | undefined;
  vm?: string | undefined;
  explain?: string | undefined;
  json?: boolean | undefined;
}

/** What one record holds, and how its times read. */
interface Replayed {
  observers: Observer[];
  time: (at: number) => string;
  /** That it holds nothing of the VM that was asked for. */
  missing?: string;
}

interface Asked {
  config: Config;
  /** A configuration was given with -c: it then replaces the settings that a timeline brings. */
  configured: boolean;
  vm: string;
  explain: string | undefined;
}

const LINE_MAX = 400;
const DEFAULT_SINCE = 'yesterday';

/**
 * Decides again over incidents (timeline.jsonl, a directory, an id), console logs with times, or the journal. Returns 0
 * if nothing would have been filed, 1 if something would, 2 usage, 3 no such incident, 5 for what cannot be read.
 */
export async function replayCommand(
  names: string[],
  options: ReplayOptions,
  globals: Globals,
): Promise<number> {
  const { terminal } = globals;
  const problem = usageProblem(names, options);
  if (problem !== null) {
    terminal.err(`wedgewatch: ${problem}\n`);
    return EXIT.usage;
  }
  return withConfig(globals, async (config) => {
    const asked = {
      config,
      configured: globals.config !== null,
      vm: options.vm ?? 'guest',
      explain: options.explain,
    };
    try {
      const replayed: Replayed[] = [];
      if (options.journal === true)
        replayed.push(await ofJournal(options.since ?? DEFAULT_SINCE, options.vm, asked));
      for (const name of names) replayed.push(await ofFile(name, asked));
      return tell(replayed, options, globals);
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      terminal.err(`wedgewatch: ${error.message}\n`);
      return error.code;
    }
  });
}

function usageProblem(names: readonly string[], { journal, since, explain }: ReplayOptions): string | null {
  if (names.length === 0 && journal !== true)
    return 'name a timeline, an incident or a console log, or give --journal';
  if (since !== undefined && journal !== true) return '--since needs --journal';
  if (explain !== undefined && moment(explain) === null)
    return `--explain ${printable(explain, 60)}: expected an ISO time, or the seconds of a log without dates`;
  return null;
}

/** Milliseconds, of the wall clock or since a log's beginning. */
function moment(text: string): number | null {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

const explainAt = ({ explain }: Asked): number | null => (explain === undefined ? null : moment(explain));

const settingsFor = (config: Config, vm: string) =>
  guestSettings(config, vm, { qmpDirectory: qmpDirectory() });

const iso = (ms: number): string => new Date(ms).toISOString();
const sinceStart = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function ofFile(name: string, asked: Asked): Promise<Replayed> {
  const kind = await stat(name).catch(() => null);
  if (kind?.isDirectory() === true) return ofTimeline(join(name, 'timeline.jsonl'), asked);
  if (name.endsWith('.jsonl')) return ofTimeline(name, asked);
  if (kind === null && !/[/.]log$|\.txt$|\.gz$/.test(name)) {
    const { path } = await findIncident(archiveRoot(asked.config), name);
    return ofTimeline(join(path, 'timeline.jsonl'), asked);
  }
  return ofLog(name, asked);
}

async function ofTimeline(path: string, asked: Asked): Promise<Replayed> {
  const shown = printable(path, LINE_MAX);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new NotFound(
      `${shown} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      EXIT.environment,
    );
  });
  const records = text.split('\n').flatMap((line, index) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as { type?: unknown; at?: unknown; wallMs?: number }];
    } catch {
      throw new NotFound(`${shown}, line ${index + 1}: not JSON; the file is damaged`, EXIT.environment);
    }
  });
  const [first, ...rest] = records;
  if (first?.type !== 'start')
    throw new NotFound(`${shown}, line 1: not a timeline of wedgewatch`, EXIT.environment);
  const events = rest.filter(
    ({ type, at }) => type !== 'cut' && typeof at === 'number',
  ) as unknown as GuestEvent[];
  const recorded = first as unknown as TimelineStart;
  const settings = asked.configured ? settingsFor(asked.config, recorded.state.vm) : recorded.settings;
  const clock = wallOffset(events);
  const wanted = explainAt(asked);
  const observer = new Observer(wanted === null ? null : wanted - (clock ?? 0));
  const end = replay({ ...recorded, settings }, events, {
    before: (state, { at }) => observer.before(state, settings, at),
    after: (state, { at }, effects) => observer.after(state, effects, at),
  });
  if (wanted !== null) observer.explain(end, settings, wanted - (clock ?? 0));
  return { observers: [observer], time: clock === null ? sinceStart : (at) => iso(at + clock) };
}

/** How far the wall clock was ahead of the monotonic one; null for timelines whose ticks do not say. */
function wallOffset(events: readonly GuestEvent[]): number | null {
  const tick = events.findLast((event) => event.type === 'tick' && event.wallMs !== undefined);
  return tick?.type === 'tick' && tick.wallMs !== undefined ? tick.wallMs - tick.at : null;
}

async function ofLog(path: string, asked: Asked): Promise<Replayed> {
  const stamps = new Stamps(new Date().getFullYear());
  const observer = new Observer(explainAt(asked));
  const settings = settingsFor(asked.config, asked.vm);
  let rerun: ConsoleRerun | null = null;
  let last = 0;
  try {
    for await (const line of logLines(path)) {
      const { at, text } = stamps.read(line);
      if (at === null) continue;
      rerun ??= new ConsoleRerun(asked.vm, settings, at, observer);
      rerun.line(at, text);
      last = at;
    }
  } catch (error) {
    const why = error instanceof LogError ? error.message : String(error);
    throw new NotFound(
      `${printable(path, LINE_MAX)} cannot be read: ${printable(why, 300)}`,
      EXIT.environment,
    );
  }
  if (rerun === null)
    throw new NotFound(
      `${printable(path, LINE_MAX)}: no line has a time; wedgewatch analyze needs none`,
      EXIT.environment,
    );
  const wanted = explainAt(asked);
  if (wanted !== null) observer.explain(rerun.state, settings, Math.max(wanted, last));
  return { observers: [observer], time: stamps.wall ? iso : sinceStart };
}

async function ofJournal(since: string, only: string | undefined, asked: Asked): Promise<Replayed> {
  const { config } = asked;
  const reruns = new Map<string, ConsoleRerun>();
  const others = new Set<string>();
  const guestOf = guestRouter(config, null, ownScope());
  const fault = await readJournal({
    matches: ownMatches(),
    since,
    onEntries: (entries) => {
      for (const entry of entries) {
        const route = guestOf(entry);
        if (route?.kind !== 'console') continue;
        const { vm } = route;
        if (only !== undefined && only !== vm) {
          others.add(vm);
          continue;
        }
        // Across boots of the host only the wall clock compares.
        const at = entry.realtimeMs;
        const known = reruns.get(vm);
        const rerun =
          known ?? new ConsoleRerun(vm, settingsFor(config, vm), at, new Observer(explainAt(asked)));
        if (known === undefined) reruns.set(vm, rerun);
        if (route.invocation !== null) rerun.boot(at, route.invocation);
        for (const text of cleanRow(entry.message)) rerun.line(at, text);
      }
    },
  });
  if (fault !== null) throw new NotFound(fault, EXIT.environment);
  const wanted = explainAt(asked);
  for (const [vm, { state, observer }] of reruns)
    if (wanted !== null) observer.explain(state, settingsFor(config, vm), wanted);
  const observers = [...reruns.values()].map(({ observer }) => observer);
  if (only === undefined || reruns.size > 0) return { observers, time: iso };
  const missing = `no console of ${only} in the journal since ${since}${didYouMean(only, [...others])}`;
  return { observers, time: iso, missing };
}

function tell(replayed: readonly Replayed[], options: ReplayOptions, { terminal, quiet }: Globals): number {
  for (const { missing } of replayed)
    if (missing !== undefined) terminal.err(`wedgewatch: ${printable(missing, LINE_MAX)}\n`);
  const firings = replayed.flatMap(({ observers, time }) =>
    observers.flatMap(({ firings: found }) => found.map((firing) => ({ firing, time }))),
  );
  const moments = replayed.flatMap(({ observers, time }) =>
    observers.flatMap(({ explained }) => (explained === null ? [] : [{ explained, time }])),
  );
  const incidents = firings.filter(({ firing }) => firing.incident !== null).length;
  if (options.json === true) {
    const value = {
      firings: firings.map(({ firing, time }) => ({
        ...firing,
        at: time(firing.at),
        incident: firing.incident && { ...firing.incident, at: time(firing.incident.at) },
      })),
      explained: moments.map(({ explained, time }) => ({ ...explained, at: time(explained.at) })),
    };
    terminal.out(`${safeJson(value, 2)}\n`);
  } else if (options.explain !== undefined) {
    for (const { explained, time } of moments) terminal.out(explanation(explained, time));
  } else {
    for (const { firing, time } of firings) terminal.out(firingText(firing, time));
    if (!quiet) terminal.out(`${incidents} would have been filed, ${firings.length - incidents} dropped\n`);
  }
  return incidents > 0 ? EXIT.hang : EXIT.ok;
}

function firingText({ vm, at, why, incident, outcome }: Firing, time: (at: number) => string): string {
  const head =
    incident === null
      ? `dropped: ${outcome}`
      : `filed as ${incident.class} after ${seconds(incident.at - at)}: ${incident.title}`;
  const lines = [`${time(at)}  ${vm}  ${head}`, ...why.map((reason) => `    because: ${reason}`)];
  return lines.map((line) => `${printable(line, LINE_MAX)}\n`).join('');
}

function explanation(
  { vm, at, state, class: kind, phase, reasons, evidence }: Explained,
  time: (at: number) => string,
): string {
  const lines = [
    `${time(at)}  ${vm}: ${state}, ${kind}, phase ${phase}`,
    ...reasons.map((reason) => `    because: ${reason}`),
  ];
  return lines.map((line) => `${printable(line, LINE_MAX)}\n`).join('') + evidenceLines({ evidence });
}
