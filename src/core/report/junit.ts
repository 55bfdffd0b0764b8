/** A verdict as a JUnit report, for CI: one test, that the guest makes progress. */
import { type Known, knownText } from '../config/known.js';
import { printable } from '../printable.js';
import { mailText } from './export-text.js';
import type { Incident } from './incident.js';

const TITLE_MAX = 400;
const VM_MAX = 200;

/**
 * A guest in which nothing is stuck passes; one that could not be seen into is an error, not a failure. The elements are
 * those that Jenkins and GitLab read: testsuites, testsuite, testcase. Times are in seconds, the timestamp is UTC. A known
 * hang says so, and is skipped while it is ignored.
 */
export function junitReport(incident: Incident, known: Known | null = null): string {
  const { verdict, vm, startedAt, timings } = incident;
  const result = resultOf(incident, known);
  const counts = {
    tests: 1,
    failures: Number(result === 'failure'),
    errors: Number(result === 'error'),
    skipped: Number(result === 'skipped'),
  };
  const timestamp = new Date(startedAt).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const test = {
    classname: printable(vm, VM_MAX),
    name: 'makes progress',
    time: (timings['captureMs'] ?? 0) / 1000,
  };
  const title = printable(verdict.title, TITLE_MAX);
  const message = known === null ? title : `${title}; ${knownText(known)}`;
  const why = result === 'skipped' ? { message } : { message, type: verdict.class };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    `  <testsuite${attributes({ name: 'wedgewatch', timestamp, ...counts })}>`,
    `    <testcase${attributes(test)}>`,
    ...(result === null ? [] : [`      <${result}${attributes(why)}/>`]),
    `      <system-out>${escaped(mailText(incident, known))}</system-out>`,
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function resultOf({ verdict }: Incident, known: Known | null): 'error' | 'failure' | 'skipped' | null {
  if (verdict.class === 'none') return null;
  if (known?.ignored === true) return 'skipped';
  return verdict.class === 'unknown' ? 'error' : 'failure';
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and for attributes, of what is printable already: that holds nothing else that XML 1.0 forbids. */
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark);
