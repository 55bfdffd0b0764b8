/** How long tests took that ran in a guest, and which of them is late. Only these functions write to it. */
import type { Mono } from '../../time.js';

/** The test that runs, with when it began. */
type Running = { at: Mono; name: string } | null;

export interface TestsState {
  /** How long each took when it ran last in this guest, in milliseconds, the newest last. */
  lasted: { name: string; ms: number }[];
  /** What the suite's own record says of the one that began last; null until that was read, or where it says nothing. */
  recorded: { name: string; ms: number } | null;
  /** The guest was looked into for the test that began then, because it is late: a second look would tell no more. */
  looked: Mono | null;
}

const KEPT = 2_000;
/** What seems to take longer may have been the last test of a suite, with a night behind it. */
const LONGEST_MS = 60 * 60_000;

export const noTests = (): TestsState => ({ lasted: [], recorded: null, looked: null });

/** Another test begins: the one before it has ended. `running`: null where that is not known, or a boot came between. */
export function testBegins(tests: TestsState, running: Running, at: Mono): void {
  tests.recorded = null;
  if (running === null || at - running.at > LONGEST_MS) return;
  const others = tests.lasted.filter(({ name }) => name !== running.name);
  tests.lasted = [...others.slice(1 - KEPT), { name: running.name, ms: at - running.at }];
}

/** What the suite's record says. */
export function testRecorded(tests: TestsState, name: string, ms: number | null): void {
  tests.recorded = ms === null ? null : { name, ms };
}

/** How long it took last, in milliseconds; null if nothing knows. What was seen here is newer than any record. */
export function lastTook({ lasted, recorded }: TestsState, name: string): number | null {
  const seen = lasted.findLast((test) => test.name === name)?.ms;
  return seen ?? (recorded?.name === name ? recorded.ms : null);
}

/** A guest is looked into for this test. */
export function testLooked(tests: TestsState, running: Running): void {
  tests.looked = running?.at ?? null;
}
