/** The incident of a capture whose watchdog was killed. */
import { analyze } from '../analysis/analysis.js';
import type { Analysis } from '../model.js';
import type { Accusation, DumpEvidence, Incident } from './incident.js';

interface Cut {
  id: string;
  startedAtMs: number;
  accusation: Accusation;
  filedAtMs: number;
  /** Release of the guest's kernel; null if it is not known. */
  kernel: string | null;
  /** Of the wedgewatch that files it. */
  version: string;
  incompleteBecause: string[];
  dumps: DumpEvidence[];
}

/** Nothing of a cut-short capture is whole. */
export function cutShortIncident(cut: Cut, analysis: Analysis): Incident {
  const { id, startedAtMs, accusation, filedAtMs, kernel, version, incompleteBecause, dumps } = cut;
  return {
    ...analysis,
    ...accusation,
    id,
    startedAt: new Date(startedAtMs).toISOString(),
    filedAt: new Date(filedAtMs).toISOString(),
    recoveredAt: null,
    evidence: { complete: false, incompleteBecause, dumps },
    capture: [],
    armed: null,
    timings: {},
    kernel,
    version,
  };
}

/** What is known of dumps that nobody could analyse: that they are there. `why`: one phrase. */
export function notAnalysed(why: string): Analysis {
  const analysis = analyze([], { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
  const title = `where the guest is stuck is unknown: ${why}`;
  return { ...analysis, verdict: { ...analysis.verdict, title, reasons: [] } };
}
