/** Several reports of one task, or of one CPU: each caught it at another moment of what does not end. */
import type { Dump } from '../model.js';
import type { Accused } from './accused.js';
import { callersOf } from './callers.js';
import { nameOf } from './candidates.js';
import { type StallPlace, stallPlace } from './stall-frame.js';

export interface Report {
  dump: Dump;
  accused: Accused | null;
}

/** By whom they are about. */
export type Samples = ReadonlyMap<string, readonly Report[]>;

/** A lockup's headline has the number where no other line has. */
export function cpuOf({ key, stall }: Dump, { cpu, comm }: Accused): number | null {
  const { cpus = [] } = stall ?? {};
  const only = cpus.length === 1 && (comm === '' || key === 'lockup') ? cpus[0] : undefined;
  return cpu ?? only ?? null;
}

/** Reports of the same are one. */
export const aboutOf = (dump: Dump, accused: Accused): string =>
  accused.idle || accused.comm === '' ? `CPU ${cpuOf(dump, accused) ?? '?'}` : nameOf(accused);

export function gathered(reports: readonly Report[]): Samples {
  const found = new Map<string, Report[]>();
  for (const report of reports) {
    if (!report.accused) continue;
    const about = aboutOf(report.dump, report.accused);
    const seen = found.get(about);
    if (seen) seen.push(report);
    else found.set(about, [report]);
  }
  return found;
}

/**
 * The place with the callers of what all the reports share: what only some caught ends, and is called again.
 */
export function acrossSamples(place: StallPlace, reports: readonly Report[]): StallPlace {
  const stacks = reports.flatMap(({ accused }) => {
    const other = accused && stallPlace(accused.frames);
    return other?.frame === place.frame && other.within.length > 1 ? [other.within.toReversed()] : [];
  });
  if (stacks.length < 2) return place;
  const shared = mostly(stacks);
  const at = shared.indexOf(place.at);
  const callers = callersOf(shared.slice(1, at < 0 ? undefined : at).toReversed());
  return callers.length === 0 ? place : { ...place, callers };
}

/** What most of several stacks share, outermost first: of one a frame may be missing. */
function mostly(stacks: readonly (readonly string[])[]): string[] {
  let alike = stacks;
  for (let depth = 0; ; depth += 1) {
    const names = alike.flatMap((stack) => stack[depth] ?? []);
    const most = names.reduce(
      (best, name) => (alikeAt(alike, depth, name).length > alikeAt(alike, depth, best).length ? name : best),
      names[0] ?? '',
    );
    const next = alikeAt(alike, depth, most);
    if (most === '' || next.length * 3 < stacks.length * 2) return (alike[0] ?? []).slice(0, depth);
    alike = next;
  }
}

const alikeAt = (stacks: readonly (readonly string[])[], depth: number, name: string) =>
  stacks.filter((stack) => stack[depth] === name);
