import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { runAnalyze } from '../../src/cli/analyze.js';

const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}.log`, import.meta.url));

async function inForm(files: string[], options: Parameters<typeof runAnalyze>[1], json = false) {
  const said = { out: '', err: '' };
  const streams = {
    in: null,
    out: (text: string) => (said.out += text),
    err: (text: string) => (said.err += text),
  };
  const code = await runAnalyze(files, { json, ...options }, streams);
  return { code, ...said };
}

describe('analyze in CI', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wedgewatch-analyze-ci-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const [wedged, idle] = [golden('page-in'), golden('idle')];

  it('annotates and folds on GitHub, and adds to the summary of the step', async () => {
    const summary = join(directory, 'step.md');
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    const { code, out, err } = await inForm([wedged, idle], { ci: 'github' });
    vi.unstubAllEnvs();
    expect(code).toBe(1);
    expect(out).toMatch(/^::error title=\S+page-in\.log is wedged::pagein:109 stuck/);
    expect(out).toMatch(/\n::group::[^\n]*\nclass blocked[^]*::endgroup::\nwedgewatch: \S+idle\.log: /);
    expect(err).toBe('');
    expect(readFileSync(summary, 'utf8')).toMatch(/^### `pagein:109 [^]*- Log: `/);
    expect(readFileSync(summary, 'utf8')).not.toContain('idle.log');
  });

  it('leaves JSON to its reader, and annotates beside it', async () => {
    const { out, err } = await inForm([wedged], { ci: 'github' }, true);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1 });
    expect(err).toMatch(/^::error title=[^\n]*\n$/);
  });

  it('writes a report with a test for each log', async () => {
    const folder = join(directory, 'report');
    const { out } = await inForm([wedged, idle, join(directory, 'missing')], {
      ci: 'plain',
      artifacts: folder,
    });
    expect(out).toMatch(/page-in\.log: pagein:109 stuck/);
    const report = readFileSync(join(folder, 'junit.xml'), 'utf8');
    expect(report).toContain('<testsuites tests="3" failures="1" errors="1" skipped="0">');
    expect(report).toMatch(
      /missing" name="makes progress" time="0">\n {6}<error message="[^"]* cannot be read: /,
    );
  });

  it('refuses a form that there is not', async () => {
    expect(await inForm([wedged], { ci: 'x' })).toMatchObject({ code: 2, out: '' });
  });
});
