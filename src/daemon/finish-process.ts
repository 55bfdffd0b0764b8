/** Completes one partial incident, in a process of its own: what a guest printed may cost the heap. */
import type { TailLimits } from '../core/capture/cut-short.js';
import { finishPartial } from '../io/archive/finish.js';
import { serve } from '../io/helper-process.js';
import { analyseCutShort } from './analyse-cut-short.js';
import { recover } from './recover.js';

export interface FinishOrder {
  partial: { id: string; path: string };
  limits: TailLimits;
  /** Kept for console.txt. */
  consoleLines: number;
}

serve((question) => {
  const { partial, limits, consoleLines } = question as FinishOrder;
  return finishPartial(partial, {
    analyse: (cut) => analyseCutShort(cut, consoleLines),
    recover: (cut) => recover(cut, limits),
  });
});
