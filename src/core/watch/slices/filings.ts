/** What was filed of this guest. Only these functions write to it. */
import type { Mono } from '../../time.js';
import type { Stood } from './restraint.js';

type Culprit = Pick<Stood, 'key' | 'switches'>;

export interface FilingsState {
  /** The newest incident, by hand or not. */
  newest: string | null;
  /** That of its newest hang; null if that is not filed yet, or was not. */
  incident: string | null;
  /** What the newest incident was filed for: it tells by what the guest recovers. */
  filedFor: 'lost' | 'command' | 'complaint';
  /** Where its culprit stood, and when that was seen; null where nobody did. */
  culprit: (Culprit & { at: Mono }) | null;
  /**
   * What the kernel complained of and was filed, and when it was last said. `until`: the archive could not keep that;
   * from then on it counts as not said yet.
   */
  complained: { key: string; at: Mono; until?: Mono }[];
}

/** A kernel repeats what it complains of, hung_task every two minutes; its own pauses are not longer than this. */
const REPEATED_MS = 10 * 60_000;
const KEPT = 100;

export const nothingFiled = (): FilingsState => ({
  newest: null,
  incident: null,
  filedFor: 'lost',
  culprit: null,
  complained: [],
});

/** Another boot says the same words of another hang. */
export function filingsBoot(filings: FilingsState): void {
  filings.complained = [];
  filings.culprit = null;
}

/** A new hang is looked into. */
export function hangBegins(filings: FilingsState): void {
  filings.incident = null;
}

/** A case is handed to the archive. `complaint`: the kernel's words, if they were the reason. */
export function handedIn(
  filings: FilingsState,
  filedFor: FilingsState['filedFor'],
  complaint: string | null,
  culprit: Culprit | null,
  at: Mono,
): void {
  filings.filedFor = filedFor;
  filings.culprit = culprit === null ? null : { key: culprit.key, switches: culprit.switches, at };
  if (complaint !== null) wasSaid(filings, complaint, at);
}

/** The kernel said so of what is in an incident. */
export function wasSaid(filings: FilingsState, complaint: string, at: Mono): void {
  filings.complained = [...filings.complained.slice(1 - KEPT), { key: keyOf(complaint), at }];
}

/** The archive has it, or could not keep it. */
export function archived(filings: FilingsState, incident: string | null, byHand: boolean): void {
  if (incident !== null) filings.newest = incident;
  if (!byHand) filings.incident = incident;
}

/** Nothing was kept of what was handed in: what the kernel says of it will be news again, but not before `until`. */
export function notKept(filings: FilingsState, complaint: string | null, until: Mono): void {
  filings.culprit = null;
  if (complaint === null) return;
  const known = filings.complained.find(({ key }) => key === keyOf(complaint));
  if (known !== undefined) known.until = until;
}

/** Its words without how long it has lasted by now. */
const keyOf = (text: string): string =>
  text.replace(/^\[ *\d+\.\d+\] */, '').replace(/\b\d+(?= ?(?:s|seconds|jiffies)\b)/g, '#');

/** It stands where the culprit of the newest incident stood not long ago. */
export const isSameCulprit = ({ culprit }: FilingsState, { key, switches }: Culprit, at: Mono): boolean =>
  culprit !== null && culprit.key === key && culprit.switches === switches && at - culprit.at < REPEATED_MS;

/** The kernel says again what was filed already, and has never stopped for long: one hang is filed once. */
export function isRepeated(filings: FilingsState, text: string, at: Mono): boolean {
  const key = keyOf(text);
  const known = filings.complained.find((one) => one.key === key);
  if (known === undefined) return false;
  const repeated = at - known.at < REPEATED_MS && at < (known.until ?? Infinity);
  if (repeated) known.at = at;
  else filings.complained = filings.complained.filter((one) => one !== known);
  return repeated;
}
