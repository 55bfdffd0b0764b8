/** Whose units this process watches: chosen once, by --system, for itself and for the processes that it starts. */
import type { Scope } from '../core/scope.js';

const VARIABLE = 'WEDGEWATCH_SCOPE';

export const ownScope = (env: Readonly<Record<string, string | undefined>> = process.env): Scope =>
  env[VARIABLE] === 'system' ? 'system' : 'user';

/** False for all but root, to whom its units and their journal belong. */
export function chooseSystem(): boolean {
  if (process.getuid?.() !== 0) return false;
  process.env[VARIABLE] = 'system' satisfies Scope;
  return true;
}
