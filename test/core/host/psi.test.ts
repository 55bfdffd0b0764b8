import { expect, it } from 'vitest';
import { avg10 } from '../../../src/core/host/psi.js';

const text =
  'some avg10=93.54 avg60=96.44 avg300=79.21 total=2355029678\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=0\n';

it('reads the share of the last ten seconds', () => {
  expect([avg10(text, 'some'), avg10(text, 'full')]).toEqual([93.54, 0.1]);
});

it.each([null, '', 'some avg10=', 'avg10=1.00 some'])('knows nothing where there is nothing: %j', (other) => {
  expect(avg10(other, 'some')).toBeNull();
});
