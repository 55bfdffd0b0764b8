/** The conversations of one capture: the loglevel up, the dumps, the loglevel back. */
import type { Config } from '../config/schema.js';
import type { DumpSysrqKey, LoglevelKey, SysrqKey } from '../model.js';
import type { Mono } from '../time.js';
import { sysrqReply } from './replies.js';
import {
  abandon,
  type EndedBy,
  type Exchange,
  type ExchangeEvent,
  exchangeStep,
  type Press,
  startExchange,
} from './exchange.js';

/** Such as `sysrq-w.1`; its file has `.txt` behind it. */
export type DumpName = `sysrq-${DumpSysrqKey}${'' | `.${number}`}`;
export type Leg = 'raise' | DumpName | 'restore';

/** A dump as the guest printed it. */
export interface KeptDump {
  name: DumpName;
  lines: string[];
  startedAt: Mono;
  endedAt: Mono;
  endedBy: EndedBy;
  /** The words that explain a bad end: the guest's, or QMP's. */
  quote: string | null;
  /** Between two of its lines. */
  longestPauseMs?: number;
  /** Rows of the console that were not read, among its lines. */
  leftOut?: number;
  /** Set where it was asked for again; the lines are those of both. */
  attempts?: 2;
}

export interface Series {
  leg: Leg;
  exchange: Exchange;
  pressId: number;
  /** The guest confirmed the higher loglevel: bodies are not hidden. */
  raised: boolean;
  /** Chords that were pressed and not answered yet, by key; and answers without a chord. */
  asked: Partial<Record<SysrqKey, number>>;
  strays: number;
}

/** KERN_INFO, at which task lines are printed, shows from 7 upwards; 8 shows all. */
const RAISED: LoglevelKey = '8';

/** The key that brings about a dump of this name. */
export const dumpKeyOf = (name: DumpName): DumpSysrqKey => name.charAt('sysrq-'.length) as DumpSysrqKey;

function keyOf(leg: Leg, levelAfter: LoglevelKey): SysrqKey {
  if (leg === 'raise') return RAISED;
  return leg === 'restore' ? levelAfter : dumpKeyOf(leg);
}

/** Begins a leg; the press must be carried out. Ids never repeat within a series. */
export function startLeg(
  leg: Leg,
  at: Mono,
  before: Series | null,
  levelAfter: LoglevelKey,
): { series: Series; press: Press } {
  const { exchange, press } = startExchange(keyOf(leg, levelAfter), at, (before?.pressId ?? 0) + 1);
  const { raised = false, asked = {}, strays = 0 } = before ?? {};
  const series = { leg, exchange, pressId: exchange.pressId, raised, asked, strays };
  return { series: ask(series, press.key), press };
}

/** Moves the leg under way on. */
export function seriesStep(
  before: Series,
  event: ExchangeEvent,
  limits: Config['capture'],
): { series: Series; press: Press | null } {
  const { exchange, press } = exchangeStep(before.exchange, event, limits);
  const raised = before.raised || (before.leg === 'raise' && exchange.endedBy === 'answered');
  const series = { ...before, exchange, pressId: exchange.pressId, raised };
  return { series: press === null ? series : ask(series, press.key), press };
}

function ask(series: Series, key: SysrqKey): Series {
  return { ...series, asked: { ...series.asked, [key]: (series.asked[key] ?? 0) + 1 } };
}

/**
 * Counts answers against chords, also between the conversations. A chord is answered once: more answers mean that
 * somebody else presses keys, or that a program prints the kernel's words, perhaps a fence in the middle of a dump.
 */
export function countAnswer(series: Series, text: string): Series {
  const reply = sysrqReply(text);
  if (reply === null || reply.type === 'refused') return series;
  const key =
    reply.type === 'help' ? 'h' : reply.type === 'header' ? reply.key : (reply.level as LoglevelKey);
  const open = series.asked[key] ?? 0;
  if (open === 0) return { ...series, strays: series.strays + 1 };
  return { ...series, asked: { ...series.asked, [key]: open - 1 } };
}

/** So many rows of the console were not read, within the dump under way. */
export function leaveOut(series: Series, rows: number): Series {
  const { exchange } = series;
  return { ...series, exchange: { ...exchange, leftOut: (exchange.leftOut ?? 0) + rows } };
}

/** Ends the leg under way because its guest went away. */
export function abandonSeries(series: Series): Series {
  return { ...series, exchange: abandon(series.exchange, 'guest-gone') };
}

/**
 * The loglevel to put back: what was read over SSH in this boot, else what the kernel's command line asked for
 * (`quiet` is 4: CONFIG_CONSOLE_LOGLEVEL_QUIET), else 7 (CONFIG_CONSOLE_LOGLEVEL_DEFAULT).
 */
export function levelToRestore(read: number | null, commandLine: string | null): LoglevelKey {
  const words = commandLine?.split(/\s+/) ?? [];
  const asked = words.flatMap((word) => {
    if (word === 'quiet') return [4];
    if (word === 'debug') return [9];
    const level = /^loglevel=(\d+)$/.exec(word)?.[1];
    return level === undefined ? [] : [Number(level)];
  });
  const level = read ?? asked.at(-1) ?? 7;
  return String(Math.min(Math.max(level, 0), 9)) as LoglevelKey;
}
