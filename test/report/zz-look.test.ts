import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { it } from 'vitest';
import { analyze } from '../../src/core/analysis/analyze.js';
import { cleanRow } from '../../src/core/console/clean.js';
import { DumpParser } from '../../src/core/dump/parse.js';
import { openIncident } from '../../src/io/archive/writer.js';
import { incident, opening, partsOf } from '../fixtures/archive-sample.js';
it('look', async () => {
  const text = await readFile('/work/main/test/golden/page-in.log');
  const parser = new DumpParser();
  const lines = text.toString('latin1').split('\n').flatMap((l) => cleanRow(Buffer.from(l, 'latin1')));
  for (const l of lines) parser.push(l);
  const a = analyze(parser.finish(), { secondsBetweenLooks: 3, shares: [], kernelCommandLine: null });
  const w = await openIncident('/tmp/shots/state', opening());
  await w.dump('sysrq-t', lines);
  const { path } = await w.file(incident({ ...a }), { ...partsOf(), console: lines.slice(0, 100).join('\n') });
  const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  for (const colorScheme of ['light', 'dark'] as const) {
    const p = await b.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
    await p.goto('file://' + path + '/report.html');
    await p.screenshot({ path: `/tmp/shots/real-${colorScheme}.png`, fullPage: true });
  }
  const p = await b.newPage({ viewport: { width: 420, height: 900 } });
  await p.goto('file://' + path + '/report.html');
  await p.screenshot({ path: `/tmp/shots/narrow.png` });
  await b.close();
  console.log(await readFile(path + '/verdict.txt', 'utf8'));
}, 60000);
