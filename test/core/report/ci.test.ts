import { describe, expect, it } from 'vitest';
import { detectForm, inert, logText, summaryText } from '../../../src/core/report/ci.js';
import { incidentFinding, plainFinding } from '../../../src/core/report/finding.js';
import { incident } from '../../fixtures/archive-sample.js';

const EVIL =
  '::add-mask::x%0A::error::y ##[add-mask]z\n::set-output::a\r\u001b[0Ksection_end:1:wedgewatch_7_0\r';
const evil = () => {
  const sample = incident();
  return incidentFinding({
    ...sample,
    vm: '::stop, here:%',
    why: [EVIL],
    verdict: { ...sample.verdict, title: EVIL, reasons: [EVIL] },
  });
};
const at = { at: 7, index: 0 };

describe('the system that runs this', () => {
  it.each([
    [{ GITHUB_ACTIONS: 'true' }, 'github'],
    [{ GITLAB_CI: 'true' }, 'gitlab'],
    [{ JENKINS_URL: 'https://ci.example/' }, 'jenkins'],
    [{ JENKINS_URL: '', CI: 'true' }, 'plain'],
  ] as const)('by %j is %s', (env, form) => {
    expect(detectForm(env)).toBe(form);
  });
});

describe('what the log of a job shows', () => {
  it('is a line, and then the rest', () => {
    const text = logText('plain', incidentFinding(incident()), at);
    expect(text).toMatch(/^wedgewatch: store: chroot:441 stuck[^\n]*\n\nClass: {9}blocked/);
    expect(text).not.toMatch(/chroot:441 stuck[^]*chroot:441 stuck/);
  });

  it('on GitHub is an annotation and a group, and no other command, whatever the guest says', () => {
    const lines = logText('github', evil(), at).trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^::error title=%3A%3Astop%2C here%3A%25 is wedged::::add-mask::x%250A::error::y ##\[/,
    );
    expect(lines[1]).toBe('::group::wedgewatch: ::stop, here:%25');
    expect(lines.at(-1)).toBe('::endgroup::');
    // As the runner looks for them.
    expect(lines.slice(2, -1).filter((line) => /^\s*::|##\[/.test(line))).toEqual([]);
  });

  it('makes lines inert and leaves others alone', () => {
    expect(inert('  ::error::x\na::b\n:c\n##[error]d')).toBe('  .:error::x\na::b\n:c\n## [error]d');
  });

  it('on GitLab is a folded section with the title as its header, which the guest cannot end', () => {
    const text = logText('gitlab', evil(), at);
    const begin = '\u001b[0Ksection_start:7:wedgewatch_7_0[collapsed=true]\r\u001b[0K';
    expect(text.startsWith(`${begin}wedgewatch: ::stop, here:%: ::add-mask`)).toBe(true);
    expect(text.endsWith('\u001b[0Ksection_end:7:wedgewatch_7_0\r\u001b[0K')).toBe(true);
    expect(text.split('\r')).toHaveLength(3);
    expect(text.split('\u001b')).toHaveLength(5);
  });
});

describe('the summary', () => {
  it('tells of what hangs, as code, and of nothing else', () => {
    const passed = plainFinding('vm2', 'passed', 'none', 'no hang was found');
    expect(summaryText([passed])).toBeNull();
    const text = summaryText([passed, evil()]) ?? '';
    expect(text).toMatch(/^### `::add-mask::x%0A::error::y ##\[add-mask\]z ::set-output/);
    expect(text).not.toContain('vm2');
  });

  it('stays below what GitHub takes', () => {
    const { markdown, ...rest } = incidentFinding(incident());
    const long = { ...rest, markdown: `${markdown}${'€'.repeat(200_000)}` };
    const text = summaryText([long, long, long]) ?? '';
    expect(Buffer.byteLength(text)).toBeLessThan(1 << 20);
    expect(text.match(/^### `chroot:441/gm)).toHaveLength(3);
  });
});
