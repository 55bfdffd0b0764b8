/** Whether the keys fail as they are pressed now, so that the next rung of the ladder is due. */
import type { KeptDump, Leg, Series } from '../../capture/series.js';
import { unknownToSsh } from '../../ssh/ssh-config.js';
import type { Context } from '../context.js';
import { type Case, isWhole } from './case.js';

/** How the keys fail as they are pressed now. */
export interface ChannelFailure {
  how: 'hidden' | 'refused' | 'no-response' | 'not-pressed';
  quote: string | null;
}

/** Null if they do not fail, or the next one may fare better. */
export function failing(context: Context, current: Case, leg: Leg, series: Series): ChannelFailure | null {
  const { exchange } = series;
  const { capture, accusation } = current;
  const { endedBy, quote } = exchange;
  const whole = capture.dumps.some(isWhole);
  const overSsh = capture.channel !== 'sysrq-trigger' && noSsh(context) === null;
  if (endedBy === 'no-response' || endedBy === 'not-pressed') return whole ? null : { how: endedBy, quote };
  if (leg === 'raise') return null;
  const last = capture.plan.at(-1) === leg;
  if (endedBy !== 'refused') return hides(current, series, overSsh, last) ? { how: 'hidden', quote } : null;
  // Other keys may have another bit of the mask: only SSH is better for all of them.
  const nothing = (last || accusation.by !== 'hand') && !whole;
  return overSsh || nothing ? { how: endedBy, quote } : null;
}

/** A w may be empty because nothing is blocked; if nothing better is left, the t behind it tells. */
function hides({ capture: { dumps } }: Case, { raised }: Series, overSsh: boolean, last: boolean): boolean {
  if (raised) return false;
  return overSsh ? dumps.some(isEmpty) : last && dumps.every(isEmpty);
}

/** A header and its fence, and nothing in between. */
export const isEmpty = ({ lines }: Pick<KeptDump, 'lines'>): boolean => lines.length < 3;

export const speaks = ({ exchange: { endedBy } }: Series): boolean =>
  endedBy !== 'refused' && endedBy !== 'no-response' && endedBy !== 'not-pressed';

/** Why no command can be run in the guest over SSH now, or null. */
export function noSsh({ state: { ssh }, settings }: Context): string | null {
  if (!settings.ssh.enabled) return 'SSH is off for this guest';
  if (ssh.last === null) return null;
  if (ssh.last.kind !== 'ok') return `SSH does not answer: ${ssh.last.detail}`;
  return ssh.last.way === undefined ? null : unknownToSsh(settings.ssh.host);
}
