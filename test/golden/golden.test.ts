/**
 * What is expected of each golden log stands at its top: the head is compared with what the analysis says now.
 *   npm run golden                 compares
 *   npm run golden -- --update     writes the heads anew; `git diff test/golden` shows what changed, and is to be judged
 * A new log comes from record.mjs, which writes its head as well. A wrong verdict that is known stays in the head as it
 * is said, and the lines above say what would be right.
 */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/core/analysis/analysis.js';
import { cleanRow } from '../../src/core/console/clean.js';
import { LogPlaces } from '../../src/core/analysis/log-places.js';
import { DumpParser } from '../../src/core/dump/parse-dumps.js';
import { readPaste } from '../../src/core/dump/paste/paste.js';
import type { Analysis, Dump, OnCpu, Share } from '../../src/core/model.js';
import { wedgeNames } from '../../src/guest/wedges.js';
import { type Golden, goldenNames, goldenPath, goldenText, readGolden } from './golden.mjs';

const store = (stopped: boolean): Share => ({
  tag: 'store',
  socket: '/s',
  server: { pid: 7, comm: 'virtiofsd', state: stopped ? 'T' : 'S' },
});

/** As `analyze` reads a log, and as the daemon reads a console. */
type Reading = 'pasted' | 'live';

function analysisOf({ log, storeStopped }: Golden, reading: Reading): Analysis {
  const rows = log.toString('latin1').split('\n');
  const lines = rows.flatMap((row) => cleanRow(Buffer.from(row, 'latin1')));
  const parser = new DumpParser(reading === 'live' ? {} : { pasted: true });
  const places = new LogPlaces();
  for (const line of reading === 'live' ? lines : readPaste(lines)) {
    parser.push(line);
    places.push(line, parser);
  }
  return analyze(parser.finish(), {
    secondsBetweenLooks: null,
    shares: [store(storeStopped)],
    kernelCommandLine: null,
    troubles: places.troubles,
  });
}

/** The head, a line each; a wait is a line of its own. */
function expectedOf({ verdict, dumps, waits }: Analysis): string[] {
  const { title, class: kind, confidence, frame, culprit } = verdict;
  const cpus = dumps.findLast(({ key }) => key === 't')?.onCpu ?? [];
  return [
    `TITLE: ${title}`,
    `CLASS: ${kind}`,
    `CONFIDENCE: ${confidence}`,
    `FRAME: ${frame ?? 'none'}`,
    `CULPRIT: ${culprit === null ? 'none' : `${culprit.comm}:${culprit.pid} in ${culprit.state}`}`,
    `DUMPS: ${dumps.map(seen).join(', ')}`,
    ...(cpus.length > 0 ? [`CPUS: ${cpus.map(runs).join(', ')}`] : []),
    ...waits.map(
      ({ waiter, owner, through, confidence: sure, reason = '' }) =>
        `WAIT: ${waiter} for ${owner}, ${through} (${sure}: ${reason})`,
    ),
  ];
}

const seen = ({ key, complete, tasks }: Dump): string =>
  `${key} ${complete ? 'whole' : 'incomplete'} ${tasks.length}`;

const runs = ({ running, preempted }: OnCpu): string =>
  (running?.comm ?? 'nobody') + (preempted ? ` before ${preempted.comm}` : '');

describe('golden logs', () => {
  it.each(goldenNames())('%s: the title is short, in seconds, and in words of its own', (name) => {
    const { verdict, dumps } = analysisOf(readGolden(name), 'pasted');
    expect(verdict.title.length).toBeLessThanOrEqual(160);
    expect(verdict.title).not.toMatch(/…$|jiffies/);
    for (const { headline = '' } of dumps) if (headline !== '') expect(verdict.title).not.toContain(headline);
  });

  it.each(goldenNames())('%s', async (name) => {
    const golden = readGolden(name);
    const expected = expectedOf(analysisOf(golden, 'pasted'));
    await expect(goldenText({ ...golden, expected })).toMatchFileSnapshot(goldenPath(name));
  });

  const recorded = goldenNames().filter((name) => !name.startsWith('paste-'));
  it.each(recorded)('%s: live the same', (name) => {
    const golden = readGolden(name);
    expect(expectedOf(analysisOf(golden, 'live'))).toEqual(expectedOf(analysisOf(golden, 'pasted')));
  });

  it('has one for each wedge', async () => {
    const missing = (await wedgeNames()).filter((name) => !goldenNames().includes(name));
    expect(missing).toEqual([]);
  });
});
