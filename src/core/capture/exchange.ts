/**
 * One conversation with a guest's kernel: a chord, its header, and for a dump the fence behind it.
 * send-key answers before the keys arrive and a full PS/2 queue drops them without a word, so nothing is believed
 * until the kernel has said it on the console. One chord is in flight at any time.
 */
import type { Config } from '../config/schema.js';
import type { PressFault, SysrqKey } from '../model.js';
import type { Mono } from '../time.js';
import { isKernelLine } from '../console/kernel-line.js';
import { sysrqReply, printedAfter } from './replies.js';

/** How a conversation ended. Only `fence` (for a dump) and `answered` (for a loglevel) are good ends. */
export type EndedBy =
  | 'fence'
  | 'answered'
  | 'silence'
  | 'deadline'
  | 'refused'
  | 'no-response'
  | 'not-pressed'
  | 'guest-gone'
  | 'too-large';

export interface Exchange {
  key: SysrqKey;
  startedAt: Mono;
  phase: 'pressing' | 'header' | 'body' | 'done';
  /** Id of the press under way; its result must match. */
  pressId: number;
  phaseAt: Mono;
  lastLineAt: Mono;
  /** The longest time between two lines of the dump. */
  longestPauseMs: number;
  /** Presses of the key so far, and of the fence. */
  presses: number;
  fences: number;
  /** Answer lines of a dump, header to fence. Appended to, never rewritten. */
  lines: string[];
  bytes: number;
  /** Lines among them that are of no dump. */
  noise?: number;
  /** Rows of the console that were not read since the header. */
  leftOut?: number;
  endedBy: EndedBy | null;
  /** The guest's own words or QMP's, where they explain the end. */
  quote: string | null;
  fault: PressFault | null;
}

export type ExchangeEvent =
  | { type: 'line'; at: Mono; text: string }
  /** `blind`: why the console cannot be read now. */
  | { type: 'tick'; at: Mono; blind?: string | undefined }
  | { type: 'pressed'; at: Mono; id: number; fault: PressFault | null; detail: string };

export interface Press {
  id: number;
  key: SysrqKey;
  /** It was pressed before, in vain: each key is held for longer. */
  slow: boolean;
}

/**
 * A dump is kept in memory until it is parsed; a guest that prints for ever is cut here. A line costs an object, however
 * short it is, and ten thousand tasks print 300,000.
 */
const MAX_BYTES = 64 << 20;
const MAX_LINES = 400_000;
/** Lines among them that no kernel prints in a dump: of programs, which have better things to do. */
const MAX_NOISE = 50_000;
/** A chord lost in a full queue is pressed once more and slower, no chord more than needed. */
const MAX_PRESSES = 2;
const MAX_FENCES = 3;
/** Faults of QMP that may be over when the chord is pressed again. */
const PASSING: ReadonlySet<PressFault> = new Set([
  'busy',
  'no-resources',
  'no-libvirt',
  'no-greeting',
  'main-loop-stuck',
  'closed',
  'timeout',
] as const);

/** The kernel waits up to 10 s for CPUs that do not answer `l` (lib/nmi_backtrace.c). */
const ALL_CPUS_MS = 12_000;

const isDump = (key: SysrqKey): boolean => key !== 'h' && !/^\d$/.test(key);

/** Starts a conversation: the press that it returns must be carried out and answered by a `pressed` event. */
export function startExchange(
  key: SysrqKey,
  at: Mono,
  pressId: number,
): { exchange: Exchange; press: Press } {
  const exchange: Exchange = {
    key,
    startedAt: at,
    phase: 'pressing',
    pressId,
    phaseAt: at,
    lastLineAt: at,
    longestPauseMs: 0,
    presses: 1,
    fences: 0,
    lines: [],
    bytes: 0,
    endedBy: null,
    quote: null,
    fault: null,
  };
  return { exchange, press: { id: pressId, key, slow: false } };
}

/** Moves a conversation on. Returns a press to carry out, where the event calls for one. */
export function exchangeStep(
  before: Exchange,
  event: ExchangeEvent,
  limits: Config['capture'],
): { exchange: Exchange; press: Press | null } {
  const exchange = { ...before };
  if (exchange.phase === 'done') return { exchange, press: null };
  switch (event.type) {
    case 'line':
      return { exchange, press: onLine(exchange, event.text, event.at) };
    case 'pressed':
      if (event.id === exchange.pressId) onPressed(exchange, event);
      return { exchange, press: null };
    case 'tick':
      return { exchange, press: onTick(exchange, event, limits) };
  }
}

/** Ends a conversation from outside, because its guest went away. */
export function abandon(exchange: Exchange, endedBy: 'guest-gone'): Exchange {
  return exchange.phase === 'done' ? exchange : { ...exchange, phase: 'done', endedBy };
}

