/** Doctor's checks of the servers behind a guest's shares. */
import { describeServer, serverFault, serverIs } from '../core/host/share-server.js';
import type { Look, Share } from '../core/model.js';
import { type Check, fault, ok, warning } from './check.js';

const MAKE_KNOWN =
  'run wedgewatch as the user that runs the servers; or run each server in a unit NAME@VM-TAG.service, with its socket in a directory VM-TAG';
const START_AGAIN = 'restart the guest: QEMU does not connect to another server';

/** One check per server. An unknown server is no fault of the guest, but evidence is missing. */
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
    wrong === 'stopped' ? `continue it: kill -CONT ${share.server?.pid ?? ''}` : START_AGAIN,
  );
}
