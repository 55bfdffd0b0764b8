/** Which groups of stacks somebody asks for. */
import { globTest } from '../glob.js';
import type { StackGroup } from '../model.js';

export interface Selection {
  /** A function that is in the stack, or a glob such as `nfs_*`. */
  function?: string | undefined;
  /** A module of one of its frames, or a glob. */
  module?: string | undefined;
  /** Letters of states, such as `D` or `DR`. */
  state?: string | undefined;
  /** Idle kernel threads too. */
  all?: boolean | undefined;
}

const FRAME = /^(\S+)(?: \[(\S+)\])?$/;

/** The groups that match, in their order, and how many idle ones among them are left out. */
export function select(
  groups: readonly StackGroup[],
  { function: name, module, state, all }: Selection,
): { groups: StackGroup[]; hidden: StackGroup[] } {
  const inFunction = name === undefined ? null : matcher(name);
  const inModule = module === undefined ? null : matcher(module);
  const wanted = groups.filter((group) => {
    const parts = group.frames.map((frame) => FRAME.exec(frame) ?? [frame, frame]);
    return (
      (inFunction === null || parts.some(([, symbol]) => inFunction(symbol ?? ''))) &&
      (inModule === null || parts.some(([, , owner]) => owner !== undefined && inModule(owner))) &&
      (state === undefined || state.toUpperCase().includes(group.state.toUpperCase()))
    );
  });
  if (all === true) return { groups: wanted, hidden: [] };
  return { groups: wanted.filter(({ idle }) => !idle), hidden: wanted.filter(({ idle }) => idle) };
}

/** Compiler suffixes are left out of groups; who names one means the function all the same. */
function matcher(pattern: string): (name: string) => boolean {
  const name = pattern.replace(/\.(?:isra|constprop|part|cold)\b.*$/, '');
  try {
    return globTest(name);
  } catch {
    // No glob: then it is meant as it stands.
    return (symbol) => symbol === name;
  }
}
