import { describe, expect, it } from 'vitest';
import { knownFinder, knownText, parseKnown } from '../../../src/core/config/known.js';
import { formatProblem } from '../../../src/core/config/problem.js';

const LINK = 'https://lore.kernel.org/fstests/x';

function entries(text: string) {
  const parsed = parseKnown(text, 'known.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.entries;
}
const finder = (text: string) => knownFinder(entries(text));
const hang = {
  fingerprint: '8d4f3a1be07c5521',
  verdict: 'cat:1 stuck in fuse_x',
  startedAt: '2026-09-18T10:15:02.000Z',
};

describe('a known hang', () => {
  it.each([
    [`fingerprint: 8d4f3a1be07c5521`, true],
    [`fingerprint: 8d4f3a1b`, true],
    [`fingerprint: 8d4f3a1c`, false],
    [`pattern: 'stuck in fuse_\\w+$'`, true],
    [`pattern: 'stuck in nfs_'`, false],
    [`fingerprint: 00000000aa, pattern: 'fuse_'`, true],
  ])('with %s: %s', (way, isKnown) => {
    const known = finder(`[{title: t, link: '${LINK}', ${way}}]`)(hang);
    expect(known !== null).toBe(isKnown);
    if (known !== null) expect(known).toEqual({ title: 't', link: LINK, ignored: false, ignoreUntil: null });
  });

  it('is found by its fingerprint first, then by the first pattern', () => {
    const list = ['b, pattern: fuse', 'c, pattern: stuck', 'a, fingerprint: 8d4f3a1b'];
    const find = finder(list.map((entry) => `- {link: '${LINK}', title: ${entry}}\n`).join(''));
    expect(find(hang)?.title).toBe('a');
    expect(find({ ...hang, fingerprint: 'ffffffffffffffff' })?.title).toBe('b');
    expect(find({ ...hang, fingerprint: null })?.title).toBe('b');
  });

  it.each([
    ['2026-09-17', false],
    ['2026-09-18', true],
    ['2027-01-01', true],
  ])('that is ignored until %s was ignored: %s', (day, ignored) => {
    const known = finder(`[{title: t, link: '${LINK}', pattern: fuse, ignoreUntil: ${day}}]`)(hang)!;
    expect(known).toMatchObject({ ignored, ignoreUntil: day });
    expect(knownText(known)).toBe(`known: ${LINK} (t${ignored ? `, ignored until ${day}` : ''})`);
  });

  it('is looked for in linear time, in a bounded part of the verdict', () => {
    const find = finder(`[{title: t, link: '${LINK}', pattern: '(a*)*(a|aa)*b'}]`);
    expect(find({ ...hang, verdict: 'a'.repeat(1_000_000) })).toBeNull();
    expect(find({ ...hang, verdict: `${'a'.repeat(500)}b` })).toBeNull();
  });
});

describe('a list', () => {
  it.each(['', '# none yet\n', '[]'])('%j is empty', (text) => {
    expect(entries(text)).toEqual([]);
  });

  it.each([
    [
      `- {title: t, link: x, fingerprint: 8d4f3a1b}`,
      '1:20: [0].link: expected an address that begins with https://',
    ],
    [`- {title: t, link: 'javascript:alert(1)', pattern: x}`, '[0].link: expected an address'],
    [`- {title: t, link: '${LINK}'}`, '[0]: expected a fingerprint or a pattern, or both'],
    [`- {title: t, link: '${LINK}', fingerprint: 12345678}`, 'in quotes'],
    [`- {title: t, link: '${LINK}', pattern: '(?=x)'}`, 'in the syntax of RE2'],
    [
      `- {title: t, link: '${LINK}', pattern: x, ignoreUntil: 2026-02-30}`,
      'expected a day such as 2026-12-31',
    ],
    [`- {title: t, link: '${LINK}', patern: x}`, '[0].patern: unknown key; did you mean [0].pattern?'],
    ['known: yes', 'expected a list'],
    [`- {title: '', link: '${LINK}', pattern: x}`, 'expected a few words'],
  ])('%s is refused', (text, why) => {
    const parsed = parseKnown(text, 'known.yaml');
    expect(parsed.ok ? '' : parsed.problems.map(formatProblem).join('\n')).toContain(why);
  });
});
