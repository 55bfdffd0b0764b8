/** A guest with ten thousand tasks, the most that is expected of one: a third of a million lines in one dump. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { exchangeStep, startExchange } from '../../../src/core/capture/exchange.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, stacks, task } from '../../support/stacks.js';

const IDLE = Array.from({ length: 27 }, (_, n) => `function_${n}+0x10/0x20`);
const TASKS = Array.from({ length: 10_000 }, (_, n) =>
  n === 7_000 ? task('cat', 100 + n, 'D', stacks.pageIn) : task(`w${n}`, 100 + n, 'S', IDLE),
);

describe('the t dump of ten thousand tasks', () => {
  const lines = dump('t', 1, ...TASKS);

  it('is kept whole up to its fence', () => {
    const parsed = parseConfig('', 'test.yaml');
    if (!parsed.ok) throw new Error('the defaults are valid');
    let { exchange } = startExchange('t', 0, 1);
    const give = (event: Parameters<typeof exchangeStep>[1]) =>
      ({ exchange } = exchangeStep(exchange, event, parsed.config.capture));
    give({ type: 'pressed', at: 1, id: 1, fault: null, detail: '' });
    for (const text of lines) give({ type: 'line', at: 2, text });
    expect(lines.length).toBeGreaterThan(280_000);
    expect(exchange).toMatchObject({ phase: 'done', endedBy: 'fence' });
    expect(exchange.lines).toHaveLength(lines.length);
  });

  it('is read whole, and the stuck task is found in it', () => {
    const dumps = parseDumps(lines);
    expect(dumps[0]).toMatchObject({ key: 't', complete: true });
    expect(dumps[0]?.tasks).toHaveLength(TASKS.length);
    expect(
      analyze(dumps, { secondsBetweenLooks: null, shares: [], kernelCommandLine: null }).verdict.culprit,
    ).toMatchObject({ pid: 7_100 });
  });
});
