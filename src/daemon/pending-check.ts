import { counted } from '../core/words.js';
import { incidentsIn } from '../io/archive/directory.js';
import { type Check, ok, warning } from './check.js';
import { pendingDirectory, pendingIds } from './pending.js';

/** Doctor's check for incidents that the archive could not take. `runtime`: `$XDG_RUNTIME_DIR`. */
export async function checkPending(runtime: string): Promise<Check> {
  const directory = pendingDirectory(runtime);
  const ids = await pendingIds(directory);
  if (ids.length === 0) return ok('pending', 'no incident waits for the archive');
  return warning(
    'pending',
    `${counted(ids.length, 'incident')} in ${incidentsIn(directory)} could not be archived yet`,
    'make the archive writable; the daemon tries again every 5 min, and as it starts',
  );
}
