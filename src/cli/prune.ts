/** `prune`: removes the incidents beyond the limits now, and not by the daemon's schedule. */
import { roundSize } from '../core/config/size.js';
import type { Expired } from '../core/report/expired.js';
import { safeJson } from '../core/report/json.js';
import { ArchiveError } from '../io/archive/directory.js';
import { retain, retainable } from '../io/archive/retain.js';
import { archiveRoot } from '../io/paths.js';
import { EXIT, type Globals, withConfig } from './globals.js';

interface PruneOptions {
  dryRun?: boolean | undefined;
  json?: boolean | undefined;
}

/** Prints what is removed, or would be, a line each, oldest first. Returns 0, or 5 for an unusable archive. */
export async function prune({ dryRun, json }: PruneOptions, globals: Globals): Promise<number> {
  const { terminal, quiet } = globals;
  return withConfig(globals, async (config) => {
    let gone: Expired[];
    try {
      gone = await (dryRun === true ? retainable : retain)(archiveRoot(config), config.archive, Date.now());
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      terminal.err(`wedgewatch: ${error.message}\n`);
      return EXIT.environment;
    }
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
      if (gone.length === 0 && !quiet) terminal.err('wedgewatch: no incident is beyond the limits\n');
    }
    return EXIT.ok;
  });
}
