/** `prune`: removes the incidents beyond the limits now, and not by the daemon's schedule. */
import { roundSize } from '../core/config/size.js';
import { safeJson } from '../core/report/json.js';
import { doubtText, retain, retainable } from '../io/archive/retain.js';
import { archiveRoot } from '../io/paths.js';
import { EXIT, fromArchive, type Globals, withConfig } from './globals.js';

interface PruneOptions {
  dryRun?: boolean | undefined;
  /** Remove what is too old even if that is more than half of all. */
  trustClock?: boolean | undefined;
  json?: boolean | undefined;
}

/** Prints what is removed, or would be, a line each, oldest first. Returns 0, or 5 for an unusable archive. */
export async function prune({ dryRun, trustClock, json }: PruneOptions, globals: Globals): Promise<number> {
  const { terminal, quiet } = globals;
  return withConfig(globals, async (config) => {
    const now = Date.now();
    const find = dryRun === true ? retainable : retain;
    const expiry = await fromArchive(terminal, () =>
      find(archiveRoot(config), config.archive, now, trustClock),
    );
    if (expiry === null) return EXIT.environment;
    const { gone } = expiry;
    const doubt = doubtText(expiry, now);
    if (doubt !== null) terminal.err(`wedgewatch: ${doubt}\n`);
    const verb = dryRun === true ? 'would remove' : 'removed';
    if (json === true)
      terminal.out(
        `${safeJson(
          gone.map(({ name, bytes, why }) => ({ id: name, bytes, why })),
          2,
        )}\n`,
      );
    else {
      for (const { name, bytes, why } of gone) terminal.out(`${verb} ${name}, ${roundSize(bytes)}: ${why}\n`);
      if (gone.length === 0 && doubt === null && !quiet)
        terminal.err('wedgewatch: no incident is beyond the limits\n');
    }
    return EXIT.ok;
  });
}
