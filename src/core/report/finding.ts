/** What is told of one guest, or of one log, in the forms that CI reads. */
import type { Analysis } from '../model.js';
import { printable } from '../printable.js';
import { analysisText } from './analysis-text.js';
import { analysisMarkdown, codeSpan, githubIssue } from './export-text.js';
import type { Incident } from './incident.js';
import { renderVerdict } from './text.js';

/** `unseen`: whether it is stuck is not known. */
type Result = 'passed' | 'failed' | 'unseen';

export interface Finding {
  /** The VM, or the name of the log. */
  subject: string;
  /** The test that ran in it, else what is expected of it. */
  test: string;
  result: Result;
  /** The class of its verdict. */
  kind: string;
  title: string;
  /** How long it took to find out. */
  seconds: number;
  /** Plain text without the title; each line is printable. */
  text: string;
  /** For GitHub: nothing in it that the guest chose is more than code. */
  markdown: string;
}

export const TITLE_MAX = 400;
const SUBJECT_MAX = 200;
export const PROGRESS = 'makes progress';

export function incidentFinding(incident: Incident): Finding {
  const { verdict, vm, timings, test } = incident;
  return {
    subject: printable(vm, SUBJECT_MAX),
    test: printable(test?.text ?? PROGRESS, SUBJECT_MAX),
    result: resultOf(verdict.class),
    kind: verdict.class,
    title: printable(verdict.title, TITLE_MAX),
    seconds: (timings['captureMs'] ?? 0) / 1000,
    text: untitled(renderVerdict(incident, [])),
    markdown: githubIssue(incident),
  };
}

export function analysisFinding(file: string, analysis: Analysis): Finding {
  const { verdict } = analysis;
  return {
    subject: printable(file, SUBJECT_MAX),
    test: PROGRESS,
    result: resultOf(verdict.class),
    kind: verdict.class,
    title: printable(verdict.title, TITLE_MAX),
    seconds: 0,
    text: untitled(analysisText(analysis)),
    markdown: analysisMarkdown(analysis, [['Log', file]]),
  };
}

/** One of which there is no more to say than a line. */
export function plainFinding(subject: string, result: Result, kind: string, title: string): Finding {
  const shown = printable(title, TITLE_MAX);
  return {
    subject: printable(subject, SUBJECT_MAX),
    test: PROGRESS,
    ...{ result, kind, title: shown, seconds: 0, text: '' },
    markdown: `### ${codeSpan(shown)}\n`,
  };
}

function resultOf(kind: Analysis['verdict']['class']): Result {
  if (kind === 'none') return 'passed';
  return kind === 'unknown' ? 'unseen' : 'failed';
}

/** A text whose first line is the title, without it. */
const untitled = (text: string): string => text.slice(text.indexOf('\n') + 1).replace(/^\n+/, '');
