/** A test that takes far longer than it ever did, beside a guest that answers: worth a look, and no accusation yet. */
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import type { Reason } from './accuse.js';
import { hostStarves } from './slices/host.js';
import { sshAnswers } from './slices/ssh.js';
import { lastTook } from './slices/tests.js';
import type { GuestState } from './state.js';

const FACTOR = 10;
/** A test of a second may take a minute on a busy host. */
const LEAST_MS = 5 * 60_000;
/** Of a test that nobody knows. */
const UNKNOWN_MS = 60 * 60_000;
/** What tells of its work in between is not stalled. */
const QUIET_MS = 5 * 60_000;

/** How long the test may take before somebody should look, in milliseconds. */
export function testLimit(tookMs: number | null): number {
  return tookMs === null ? UNKNOWN_MS : Math.max(FACTOR * tookMs, LEAST_MS);
}

/** The guest answers, its console is silent, and its test should have ended long ago. */
export function lateTest(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const { console, tests, ssh, host } = state;
  const { test } = console;
  if (test === null || !settings.ssh.enabled || !sshAnswers(ssh)) return null;
  const took = lastTook(tests, test.name);
  if (at - test.at < testLimit(took) || at - console.quietSince < QUIET_MS) return null;
  if (tests.looked === test.at || hostStarves(host, at) !== null) return null;
  const before = took === null ? 'nothing says how long it takes' : `it took ${seconds(took)} the last time`;
  return {
    by: 'test',
    why: [
      `the test ${test.name} has run for ${seconds(at - test.at)}; ${before}`,
      `no news on the console for ${seconds(at - console.quietSince)}; SSH answers all the while`,
    ],
    since: test.at,
  };
}
