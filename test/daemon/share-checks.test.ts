import { expect, it } from 'vitest';
import type { Share } from '../../src/core/model.js';
import { checkShares } from '../../src/daemon/share-checks.js';
import { running } from '../support/virtual-guest.js';

const share = (more: Partial<Share>): Share => ({ tag: 'store', socket: '/s', server: null, ...more });
const server = (state: string) => ({ pid: 7, comm: 'virtiofsd', state });

it.each([
  [share({ serverIs: 'running', server: server('S') }), 'ok', 'virtiofsd (pid 7) runs', null],
  [share({ serverIs: 'unknown', because: 'it hides' }), 'warning', 'server not known (it hides)', 'run wedgewatch as the user'],
  [share({ serverIs: 'running', server: server('T') }), 'fault', 'virtiofsd (pid 7) is stopped', 'kill -CONT 7'],
  [share({ serverIs: 'gone' }), 'fault', 'its server is gone', 'restart'],
])('doctor on %j', (one, result, detail, fix) => {
  expect(checkShares({ ...running, shares: [one] })).toEqual([
    { what: 'share store', result, detail, fix: fix === null ? null : (expect.stringContaining(fix) as string) },
  ]);
}); // prettier-ignore
