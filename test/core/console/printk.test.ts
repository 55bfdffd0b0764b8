import { expect, it } from 'vitest';
import { stripPrintk } from '../../../src/core/console/printk.js';

it.each([
  ['[    0.000000] Linux version 6.1.0', 0, null, 'Linux version 6.1.0'],
  ['[12345.678901]  schedule+0x1/0x2', 12345.678901, null, ' schedule+0x1/0x2'],
  ['[   12.345678][  T123] foo', 12.345678, 'T123', 'foo'],
  ['[   12.345678] [    C1] foo', 12.345678, 'C1', 'foo'],
  ['<4>[   12.345678] foo', 12.345678, null, 'foo'],
  ['[   12.345678] ', 12.345678, null, ''],
  ['[  OK  ] Started foo', null, null, '[  OK  ] Started foo'],
  ['foo [   12.345678] bar', null, null, 'foo [   12.345678] bar'],
])('parts %j', (line, time, caller, text) => {
  expect(stripPrintk(line)).toEqual({ time, caller, text });
});
