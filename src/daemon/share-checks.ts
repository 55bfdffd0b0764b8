/** What doctor says of the servers behind a guest's shares. */
import { describeServer, serverFault, serverIs } from '../core/host/servers.js';
import type { Look, Share } from '../core/model.js';
import { type Check, fault, ok, warning } from './check.js';

const MAKE_KNOWN =
  'run wedgewatch as the user of the servers; or let each serve from a unit NAME@VM-TAG.service, with its socket in a directory VM-TAG';
const START_AGAIN = 'the guest needs a restart: QEMU does not connect to another server';

/** One check a server: that it is not known is no fault of the guest, and takes evidence away. */
export const checkShares = ({ shares }: Look): Check[] => shares.map(checkShare);

function checkShare(share: Share): Check {
  const what = `share ${share.tag}`;
  const says = describeServer(share);
  if (serverIs(share) === 'unknown') return warning(what, says, MAKE_KNOWN);
  const wrong = serverFault(share);
  if (wrong === null) return ok(what, says);
  return fault(
    what,
    says,
    wrong === 'stopped' ? `let it go on: kill -CONT ${share.server?.pid ?? ''}` : START_AGAIN,
  );
}
