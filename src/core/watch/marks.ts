/** Keeps what happened to a guest lately, for the timeline of a report. */
import type { Lane, Mark } from '../report/marks.js';
import type { SshProbe } from '../outside.js';
import type { Mono } from '../time.js';
import type { Effect, GuestEvent } from './events.js';

/** Rows of a console that follow each other within this are one mark. */
const CONSOLE_APART_MS = 500;
/** Of one lane: minutes of a calm guest. */
const LANE_MAX = 400;
const TEXT_MAX = 120;
/** What led to the last sign of life is of interest too. */
const BEFORE_MS = 6_000;

export class Marks {
  private readonly lanes: Record<Lane, Mark<Mono>[]> = {
    console: [],
    ssh: [],
    looks: [],
    chords: [],
    dumps: [],
  };

  event(event: GuestEvent): void {
    const { at } = event;
    if (event.type === 'line') {
      if (event.replayed === true) return;
      const last = this.lanes.console.at(-1);
      if (last === undefined || at - last.at >= CONSOLE_APART_MS)
        this.add('console', { at, text: event.text, good: null });
    } else if (event.type === 'left-out') {
      this.add('console', { at, text: `${event.rows} rows left out`, good: null });
    } else if (event.type === 'ssh') {
      const { kind, late } = event.probe;
      if (kind !== 'host-fault' && late !== true)
        this.add('ssh', { at, text: probeText(event.probe), good: kind === 'ok' });
    } else if (event.type === 'command') {
      const { kind, detail, step } = event.result;
      const text = kind === 'ok' ? 'a command ran' : `command: ${kind} at ${step}: ${detail}`;
      this.add('ssh', { at, text, good: kind === 'ok' });
    } else if (event.type === 'look') {
      const { qmp } = event.look;
      this.add('looks', { at, text: qmp.ok ? 'QMP answers' : `QMP: ${qmp.fault}`, good: qmp.ok });
    } else if (event.type === 'snapshot') {
      const { seen } = event;
      this.add('looks', { at, text: seen.ok ? 'memory read' : `memory: ${seen.why}`, good: seen.ok });
    }
  }

  effect(effect: Effect, at: Mono): void {
    if (effect.type === 'press') {
      this.add('chords', { at, text: effect.key, good: null });
    } else if (effect.type === 'keep-dump') {
      const { name, lines, startedAt, endedAt, endedBy } = effect.dump;
      const good = endedBy === 'fence' || endedBy === 'answered';
      const text = `${name}: ${lines.length} lines, ended by ${endedBy}`;
      this.add('dumps', { at: startedAt, until: Math.max(endedAt, startedAt), text, good });
    }
  }

  /** Those from shortly before `since` on, oldest first. */
  from(since: Mono): Mark<Mono>[] {
    return Object.values(this.lanes)
      .flat()
      .filter(({ at }) => at >= since - BEFORE_MS)
      .sort((a, b) => a.at - b.at);
  }

  /** The same with times as `timeOf` tells them. */
  told(since: Mono, timeOf: (at: Mono) => string): Mark[] {
    return this.from(since).map(({ at, until, ...mark }) => ({
      ...mark,
      at: timeOf(at),
      ...(until !== undefined && { until: timeOf(until) }),
    }));
  }

  private add(lane: Lane, mark: Omit<Mark<Mono>, 'lane'>): void {
    const marks = this.lanes[lane];
    marks.push({ ...mark, text: mark.text.slice(0, TEXT_MAX), lane });
    if (marks.length > LANE_MAX) marks.splice(0, LANE_MAX / 2);
  }
}

function probeText({ kind, step, detail }: SshProbe): string {
  if (kind === 'ok') return 'answers';
  return `${kind}${step === undefined ? '' : ` at ${step}`}${detail === '' ? '' : `: ${detail}`}`;
}
