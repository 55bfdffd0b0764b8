/** Findings as the log, the annotations and the summary of a CI system want them. */
import type { Finding } from './finding.js';

export const CI_FORMS = ['github', 'gitlab', 'jenkins', 'plain'] as const;
export type CiForm = (typeof CI_FORMS)[number];

/** The system that runs this, by the variables that each documents for that; Gitea and Forgejo speak as GitHub does. */
export function detectForm(env: Readonly<Record<string, string | undefined>>): CiForm {
  if (env['GITHUB_ACTIONS'] === 'true') return 'github';
  if (env['GITLAB_CI'] === 'true') return 'gitlab';
  return (env['JENKINS_URL'] ?? '') === '' ? 'plain' : 'jenkins';
}

/**
 * What the log of a job shows of a finding: its title, and the rest folded where that system can fold. `at`: seconds
 * since 1970; `index` tells the sections of one log apart.
 */
export function logText(
  form: CiForm,
  finding: Finding,
  { at, index }: { at: number; index: number },
): string {
  const { subject, title, known, text } = finding;
  const line = `wedgewatch: ${subject}: ${title}${known === null ? '' : `; ${known}`}\n`;
  switch (form) {
    case 'github': {
      const first = finding.result === 'passed' ? inert(line) : `${annotation(finding)}\n`;
      if (text === '') return first;
      return `${first}::group::wedgewatch: ${data(subject)}\n${inert(text)}::endgroup::\n`;
    }
    case 'gitlab': {
      if (text === '') return line;
      // The title is the section's header, which stays to be seen.
      const name = `wedgewatch_${at}_${index}`;
      return `\x1b[0Ksection_start:${at}:${name}[collapsed=true]\r\x1b[0K${line}${text}\x1b[0Ksection_end:${at}:${name}\r\x1b[0K`;
    }
    case 'jenkins':
    case 'plain':
      return `${line}${text === '' ? '' : `\n${text}`}`;
  }
}

/** A workflow command of GitHub, which shows on the page of the run and beside its commit. */
function annotation({ subject, result, title, known }: Finding): string {
  const what = result === 'unseen' ? 'could not be seen into' : 'is wedged';
  const level = result === 'ignored' ? 'warning' : 'error';
  const says = known === null ? title : `${title}; ${known}`;
  return `::${level} title=${property(`${subject} ${what}`)}::${data(says)}`;
}

/** As @actions/core escapes them: a command ends with its line, a property at the next colon or comma. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/**
 * Lines of which GitHub's runner takes none for a command: it looks for `::` at the beginning of each, behind blanks, and,
 * in the form of old, for `##[` anywhere.
 */
export const inert = (text: string): string =>
  text.replace(/^([^\S\n]*):(?=:)/gm, '$1.').replaceAll('##[', '## [');

/** GitHub drops a summary of more than 1 MiB, and a step may have others in it. */
const SUMMARY_MAX = 900 * 1024;

/** Markdown for the summary of the run; null where there is nothing to tell. */
export function summaryText(findings: readonly Finding[]): string | null {
  const told = findings.filter(({ result }) => result !== 'passed');
  if (told.length === 0) return null;
  let text = '';
  for (const { markdown } of told) {
    // Its UTF-8 has at most three bytes for each of these units.
    if ((text.length + markdown.length) * 3 > SUMMARY_MAX) {
      const [heading = ''] = markdown.split('\n');
      text += `${heading}\n\n`;
    } else text += `${markdown}\n`;
  }
  return text;
}