function end(exchange: Exchange, endedBy: EndedBy, quote: string | null): null {
  exchange.phase = 'done';
  exchange.endedBy = endedBy;
  exchange.quote = quote;
  return null;
}

function press(exchange: Exchange, key: SysrqKey, at: Mono): Press {
  exchange.pressId += 1;
  exchange.phaseAt = at;
  return { id: exchange.pressId, key, slow: exchange.presses > 1 || exchange.fences > 1 };
}

function onLine(exchange: Exchange, text: string, at: Mono): Press | null {
  const reply = sysrqReply(text);
  if (exchange.phase !== 'body') {
    if (reply?.type === 'refused') return end(exchange, 'refused', text);
    if (!isDump(exchange.key))
      return reply?.type === 'level' && reply.level === exchange.key ? end(exchange, 'answered', text) : null;
    if (reply?.type !== 'header' || reply.key !== exchange.key) return null;
    exchange.phase = 'body';
    exchange.lastLineAt = at;
    keep(exchange, text, at);
    exchange.fences = 1;
    return press(exchange, 'h', at);
  }
  keep(exchange, text, at);
  if (reply?.type === 'help' && printedAfter(exchange.lines[0] ?? '', text))
    return end(exchange, 'fence', null);
  const large = tooLarge(exchange);
  return large === null ? null : end(exchange, 'too-large', large);
}

function tooLarge({ bytes, lines, noise = 0 }: Exchange): string | null {
  if (bytes > MAX_BYTES) return `cut at ${MAX_BYTES >> 20} MiB`;
  if (lines.length >= MAX_LINES) return `cut at ${MAX_LINES} lines`;
  if (noise < MAX_NOISE) return null;
  return `cut: ${MAX_NOISE} lines among it are of no dump, so something floods the console`;
}

function keep(exchange: Exchange, text: string, at: Mono): void {
  exchange.lines.push(text);
  if (!isKernelLine(text)) exchange.noise = (exchange.noise ?? 0) + 1;
  exchange.bytes += text.length;
  exchange.longestPauseMs = Math.max(exchange.longestPauseMs, at - exchange.lastLineAt);
  exchange.lastLineAt = at;
}

function onPressed(exchange: Exchange, event: { at: Mono; fault: PressFault | null; detail: string }): void {
  exchange.fault = event.fault;
  exchange.quote = event.fault === null ? null : event.detail;
  exchange.phaseAt = event.at;
  // A fence that could not be pressed leaves a body that still arrives: it is pressed again, or silence ends it.
  if (exchange.phase === 'body') return;
  const hopeless = event.fault !== null && (exchange.presses >= MAX_PRESSES || !PASSING.has(event.fault));
  if (hopeless) end(exchange, 'not-pressed', event.detail);
  else exchange.phase = 'header';
}

function onTick(
  exchange: Exchange,
  { at, blind }: Extract<ExchangeEvent, { type: 'tick' }>,
  limits: Config['capture'],
): Press | null {
  if (exchange.phase === 'pressing') return null; // the press has its own deadline and always reports
  if (blind !== undefined) return blindTick(exchange, at, blind, limits);
  if (exchange.phase === 'body') return bodyTick(exchange, at, limits);
  if (at - exchange.phaseAt < limits.headerTimeout) return null;
  if (exchange.presses >= MAX_PRESSES) return end(exchange, 'no-response', null);
  exchange.presses += 1;
  exchange.phase = 'pressing';
  return press(exchange, exchange.key, at);
}

/** What the guest says now is heard later: the silence is ours, not its own. */
function blindTick(exchange: Exchange, at: Mono, why: string, limits: Config['capture']): null {
  exchange.phaseAt = at;
  exchange.lastLineAt = at;
  if (at - exchange.startedAt < limits.dumpTimeout) return null;
  return end(exchange, 'deadline', `its console could not be read: ${why}`);
}

function bodyTick(exchange: Exchange, at: Mono, limits: Config['capture']): Press | null {
  if (at - exchange.startedAt >= limits.dumpTimeout) return end(exchange, 'deadline', exchange.quote);
  const silence = exchange.key === 'l' ? Math.max(limits.dumpSilence, ALL_CPUS_MS) : limits.dumpSilence;
  const quiet = at - Math.max(exchange.lastLineAt, exchange.phaseAt);
  if (quiet < silence / MAX_FENCES) return null;
  const hopeless = exchange.fault !== null && !PASSING.has(exchange.fault);
  if (exchange.fences >= MAX_FENCES || hopeless) {
    return at - exchange.lastLineAt >= silence ? end(exchange, 'silence', exchange.quote) : null;
  }
  exchange.fences += 1;
  return press(exchange, 'h', at);
}
