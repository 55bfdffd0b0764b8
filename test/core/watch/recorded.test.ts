/**
 * Timelines of real guests, decided again: what was done then is done now. `npx vitest run -u` of this file writes the
 * lists anew; each difference must be wanted.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Effect, GuestEvent } from '../../../src/core/watch/events.js';
import { replay, type TimelineStart } from '../../../src/core/watch/timeline.js';

const directory = new URL('../../timelines/', import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
/** Asked every few seconds, whatever happens. */
const ROUTINE: ReadonlySet<Effect['type']> = new Set(['probe-ssh', 'identify', 'sample']);

function inWords(effect: Effect): string {
  if (effect.type === 'note') return `${effect.level}: ${effect.text}`;
  if (effect.type === 'press') return `press ${effect.key} via ${effect.via}${effect.slow ? ', slowly' : ''}`;
  if (effect.type === 'keep-dump') return `keep-dump ${effect.dump.name}`;
  if (effect.type === 'drop') return `drop: ${effect.why}`;
  if (effect.type !== 'file') return effect.type;
  const { analysis, incompleteBecause, why } = effect.finding;
  const { class: kind, frame, confidence } = analysis.verdict;
  const head = `file ${kind}, ${confidence}, frame ${frame ?? '-'}`;
  return [head, ...why, ...incompleteBecause].join('\n    ');
}

describe('a recorded timeline', () => {
  it.each(names)('%s', async (name) => {
    const [start, ...events] = readFileSync(new URL(name, directory), 'utf8')
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as unknown);
    const rows: string[] = [];
    const from = (events[0] as GuestEvent).at;
    replay(start as TimelineStart, events as GuestEvent[], {
      after: (state, { at }, effects) => {
        const stage = state.case === null ? '' : ` (${state.case.stage.name})`;
        for (const effect of effects.filter(({ type }) => !ROUTINE.has(type)))
          rows.push(`${((at - from) / 1000).toFixed(1)} s ${state.name}${stage}: ${inWords(effect)}`);
      },
    });
    await expect(`${rows.join('\n')}\n`).toMatchFileSnapshot(
      `../../timelines/${name.replace(/jsonl$/, 'txt')}`,
    );
  });
});
