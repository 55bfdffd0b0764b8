/** Why the evidence of a capture is not whole. */
import { counted } from '../../words.js';
import type { Context } from '../context.js';
import { refusal } from '../slices/armed.js';
import { suppression } from './again.js';
import { type Case, isWhole } from './case.js';
import { memoryIsWhole } from './memory.js';
import { whyMute } from './mute.js';
import type { OwnDump } from './own-dumps.js';

/**
 * Why the evidence is not whole, one phrase with its cause each. Memory that was read as a whole shows every task: what
 * keys did not bring then only explains itself, as reasons of the verdict.
 */
export function evidenceGaps(
  context: Context,
  current: Case,
  dumps: readonly OwnDump[],
): { incomplete: string[]; excused: string[] } {
  const byKeys = ofKeys(context, current, dumps);
  if (memoryIsWhole(current)) return { incomplete: [], excused: byKeys };
  const ofMemory = (current.memory?.dump.incompleteBecause ?? []).map((why) => `memory: ${why}`);
  return { incomplete: byKeys.length === 0 ? [] : [...byKeys, ...ofMemory], excused: [] };
}

function ofKeys(context: Context, current: Case, dumps: readonly OwnDump[]): string[] {
  const { settings } = context;
  const { capture, accusation, looks } = current;
  const strays = capture.series?.strays ?? 0;
  const own = dumps.flatMap((dump) => ofDump(context, current, dump));
  if (settings.console.kind === 'journal')
    own.push(...dumps.flatMap(({ kept, reading }) => suppression(kept, reading?.lossy === true) ?? []));
  if (strays > 0)
    own.push(
      `${counted(strays, 'answer')} to Alt+SysRq that nobody asked for: somebody else presses keys, or a program prints the kernel's words`,
    );
  const last = looks.at(-1);
  if (last !== undefined && !last.qmp.ok && capture.dumps.length === 0) own.push(last.qmp.detail);
  const missing = capture.plan.filter((name) => !capture.dumps.some((dump) => dump.name === name));
  if (own.length === 0 && missing.length > 0 && accusation.complaint?.kind !== 'panic')
    own.push(`not taken: ${missing.join(', ')}`);
  return [...new Set(own)];
}

function ofDump(context: Context, current: Case, own: OwnDump): string[] {
  const { name, leftOut } = own.kept;
  if (leftOut === undefined) return ofEnd(context, current, own);
  const rows = `${name}: ${counted(leftOut, 'row')} of the console left out: it prints faster than it can be read`;
  return [rows, ...ofEnd(context, current, own)];
}

const said = ({ quote }: OwnDump['kept'], otherwise: string): string => quote ?? otherwise;

function ofEnd(context: Context, current: Case, { kept, reading }: OwnDump): string[] {
  const { name, endedBy, quote } = kept;
  switch (endedBy) {
    case 'refused':
      return [`the guest refuses its dumps: ${refusal(context.state.arming.facts, current.capture.digits)}`];
    case 'no-response':
      return [
        current.capture.dumps.some(isWhole)
          ? `${name}: the guest gave no answer to it`
          : whyMute(context, current),
      ];
    case 'not-pressed':
      return [`${name}: the chord could not be pressed: ${said(kept, 'QMP failed')}`];
    case 'guest-gone':
      return [`${name}: the guest went away while it was printing`];
    case 'too-large':
      return [`${name}: ${said(kept, 'too large')}`];
    case 'fence':
    case 'answered':
    case 'silence':
    case 'deadline': {
      const why = (reading?.incompleteBecause ?? ['nothing in it can be read as a dump']).map(
        (text) => `${name}: ${text}`,
      );
      const because = quote === null ? '' : `: ${quote}`;
      const cut = endedBy === 'fence' ? [] : [`${name}: ended by ${endedBy}, not by its fence${because}`];
      return [...cut, ...why];
    }
  }
}
