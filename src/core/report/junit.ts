/** A verdict as a JUnit report, for CI: one test, that the guest makes progress. */
import { printable } from '../printable.js';
import { mailText } from './export-text.js';
import type { Incident } from './incident.js';

const TITLE_MAX = 400;
const VM_MAX = 200;

/**
 * A guest in which nothing is stuck passes; one that could not be seen into is an error, not a failure. The elements are
 * those that Jenkins and GitLab read: testsuites, testsuite, testcase. Times are in seconds, the timestamp is UTC.
 */
export function junitReport(incident: Incident): string {
  const { verdict, vm, startedAt, timings } = incident;
  const result = resultOf(incident);
  const counts = {
    tests: 1,
    failures: Number(result === 'failure'),
    errors: Number(result === 'error'),
    skipped: 0,
  };
  const timestamp = new Date(startedAt).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const test = {
    classname: printable(vm, VM_MAX),
    name: 'makes progress',
    time: (timings['captureMs'] ?? 0) / 1000,
  };
  const why = { message: printable(verdict.title, TITLE_MAX), type: verdict.class };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    `  <testsuite${attributes({ name: 'wedgewatch', timestamp, ...counts })}>`,
    `    <testcase${attributes(test)}>`,
    ...(result === null ? [] : [`      <${result}${attributes(why)}/>`]),
    `      <system-out>${escaped(mailText(incident))}</system-out>`,
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function resultOf({ verdict }: Incident): 'error' | 'failure' | null {
  if (verdict.class === 'none') return null;
  return verdict.class === 'unknown' ? 'error' : 'failure';
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and for attributes, of what is printable already: that holds nothing else that XML 1.0 forbids. */
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark);
