import { expect, it } from 'vitest';
import { checkText } from '../../src/cli/doctor.js';

const check = {
  what: 'linger',
  result: 'warning',
  detail: 'ends with the last login',
  fix: 'enable it now',
} as const;

it('folds a check and its fix behind the mark, in a terminal', () => {
  expect(checkText({ columns: 40, colour: false }, { ...check, detail: `units: all ${check.detail}` })).toBe(
    'warn   linger: units: all ends with the\n       last login\n       fix: enable it now\n',
  );
});

it('says both in a line each elsewhere', () => {
  expect(checkText({ columns: null, colour: false }, check)).toBe(
    'warn   linger: ends with the last login\n       fix: enable it now\n',
  );
});
