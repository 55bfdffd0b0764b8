/** The events that a decision stood on, with the state they began from: enough to decide it again. */
import type { GuestSettings } from '../config/schema.js';
import type { GuestEvent } from './events.js';
import { sizeOf } from './memory-view.js';
import { reviveState, type SavedState } from './saved.js';
import type { GuestState } from './state.js';
import { decide } from './decide.js';
import type { Effect } from './events.js';

export interface TimelineStart {
  type: 'start';
  /** 1 until the state was kept in slices. */
  schemaVersion: 1 | 2;
  settings: GuestSettings;
  state: SavedState;
}

interface Generation {
  start: string;
  events: GuestEvent[];
  /** Characters that they hold, or as many as they take the place of. */
  text: number;
}

/** Events after which a calm guest's older half is forgotten: about an hour of ticks, less where it talks much. */
const GENERATION = 5_000;
const GENERATION_TEXT = 2 << 20;
/** A guest that floods while it is captured must not cost the memory: its timeline is cut there. */
const MAX_TEXT = 32 << 20;
/** What an event takes beside its text. */
const EVENT = 64;

export class Timeline {
  private older: Generation | null = null;
  private newer: Generation;

  constructor(
    state: GuestState,
    private settings: GuestSettings,
  ) {
    this.newer = this.begin(state);
  }

  /** Call before the event changes the state. While a case is open nothing is forgotten, but it may be cut. */
  record(state: GuestState, event: GuestEvent): void {
    const { events, text } = this.newer;
    if (state.case === null && (events.length >= GENERATION || text >= GENERATION_TEXT)) this.turn(state);
    if (this.newer.text >= MAX_TEXT) return;
    this.newer.events.push(event);
    this.newer.text += EVENT + textOf(event);
  }

  /** Other settings decide from here on. */
  reconfigure(state: GuestState, settings: GuestSettings): void {
    this.settings = settings;
    this.older = null;
    this.newer = this.begin(state);
  }

  /** What timeline.jsonl holds until now, a line each. The last one says so where it was cut. */
  lines(): unknown[] {
    const first = this.older ?? this.newer;
    return [
      JSON.parse(first.start),
      ...(this.older?.events ?? []),
      ...this.newer.events,
      ...(this.newer.text >= MAX_TEXT ? [{ type: 'cut', afterCharacters: MAX_TEXT }] : []),
    ];
  }

  private turn(state: GuestState): void {
    this.older = this.newer;
    this.newer = this.begin(state);
  }

  private begin(state: GuestState): Generation {
    const start = { type: 'start', schemaVersion: 2, settings: this.settings, state };
    return { start: JSON.stringify(start), events: [], text: 0 };
  }
}

function textOf(event: GuestEvent): number {
  if (event.type === 'line') return event.text.length;
  return event.type === 'snapshot' || event.type === 'sampled' ? sizeOf(event.seen) : 0;
}

interface Watcher {
  before?: (state: GuestState, event: GuestEvent) => void;
  /** With what the event brought about. */
  after: (state: GuestState, event: GuestEvent, effects: Effect[]) => void;
}

/** Decides recorded events again, and is watched before and after each. */
export function replay(
  start: TimelineStart,
  events: Iterable<GuestEvent>,
  { before, after }: Watcher,
): GuestState {
  const state = reviveState(start.state);
  const rest = events[Symbol.iterator]();
  let next = rest.next();
  // Only an answer that failed was recorded.
  const recorded = () => {
    if (next.done === true || next.value.type !== 'analysed') return null;
    const { answer } = next.value;
    next = rest.next();
    return answer;
  };
  while (next.done !== true) {
    const event = next.value;
    next = rest.next();
    before?.(state, event);
    after(state, event, decide(state, event, start.settings, recorded));
  }
  return state;
}
