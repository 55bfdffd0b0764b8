import { expect, it } from 'vitest';
import { cutTo, displayWidth } from '../../src/cli/width.js';

it.each([
  ['', 0],
  ['plain', 5],
  ['naïve — …', 9],
  ['e\u0301', 1],
  ['漢字かなカナ', 12],
  ['한글', 4],
  ['한', 2],
  ['ｶﾅ', 2],
  ['ＡＢ', 4],
  ['、。', 4],
  ['🙂', 2],
  ['👩‍👩‍👧', 2],
  ['❤️', 2],
  ['🇯🇵', 2],
  ['é漢🙂x', 6],
])('%j takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

it.each([
  ['plain', 5, 'plain'],
  ['plain', 4, 'pla…'],
  ['漢字漢字', 5, '漢字…'],
  ['漢字漢字', 6, '漢字…'],
  ['漢', 1, '…'],
  ['👩‍👩‍👧👩‍👩‍👧', 3, '👩‍👩‍👧…'],
])('%j cut to %i columns is %j', (text, columns, cut) => {
  expect(cutTo(text, columns)).toBe(cut);
  expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
});
