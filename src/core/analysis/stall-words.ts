/** Words that the verdicts on stalls, lockups and pools share. */
import type { Dump, Stall, Verdict } from '../model.js';
import { type Age, ageOf } from './jiffies.js';
import type { StallPlace } from './stall-frame.js';

export type Said = Omit<Verdict, 'inferred'>;

/** What one report comes to. */
export interface StallFinding {
  /** How much it proves; the higher the more. */
  rank: number;
  /** Reports of the same are one. */
  about: string;
  /** How many callers of the place its stack tells; -1 if it ends before its outer end. */
  callers?: number;
  said: Said;
}

const TITLE_MAX = 160;

/** ` ≥21 s`; empty where the report does not say. */
export const lasted = (dump: Dump, hz: number | null): string => since(ageSeconds(dump, hz));

/** Seconds that the report says it lasts, undefined where it does not. */
export function ageSeconds(dump: Dump, hz: number | null): number | undefined {
  const age = ageIn(dump, hz);
  return typeof age === 'number' ? age : age?.seconds;
}

/** The most that any of several reports says. */
export function longest(dumps: readonly Dump[], hz: number | null): string {
  const ages = dumps.flatMap((dump) => ageSeconds(dump, hz) ?? []);
  return ages.length === 0 ? '' : since(Math.max(...ages));
}

export const since = (seconds: number | null | undefined): string =>
  typeof seconds === 'number' ? ` ≥${seconds} s` : '';

/** The age of a grace period counts from when the CPU was first waited for. */
function ageIn(dump: Dump, hz: number | null): Age | number | null {
  const { stall } = dump;
  if (typeof stall?.seconds === 'number') return stall.seconds;
  const jiffies = jiffiesIn(stall);
  return jiffies === undefined ? null : ageOf(dump, jiffies, hz);
}

const jiffiesIn = (stall: Stall | undefined): number | undefined =>
  stall?.jiffies ?? stall?.starved?.jiffies ?? stall?.allSeen?.jiffies;

/** How an age in jiffies became seconds, where that was inferred. */
export function ageReasons(dump: Dump, hz: number | null): string[] {
  const age = ageIn(dump, hz);
  if (age === null || typeof age === 'number' || age.sure) return [];
  return [
    `The kernel says ${jiffiesIn(dump.stall) ?? '?'} jiffies; ${age.hz} of them are taken for a second, which is inferred.`,
  ];
}

/** `CPU 3`, `CPUs 1, 2 and 5`, `CPUs 0-3 …`. */
export function cpusText(cpus: readonly number[]): string {
  if (cpus.length === 0) return 'a CPU';
  const shown = cpus.slice(0, 4);
  const last = shown.at(-1) ?? '';
  if (shown.length === 1) return `CPU ${last}`;
  const more = cpus.length > shown.length;
  return `CPUs ${shown.slice(0, -1).join(', ')}${more ? `, ${last} …` : ` and ${last}`}`;
}

/**
 * A title with as many of its parts, the last ones first to go, as are not too long. Of a part that is a list, the
 * first that fits counts.
 */
export function titled(...parts: readonly (string | readonly string[])[]): string {
  let title = '';
  for (const part of parts) {
    const forms = typeof part === 'string' ? [part] : part;
    const fits = forms.find((form) => title === '' || title.length + form.length <= TITLE_MAX);
    if (fits === undefined) break;
    title += fits;
  }
  return title;
}

/**
 * ` (at _raw_spin_lock ← free_one ← free_all)`, and the same with ever fewer callers, the outermost first to go, the
 * telling ones last; empty where `frame` says it.
 */
export function caughtAt(place: StallPlace): string[] {
  const { frame, at, callers } = place;
  if (frame === 'smp_call_function' && callers.length > 0) return chains(callers, place);
  if (at === frame && callers.length === 0) return [''];
  return chains([at, ...callers], place);
}

function chains(all: readonly string[], { telling }: StallPlace): string[] {
  const forms = [all];
  for (let left = all; left.length > 1;) {
    const plain = left.filter((name, index) => index > 0 && !telling.includes(name));
    const gone = plain.at(-1) ?? left.at(-1);
    left = left.filter((name) => name !== gone);
    forms.push(left);
  }
  return forms.map((chain) => ` (at ${chain.join(' ← ')})`);
}
