import { expect, it } from 'vitest';
import { startedTest } from '../../../src/core/console/tests.js';

it.each([
  ['generic/001', '[   50.000000] run fstests generic/001 at 2026-01-01 00:00:00'],
  ['block/009', '[   60.1] run blktests block/009 at 2026-01-01 00:00:10'],
  ['net/mptcp', '[   60.1] kselftest: Running tests in net/mptcp'],
  ['net: tls', '# selftests: net: tls'],
  ['mmap01', '[   60.1] LTP: starting mmap01 (mmap01)'],
])('%s begins', (name, line) => {
  expect(startedTest(line)).toBe(name);
});

it('other lines begin none', () => {
  expect(startedTest('[ 1.0] run-init: opening console')).toBeNull();
  expect(startedTest('echo run fstests generic/001 at 10')).toBeNull();
});

it('searches what a hostile guest prints in linear time', () => {
  const from = performance.now();
  expect(startedTest(`${'a'.repeat(900)}!`, '^(a+)+$')).toBeNull();
  expect(startedTest(`${'a'.repeat(1_000_000)} test`, '(?:a|aa)*b')).toBeNull();
  expect(performance.now() - from).toBeLessThan(2_000);
});

it('takes the name from the first group of a configured expression, or from all of it', () => {
  expect(startedTest('=== RUN   TestMount', '^=== RUN +(\\S+)')).toBe('TestMount');
  expect(startedTest('=== RUN   TestMount', 'Test\\w+')).toBe('TestMount');
  expect(startedTest('[ 1.0] run fstests xfs/007 at 10', '^=== RUN')).toBe('xfs/007');
});
