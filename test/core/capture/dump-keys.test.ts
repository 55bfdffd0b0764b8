import { describe, expect, it } from 'vitest';
import { dumpNames, parseKeys } from '../../../src/core/capture/dump-keys.js';

const problemOf = (text: string) => {
  const parsed = parseKeys(text);
  return parsed.ok ? null : parsed.problem;
};

describe('keys given by hand', () => {
  it('keep their order', () => {
    expect(parseKeys('qtlwmpd')).toEqual({ ok: true, keys: ['q', 't', 'l', 'w', 'm', 'p', 'd'] });
  });

  it.each([
    ['wbt', /^key b is refused: reboots the guest; allowed: w \(blocked tasks\), t/],
    ['c', /^key c is refused: crashes the guest/],
    ['wh', /^key h is refused: is pressed by wedgewatch itself/],
    ['8', /^key 8 is refused: wedgewatch itself raises the loglevel/],
    ['T', /^key T is refused: keys are lower-case letters/],
    ['w t', /^key {3}is refused: it asks for no dump/],
    ['w\u001b', /^key {3}is refused/],
    ['__proto__', /^key _ is refused/],
    ['', /^no key given/],
    ['w'.repeat(13), /^13 keys; the limit is 12/],
  ])('%j is refused, with the reason', (text, words) => {
    expect(problemOf(text)).toMatch(words);
  });

  it('name no destructive key as allowed', () => {
    for (let code = 32; code < 127; code += 1) {
      const letter = String.fromCharCode(code);
      expect(parseKeys(letter).ok).toBe('wtlmpdq'.includes(letter));
    }
  });

  it('name their dumps: w always by number, others from the second on', () => {
    expect(dumpNames(['w', 't', 'l', 't', 'w'])).toEqual([
      'sysrq-w.1',
      'sysrq-t',
      'sysrq-l',
      'sysrq-t.2',
      'sysrq-w.2',
    ]);
  });
});
