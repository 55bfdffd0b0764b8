/** What of the journal concerns the guests that this process watches. */
import type { Config } from '../core/config/schema.js';
import { guestMatches, guestRouter, unitMatches } from '../core/journal/route.js';
import { bootId } from './proc.js';
import { ownScope } from './scope.js';

/** Of this boot of the host. */
export const ownRouter = (config: Config): ReturnType<typeof guestRouter> =>
  guestRouter(config, bootId(), ownScope());

export const ownMatches = (): string[] => guestMatches(ownScope(), ownUid());

export const ownUnitMatches = (unit: string): string[] => unitMatches(ownScope(), ownUid(), unit);

const ownUid = (): number => process.getuid?.() ?? 0;
