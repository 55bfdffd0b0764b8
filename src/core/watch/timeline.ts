/** The events that a decision stood on, with the state they began from: enough to decide it again. */
import type { GuestSettings } from '../config/schema.js';
import type { GuestEvent } from './events.js';
import { type GuestState, reviveState, type SavedState } from './state.js';
import { step } from './step.js';
import type { Effect } from './events.js';

export interface TimelineStart {
  type: 'start';
  schemaVersion: 1;
  settings: GuestSettings;
  state: SavedState;
}

interface Generation {
  start: string;
  events: GuestEvent[];
}

/** Events after which a calm guest's older half is forgotten: about an hour of ticks, less where it talks much. */
const GENERATION = 5_000;

export class Timeline {
  private older: Generation | null = null;
  private newer: Generation;

  constructor(
    state: GuestState,
    private settings: GuestSettings,
  ) {
    this.newer = this.begin(state);
  }

  /** Call before the event changes the state. While a case is open nothing is forgotten. */
  record(state: GuestState, event: GuestEvent): void {
    if (this.newer.events.length >= GENERATION && state.case === null) this.turn(state);
    this.newer.events.push(event);
  }

  /** Other settings decide from here on. */
  reconfigure(state: GuestState, settings: GuestSettings): void {
    this.settings = settings;
    this.older = null;
    this.newer = this.begin(state);
  }

  /** The lines of timeline.jsonl, as JSON. */
  lines(): string[] {
    const first = this.older ?? this.newer;
    return [
      first.start,
      ...[...(this.older?.events ?? []), ...this.newer.events].map((event) => JSON.stringify(event)),
    ];
  }

  private turn(state: GuestState): void {
    this.older = this.newer;
    this.newer = this.begin(state);
  }

  private begin(state: GuestState): Generation {
    const start = { type: 'start', schemaVersion: 1, settings: this.settings, state };
    return { start: JSON.stringify(start), events: [] };
  }
}

/** Decides recorded events again. Calls back after each, with what it brought about. */
export function replay(
  start: TimelineStart,
  events: Iterable<GuestEvent>,
  onStep: (state: GuestState, event: GuestEvent, effects: Effect[]) => void,
): GuestState {
  const state = reviveState(start.state);
  for (const event of events) onStep(state, event, step(state, event, start.settings));
  return state;
}
