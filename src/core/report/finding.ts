/** What is told of one guest, or of one log, in the forms that CI reads. */
import { type Known, knownText } from '../config/known.js';
import type { Analysis } from '../model.js';
import { printable } from '../printable.js';
import { analysisText } from './analysis-text.js';
import { analysisMarkdown, codeSpan, githubIssue } from './export-text.js';
import type { Incident } from './incident.js';
import { renderVerdict } from './text.js';

/** `unseen`: whether it is stuck is not known. `ignored`: it is, and the team knows that hang and ignores it for a while. */
type Result = 'passed' | 'failed' | 'unseen' | 'ignored';

export interface Finding {
  /** The VM, or the name of the log. */
  subject: string;
  /** The test that ran in it, else what is expected of it. */
  test: string;
  result: Result;
  /** The class of its verdict. */
  kind: string;
  title: string;
  /** What the team knows of this hang; null for nothing. */
  known: string | null;
  /** How long it took to find out. */
  seconds: number;
  /** Plain text without the title; each line is printable. */
  text: string;
  /** For GitHub: nothing in it that the guest chose is more than code. */
  markdown: string;
}

const TITLE_MAX = 400;
const SUBJECT_MAX = 200;
export const PROGRESS = 'makes progress';

export function incidentFinding(incident: Incident, known: Known | null = null): Finding {
  const { verdict, vm, timings, test } = incident;
  return {
    subject: printable(vm, SUBJECT_MAX),
    test: printable(test?.text ?? PROGRESS, SUBJECT_MAX),
    result: known?.ignored === true && verdict.class !== 'none' ? 'ignored' : resultOf(verdict.class),
    kind: verdict.class,
    title: printable(verdict.title, TITLE_MAX),
    known: known && knownText(known),
    seconds: (timings['captureMs'] ?? 0) / 1000,
    text: untitled(renderVerdict(incident, [], { known })),
    markdown: githubIssue(incident, known),
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
    known: null,
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
    ...{ result, kind, title: shown, known: null, seconds: 0, text: '' },
    markdown: `### ${codeSpan(shown)}\n`,
  };
}

function resultOf(kind: Analysis['verdict']['class']): Result {
  if (kind === 'none') return 'passed';
  return kind === 'unknown' ? 'unseen' : 'failed';
}

/** A text whose first line is the title, without it. */
const untitled = (text: string): string => text.slice(text.indexOf('\n') + 1).replace(/^\n+/, '');
