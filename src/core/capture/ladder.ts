/** What is tried where the keys bring no dump, in its order, and why a rung is not: decided, not done. */
import { RUNG_NAMES, type RungName } from './rungs.js';

/** The ways to press a key. */
export const CHANNELS = [
  'send-key',
  'sysrq-trigger',
  'input-send-event',
  'second-keyboard',
  'console',
] as const;
export type Channel = (typeof CHANNELS)[number];

export interface Step {
  rung: RungName;
  /** Why it is not tried, or null. */
  skip: string | null;
}

/** Each `no…` is a reason against a rung, or null. */
interface Circumstances {
  /** The guest has said something to its keys. */
  heard: boolean;
  noSsh: string | null;
  noQmp: string | null;
  noConsole: string | null;
  noNmi: string | null;
  noMemoryDump: string | null;
}

/** The rungs above send-key. */
export function ladder({ heard, noSsh, noQmp, noConsole, noNmi, noMemoryDump }: Circumstances): Step[] {
  const noKeyboard = heard ? 'the guest hears its keyboard' : noQmp;
  const skip: Record<Exclude<RungName, 'send-key'>, string | null> = {
    'sysrq-trigger': noSsh,
    'input-send-event': noKeyboard,
    'second-keyboard': noKeyboard,
    console: noKeyboard ?? noConsole,
    registers: noQmp,
    'inject-nmi': noNmi ?? noQmp,
    'memory-dump': noMemoryDump ?? noQmp,
  };
  return RUNG_NAMES.flatMap((rung) => (rung === 'send-key' ? [] : [{ rung, skip: skip[rung] }]));
}

/** A rung that presses nothing. */
export type Instead = Exclude<RungName, Channel>;

export const isChannel = (rung: RungName): rung is Channel => CHANNELS.some((channel) => channel === rung);
