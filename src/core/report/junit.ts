/** Findings as a JUnit report, for CI: one test each, such as that a guest makes progress. */
import type { Finding } from './finding.js';

/**
 * What is not stuck passes; what could not be seen into is an error, not a failure. The elements are those that Jenkins
 * and GitLab read: testsuites, testsuite, testcase. Times are in seconds. `at`: ISO, UTC.
 */
export function junitReport(findings: readonly Finding[], at: string): string {
  const having = (wanted: Finding['result']) => findings.filter(({ result }) => result === wanted).length;
  const counts = {
    tests: findings.length,
    failures: having('failed'),
    errors: having('unseen'),
    skipped: 0,
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

const ELEMENTS = { failed: 'failure', unseen: 'error' } as const;

function testCase({ subject, test, seconds, result, title, kind, text }: Finding): string[] {
  const named = attributes({ classname: subject, name: test, time: seconds });
  const why = attributes({ message: title, type: kind });
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
