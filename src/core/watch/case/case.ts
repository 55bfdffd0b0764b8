/** A suspicion from its first moment to the incident or to its end. */
import type { Channel, Step } from '../../capture/ladder.js';
import type { CaptureRung } from '../../capture/rungs.js';
import type { DumpName, KeptDump, Series } from '../../capture/series.js';
import type { Dump } from '../../model.js';
import type { Mono } from '../../time.js';
import type { TimedLook } from '../looks.js';
import type { StateName } from '../state-name.js';
import type { Accusation } from './accusation.js';
import type { Stage } from './stage.js';

export interface Case {
  accusation: Accusation;
  /** The guest's state when it began. */
  before: { name: StateName; why: string[] };
  stage: Stage;
  looks: TimedLook[];
  /** What the guest's memory showed before the first key; null where it was not read. */
  memory: KeptMemory | null;
  capture: Capture;
  /** Why the guest is let go: it moves again. The case ends once the conversation has, and the loglevel is back. */
  acquitted: string | null;
  /** Looks that this host was too late for. */
  voidLooks: number;
  /** QEMU itself has been stopped for long, in words. */
  stopped?: string;
}

/** The newest snapshot of the guest's memory that is kept for the incident. */
interface KeptMemory {
  at: Mono;
  dump: Dump;
  /** Of memory.txt. */
  lines: number;
  /** Nothing can end a wait that it shows. */
  hopeless: boolean;
}

/** What was asked of the guest, and what came of it. */
export interface Capture {
  /** The conversation under way, or the last one; null before the first key. */
  series: Series | null;
  /** What the guest said to the digit that raises the loglevel; null if it did not speak. */
  digits: 'allowed' | 'refused' | null;
  /** The dumps to ask for, in their order; and how many of them were, as keys are pressed now. */
  plan: DumpName[];
  asked: number;
  dumps: KeptDump[];
  /** How keys are pressed now. */
  channel: Channel;
  /** The rungs that are left; null while the first way does. */
  ladder: Step[] | null;
  /** Ways that were tried. */
  rungs: CaptureRung[];
}

export const firstCapture = (plan: DumpName[]): Capture => ({
  series: null,
  digits: null,
  plan,
  asked: 0,
  dumps: [],
  channel: 'send-key',
  ladder: null,
  rungs: [],
});

/** The guest confirmed the higher loglevel: bodies are not hidden. */
export const isRaised = ({ series }: Capture): boolean => series?.raised === true;

/** A dump that came to its fence. */
export const isWhole = ({ endedBy }: KeptDump): boolean => endedBy === 'fence';
