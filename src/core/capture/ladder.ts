/** What is tried where the keys bring no dump, in its order, and why a rung is not: decided, not done. */
import type { RungName } from './rungs.js';

/** The ways to press a key. */
export const CHANNELS = ['send-key', 'sysrq-trigger', 'input-send-event', 'second-keyboard'] as const;
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
  noNmi: string | null;
  noMemoryDump: string | null;
}

/** The rungs above send-key. */
export function ladder({ heard, noSsh, noQmp, noNmi, noMemoryDump }: Circumstances): Step[] {
  const noKeyboard = heard ? 'the guest hears its keyboard' : noQmp;
  return [
    { rung: 'sysrq-trigger', skip: noSsh },
    { rung: 'input-send-event', skip: noKeyboard },
    { rung: 'second-keyboard', skip: noKeyboard },
    { rung: 'registers', skip: noQmp },
    { rung: 'inject-nmi', skip: noNmi ?? noQmp },
    { rung: 'memory-dump', skip: noMemoryDump ?? noQmp },
  ];
}

export const isChannel = (rung: RungName): rung is Channel => CHANNELS.some((channel) => channel === rung);
