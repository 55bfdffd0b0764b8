/** What Prometheus' own tool says of the metrics, of the alert, and of the queries of the dashboard. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Metrics } from '../../src/daemon/metrics.js';
import { incident } from '../fixtures/archive-sample.js';
import { promtool } from '../support/promtool.js';
import { temporaryDirectory } from '../support/temporary.js';

const project = join(import.meta.dirname, '../..');
const rules = join(project, 'docs/metrics/wedgewatch.rules.yml');

async function exposition(): Promise<string> {
  const metrics = new Metrics({ guests: new Map(), services: { pending: { status: () => [] } } });
  const filed = { directory: '/a', title: '', byHand: false, incident: incident() };
  metrics.filed({ vm: 'a"b\\c' }, filed);
  metrics.start();
  await expect
    .poll(() => metrics.renderText(), { timeout: 5_000 })
    .toMatch(/wedgewatch_lag_seconds_count [1-9]/);
  metrics.stop();
  return metrics.renderText();
}

/** Names of metrics as they are in a query, without what a histogram adds. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/\bwedgewatch_\w+/g)].map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''));

it('the exposition is good, and the documentation names each metric and no other', async () => {
  const text = await exposition();
  expect(await promtool(['check', 'metrics'], text)).toBe('');
  const there = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name).sort();
  const table = (await readFile(join(project, 'docs/metrics.md'), 'utf8')).matchAll(
    /^\| `(wedgewatch_\w+)/gm,
  );
  expect([...table].map(([, name]) => name).sort()).toEqual(there);
});

it('the alert is good, and speaks when a guest hangs', async () => {
  expect(await promtool(['check', 'rules', rules])).toContain('1 rules found');
  const test = join(project, 'test/fixtures/wedgewatch.rules.test.yml');
  expect(await promtool(['test', 'rules', test])).toContain('SUCCESS');
});

it('each query of the dashboard is one, over metrics that there are', async () => {
  const dashboard = JSON.parse(
    await readFile(join(project, 'docs/metrics/grafana-dashboard.json'), 'utf8'),
  ) as { panels: { id: number; targets: { expr: string }[] }[] };
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(9);
  const there = new Set(namesIn(await exposition()));
  expect(
    [...queries, await readFile(rules, 'utf8')].flatMap(namesIn).filter((name) => !there.has(name)),
  ).toEqual([]);
  const records = queries.map((query, n) => ({
    record: `query:${n}`,
    expr: query.replace(/\$__\w*(?:interval|range)/g, '5m').replaceAll('$instance', '.*'),
  }));
  const file = join(await temporaryDirectory(), 'queries.yml');
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }));
  expect(await promtool(['check', 'rules', file])).toContain(`${queries.length} rules found`);
});
