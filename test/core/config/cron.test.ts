import fc from 'fast-check';
import { validate } from 'node-cron';
import { describe, expect, it } from 'vitest';
import { cronProblem } from '../../../src/core/config/cron.js';

const number = fc.nat({ max: 65 }).map(String);
const range = fc.tuple(number, number).map(([from, to]) => `${from}-${to}`);
const name = fc.constantFrom('jan', 'DEC', 'sun', 'Sat', 'L', '?');
const base = fc.oneof(fc.constant('*'), number, range, name);
const item = fc.oneof(
  base,
  fc.tuple(base, number).map(([of, step]) => `${of}/${step}`),
);
const field = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
const expression = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, field), {
  minLength: 5,
  maxLength: 5,
});

describe('cron expressions', () => {
  it.each(['17 3 * * *', '*/5 * * * *', '0-30/10 0,12 1 jan-mar Mon', '* * * * 7'])('accepts %s', (text) => {
    expect(cronProblem(text)).toBeNull();
  });

  it.each([
    ['* * *', /five fields/],
    ['0 17 3 * * *', /five fields/],
    ['61 3 * * *', /61 is no minute/],
    ['0 24 * * *', /24 is no hour/],
    ['0 3 0 * *', /0 is no day of month/],
    ['0 3 * foo *', /foo is no month/],
    ['0 3 * * 8', /8 is no day of week/],
    ['30-10 3 * * *', /30-10 is no minute/],
    ['*/0 3 * * *', /no minute/],
    ['5/15 3 * * *', /no minute/],
    ['1- 3 * * *', /no minute/],
    ['1-2-3 3 * * *', /no minute/],
    [', 3 * * *', /no minute/],
  ])('refuses %s', (text, problem) => {
    expect(cronProblem(text)).toMatch(problem);
  });

  it('accepts nothing that the scheduler would refuse', () => {
    fc.assert(
      fc.property(expression, (parts) => {
        const text = parts.join(' ');
        if (cronProblem(text) === null) expect(validate(text)).toBe(true);
      }),
    );
  });
});
