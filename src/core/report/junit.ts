/** Findings as a JUnit report, for CI: one test each, such as that a guest makes progress. */
import type { Finding } from './finding.js';

/**
 * What is not stuck passes; what could not be seen into is an error, not a failure. The elements are those that Jenkins
 * and GitLab read: testsuites, testsuite, testcase. Times are in seconds. A known hang says so, and is skipped while it is
 * ignored. `at`: ISO, UTC.
 */
export function junitReport(findings: readonly Finding[], at: string): string {
  const having = (wanted: Finding['result']) => findings.filter(({ result }) => result === wanted).length;
  const counts = {
    tests: findings.length,
    failures: having('failed'),
    errors: having('unseen'),
    skipped: having('ignored'),
  };
  const timestamp = new Date(at).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    `  <testsuite${attributes({ name: 'wedgewatch', timestamp, ...counts })}>`,
    ...findings.flatMap(testCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const ELEMENTS = { failed: 'failure', unseen: 'error', ignored: 'skipped' } as const;

function testCase({ subject, test, seconds, result, title, known, kind, text }: Finding): string[] {
  const named = attributes({ classname: subject, name: test, time: seconds });
  const message = known === null ? title : `${title}; ${known}`;
  const why = attributes(result === 'ignored' ? { message } : { message, type: kind });
  return [
    `    <testcase${named}>`,
    ...(result === 'passed' ? [] : [`      <${ELEMENTS[result]}${why}/>`]),
    `      <system-out>${escaped(`${title}\n${text === '' ? '' : `\n${text}`}`)}</system-out>`,
    '    </testcase>',
  ];
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and for attributes, of what is printable already: that holds nothing else that XML 1.0 forbids. */
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark);
