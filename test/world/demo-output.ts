/** What a demo must have printed, and archived. */
import { expect } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';

/** A deadline for all of it. */
export const DEMO_MS = 110_000;

/** The path that the demo printed at its end, behind a verdict and a time that are as promised. */
export function archiveOf(printed: string): string {
  expect(printed).toMatch(/page-in of a mapped file \(filemap_fault\) → filesystem virtiofs:store/);
  const took = Number(/^wedge to archive: (\S+) s$/m.exec(printed)?.[1]);
  expect(took).toBeLessThan(20);
  return /^archive: (\S+)$/m.exec(printed)?.[1] ?? 'no path';
}

/** Memory was read, and the chords were answered; what a dump lacks that memory shows costs nothing. */
export function expectWhole({ evidence }: Incident): void {
  const seen = JSON.stringify(evidence);
  expect(evidence, seen).toMatchObject({ complete: true, incompleteBecause: [] });
  const [memory, ...dumps] = evidence.dumps;
  expect(memory, seen).toMatchObject({ name: 'memory', complete: true });
  // The second w is not waited for where memory's clock has proven the same.
  expect(dumps.map(({ name }) => name).join(' '), seen).toMatch(/^sysrq-w\.1 (?:sysrq-w\.2 )?sysrq-t$/);
}
