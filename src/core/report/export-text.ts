/** An incident, or the analysis of a log, as text for other places: an issue on GitHub, a mail. */
import type { Known } from '../config/known.js';
import { groupStacks, renderStacks } from '../analysis/groups.js';
import type { Analysis } from '../model.js';
import { printable } from '../printable.js';
import type { Incident } from './incident.js';
import { topGroups } from './summary.js';
import { shownTasks } from './tasks.js';
import { renderVerdict, waitLine } from './text.js';

const GROUPS_SHOWN = 8;
const WAITS_SHOWN = 20;
const LINE_MAX = 400;

/**
 * Markdown for an issue. Whatever a guest may have chosen stands in code: there GitHub knows no mention, no reference to
 * an issue or a commit, no link, no entity and no HTML, however they are spelt; escapes would have to know each of them.
 */
export function githubIssue(incident: Incident, known: Known | null = null): string {
  const { kernel, vm, startedAt, evidence, test } = incident;
  const facts: [string, string][] = [
    ['Guest', vm],
    ...(test === null ? [] : [['Test', test.text] satisfies [string, string]]),
    ['Kernel', kernel ?? 'not known'],
    ['Captured', startedAt],
    ['Evidence', evidence.complete ? 'complete' : `incomplete: ${evidence.incompleteBecause.join('; ')}`],
  ];
  return analysisMarkdown(incident, facts, known);
}

/** The same of any analysis; `facts` stand before its own. */
export function analysisMarkdown(
  analysis: Analysis,
  facts: readonly (readonly [name: string, value: string])[],
  known: Known | null = null,
): string {
  const { verdict, waits, fingerprint, fingerprintVersion } = analysis;
  const rows = [
    ...facts,
    ['Class', `${verdict.class}, confidence ${verdict.confidence}`] as const,
    ['Fingerprint', `${fingerprint} (version ${fingerprintVersion})`] as const,
  ];
  const sentences = [...verdict.reasons, ...verdict.inferred.map((sentence) => `Inferred: ${sentence}`)];
  const lines = [
    `### ${codeSpan(verdict.title)}`,
    '',
    ...rows.map(([name, value]) => `- ${name}: ${codeSpan(value)}`),
    // The team's own words, and the address has no bracket in it.
    ...(known === null ? [] : [`- Known: <${printable(known.link, LINE_MAX)}> ${codeSpan(known.title)}`]),
    ...list('Why this verdict', sentences),
    ...list('Who waits for whom', waits.slice(0, WAITS_SHOWN).map(waitLine)),
    '',
    '<details><summary>Stacks</summary>',
    '',
    ...fenced(stacks(analysis)),
    '',
    '</details>',
  ];
  return `${lines.join('\n')}\n`;
}

/** Plain text: the verdict with its reasons, then the stacks whole. */
export function mailText(incident: Incident, known: Known | null = null): string {
  return `${renderVerdict(incident, [], { known })}\n${lines(stacks(incident))}\n`;
}

function list(title: string, sentences: readonly string[]): string[] {
  if (sentences.length === 0) return [];
  return ['', `**${title}**`, '', ...sentences.map((sentence) => `- ${codeSpan(sentence)}`)];
}

/** A code span (CommonMark 6.1): it ends at a run of backticks of its own length, and one blank at each end is cut off. */
export function codeSpan(text: string): string {
  const shown = printable(text, LINE_MAX).trim();
  const ticks = '`'.repeat(longestRun(shown) + 1);
  if (shown === '') return '`-`';
  return /^`|`$/.test(shown) ? `${ticks} ${shown} ${ticks}` : `${ticks}${shown}${ticks}`;
}

/** A fence is ended by one as long: this one is longer than any in the text. */
function fenced(text: string): string[] {
  const shown = lines(text);
  const fence = '`'.repeat(Math.max(2, longestRun(shown)) + 1);
  return [`${fence}text`, shown, fence];
}

const longestRun = (text: string): number =>
  [...text.matchAll(/`+/g)].reduce((longest, [run]) => Math.max(longest, run.length), 0);

function stacks({ dumps, verdict }: Analysis): string {
  const groups = topGroups(groupStacks(shownTasks(dumps), verdict.culprit?.pid), GROUPS_SHOWN);
  return groups.length === 0 ? '(no stacks)' : renderStacks(groups);
}

const lines = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => printable(line, LINE_MAX))
    .join('\n');
