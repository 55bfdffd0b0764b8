/** The conversations of one capture: the loglevel up, the dumps, the loglevel back. */
import type { Config } from '../config/schema.js';
import type { DumpSysrqKey, LoglevelKey, SysrqKey } from '../model.js';
import type { Mono } from '../time.js';
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
}

export interface Series {
  leg: Leg;
  exchange: Exchange;
  pressId: number;
  /** The guest confirmed the higher loglevel: bodies are not hidden. */
  raised: boolean;
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
  return { series: { leg, exchange, pressId: exchange.pressId, raised: before?.raised ?? false }, press };
}

/** Moves the leg under way on. */
export function seriesStep(
  before: Series,
  event: ExchangeEvent,
  limits: Config['capture'],
): { series: Series; press: Press | null } {
  const { exchange, press } = exchangeStep(before.exchange, event, limits);
  const raised = before.raised || (before.leg === 'raise' && exchange.endedBy === 'answered');
  return { series: { ...before, exchange, pressId: exchange.pressId, raised }, press };
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
