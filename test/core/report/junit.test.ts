import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/core/printable.js';
import { incidentFinding } from '../../../src/core/report/finding.js';
import { junitReport } from '../../../src/core/report/junit.js';
import { incident } from '../../fixtures/archive-sample.js';

const report = (vm: string, title: string) => {
  const sample = incident();
  const changed = { ...sample, vm, verdict: { ...sample.verdict, title } };
  return junitReport([incidentFinding(changed)], sample.startedAt);
};
const read = (text = '') =>
  text.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name] ?? '"');

describe('a JUnit report', () => {
  it('has the form that CI reads', () => {
    const [xml, suites, suite, test, failure, out, ...rest] = report('vm1', 'a "b" <c> & d').split('\n');
    expect([xml, suites, suite, test, failure]).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites tests="1" failures="1" errors="0" skipped="0">',
      '  <testsuite name="wedgewatch" timestamp="2026-09-18T10:15:02" tests="1" failures="1" errors="0" skipped="0">',
      '    <testcase classname="vm1" name="makes progress" time="0">',
      '      <failure message="a &quot;b&quot; &lt;c&gt; &amp; d" type="blocked"/>',
    ]);
    expect(out).toBe('      <system-out>a &quot;b&quot; &lt;c&gt; &amp; d');
    expect(rest.slice(-5)).toEqual([
      '</system-out>',
      '    </testcase>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ]);
  });

  it('says nothing beside its elements, whatever the guest is called and prints', () => {
    const hostile = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(hostile, hostile, (vm, title) => {
        const text = report(vm, title);
        // XML 1.0, production 2: what a document may hold.
        expect(text).toMatch(/^[\n -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
        expect(text.match(/<[^>]*/g)).toHaveLength(10);
        expect(text.replace(/&(?:amp|lt|gt|quot);/g, '')).not.toContain('&');
        expect(read(/ classname="([^"]*)"/.exec(text)?.[1])).toBe(
          printable(vm, 200).replace(/[\ufffe\uffff]/g, '\ufffd'),
        );
      }),
    );
  });

  it('replaces half a surrogate pair and what is no character', () => {
    expect(report('vm1', 'a\ud800b\uffffc\u{1f600}')).toContain('message="a b c\u{1f600}"');
  });
});
