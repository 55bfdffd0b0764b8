import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { cleanRow } from '../../../src/core/console/clean.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { readPaste } from '../../../src/core/dump/paste/paste.js';
import { type Analysis, type Share } from '../../../src/core/model.js';
import { incidentJson } from '../../../src/core/report/json.js';
import { readIncident } from '../../../src/core/report/read-incident.js';
import { incident } from '../../fixtures/archive-sample.js';

const test = new URL('../../', import.meta.url);
const golden = readdirSync(new URL('golden/', test)).filter((name) => name.endsWith('.log'));
const logs = [...golden.map((name) => `golden/${name}`), 'fuzz/formats.log'];
const shares: Share[] = [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'T' } }];

function analysisOf(log: string): Analysis {
  const rows = readFileSync(new URL(log, test), 'latin1').split('\n');
  const lines = rows.flatMap((row) => cleanRow(Buffer.from(row, 'latin1')));
  const dumps = parseDumps(readPaste(lines), { pasted: true });
  return analyze(dumps, { secondsBetweenLooks: null, shares, kernelCommandLine: null });
}

describe('an incident is read back as it was written', () => {
  it.each(logs)('%s', (log) => {
    const filed = incident({ ...analysisOf(log) });
    expect(filed.dumps.length).toBeGreaterThan(0);
    expect(readIncident(incidentJson(filed))).toStrictEqual({ ok: true, incident: filed });
  });

  it('with the context switches of its tasks', () => {
    const tasks = analysisOf('golden/page-in-7.3.log').dumps.flatMap((dump) => dump.tasks);
    expect(tasks.filter(({ switches }) => switches !== undefined)).not.toEqual([]);
  });
});
