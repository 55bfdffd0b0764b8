/** What the reports and the lists say in the same words. */
import type { StackGroup } from '../model.js';
import { seconds } from '../words.js';
import type { Incident, Moment } from './incident.js';

/** `w w t` where the evidence is whole, else the first reason why it is not. */
export function evidenceText({ complete, incompleteBecause, dumps }: Incident['evidence']): string {
  if (!complete) return `incomplete: ${incompleteBecause[0] ?? 'no reason given'}`;
  return dumps.map(({ key }) => key).join(' ') || 'no dump';
}

/** What a snapshot of memory lacks that is no gap of the evidence, since the keys brought all of it; empty for other dumps. */
export function memoryLacks({ evidence, dumps }: Incident, key: string): string[] {
  if (key !== 'memory' || !evidence.complete) return [];
  return dumps.find((dump) => dump.key === 'memory' && !dump.complete)?.incompleteBecause ?? [];
}

/** Its unit, if the journal has shown one: the configuration names one for guests of libvirt and plain QEMU, too. */
export const unitOf = ({ unit, invocation }: Pick<Incident, 'unit' | 'invocation'>): string | null =>
  invocation === null ? null : unit;

/** The groups worth reading first: all but the idle threads, which are last anyway. */
export function topGroups(groups: readonly StackGroup[], max: number): StackGroup[] {
  return groups.filter(({ idle }) => !idle).slice(0, max);
}

/** How many tasks are stuck: those in D that are not merely parked, and the culprit where it sleeps otherwise. */
export function taskCounts({ groups, verdict }: Pick<Incident, 'groups' | 'verdict'>): {
  stuck: number;
  all: number;
} {
  const sum = (some: readonly StackGroup[]) => some.reduce((total, { count }) => total + count, 0);
  const blocked = sum(groups.filter(({ idle, state }) => !idle && state === 'D'));
  const elsewhere = verdict.culprit !== null && verdict.culprit.state !== 'D' ? 1 : 0;
  return { stuck: blocked + elsewhere, all: sum(groups) };
}

/** When it recovered, with how long it was stuck: `…, after 43 s`. */
export function recoveredText({ wedgedSince, startedAt, recoveredAt }: Incident, readable: string): string {
  const lasted = Date.parse(recoveredAt ?? '') - Date.parse(wedgedSince ?? startedAt);
  return Number.isFinite(lasted) && lasted >= 0 ? `${readable}, after ${seconds(lasted)}` : readable;
}

/** What led to the incident and what came of it, oldest first, with the moments of the decision in between. */
export function momentsOf(incident: Incident, decision: readonly Moment[]): Moment[] {
  const { lastProgress, startedAt, wedgedSince, filedAt, recoveredAt } = incident;
  const known: (Moment | null)[] = [
    wedgedSince === null ? null : { at: wedgedSince, text: 'last sign of life' },
    lastProgress && { at: lastProgress.at, text: `last progress on the console: ${lastProgress.text}` },
    ...decision,
    { at: startedAt, text: 'capture begun' },
    { at: filedAt, text: 'filed' },
    recoveredAt === null ? null : { at: recoveredAt, text: recoveredText(incident, 'recovered') },
  ];
  return known.filter((moment) => moment !== null).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
