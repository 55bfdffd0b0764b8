/** What the pieces of a guest need of it, so that they can be read and tested without the whole. */
import type { GuestSettings } from '../core/config/schema.js';
import type { Rows } from '../core/console/rows.js';
import type { ConsolePosition } from '../core/console/position.js';
import type { Mono } from '../core/time.js';
import type { GuestEvent } from '../core/watch/events.js';
import type { Incident } from '../core/report/incident.js';
import type { GuestState } from '../core/watch/state.js';
import type { LearnedBoots } from '../io/learned-boots.js';
import type { Log } from '../io/log.js';
import type { Whose } from '../io/qemu-process.js';
import type { SshOptions } from '../io/ssh/resolve.js';
import type { MemoryReader } from './memory-reader.js';
import type { LeftOver } from './left-over.js';
import type { Pending } from './pending.js';
import type { Pace, Slots } from './slots.js';
import type { Turns } from './turns.js';

/** Distributes over the members of a union, so that each event keeps its own shape. */
export type Untimed<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

export interface ConsoleRows extends Rows {
  at: Mono;
  /** When they were logged, in milliseconds since 1970; default: now. */
  wallMs?: number;
  replayed: boolean;
}

export interface GuestHandle {
  readonly vm: string;
  readonly settings: GuestSettings;
  readonly state: GuestState;
  readonly services: Services;
  /** Ends all that is under way for this guest. */
  readonly stopping: AbortController;
  /** Answers a decision: the event happens now. */
  now(event: Untimed<GuestEvent>): void;
  /** How ssh is called for it. */
  ssh(timeoutMs: number): SshOptions;
  /** By what its QEMU is found. */
  whose(): Whose;
  log(level: 'error' | 'warning' | 'notice' | 'info', text: string): void;
}

/** What guests share. */
export interface Services {
  log: Log;
  slots: Slots;
  /** Whose console rows are decided on when. */
  turns: Turns;
  /** Commands over SSH do not begin in a burst. */
  logins: Pace;
  /** Root of the archive. */
  archive: string;
  /** What the archive could not take yet. */
  pending: Pending;
  consoleLines: number;
  /** Where a guest's console has been read up to. */
  position: (guest: GuestHandle) => ConsolePosition | null;
  /** A capture waits for what an earlier daemon left of the same guest. */
  leftOver: LeftOver;
  /** Reads the memory of guests. */
  memory: MemoryReader;
  learned: Pick<LearnedBoots, 'of' | 'add'>;
  onFiled?: (guest: GuestHandle, filed: FiledCase) => void;
}

/** A case that was filed, or of which nothing could be kept. */
export interface FiledCase {
  /** The finished directory, in the archive or where it waits for that; null where nothing could be kept. */
  directory: string | null;
  title: string;
  /** Somebody asked for it: it is no hang that wedgewatch found. */
  byHand: boolean;
  /** Null where there is no directory. */
  incident: FiledIncident | null;
}

/** What the others need of an incident, without its dumps. */
export type FiledIncident = Pick<
  Incident,
  'id' | 'startedAt' | 'verdict' | 'fingerprint' | 'evidence' | 'timings' | 'kernel'
>;
