import type { Frame } from '../model.js';

/** x86, arm64, mips, ppc, riscv: `[<addr>] ? symbol+0x1/0x2 [module]`; a build id may follow the module. */
const PLAIN =
  /^(?:\[<?[0-9a-f]{6,16}>?\] *)*(\? +)?([A-Za-z_.$][\w.$]*)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[([\w-]+)[^\]]*\])?/;
/** arm32: `[<addr>] (callee) from [<addr>] (caller+0x1/0x2 [module])`, since 5.14 `callee from caller+0x1/0x2`. */
const ARM =
  /^(?:\[<[0-9a-f]+>\] \()?([A-Za-z_][\w.$]*)(?: \[([\w-]+)\])?\)? from (?:\[<[0-9a-f]+>\] \()?([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[([\w-]+)[^\]]*\])?/;
/** The instruction a CPU was at in the kernel; 0010 is the kernel's code segment, 0033 and 0023 are user space. */
const RIP =
  /^(?:E?RIP: 0010:|pc : )(?:\[<[0-9a-f]+>\] *)*([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[([\w-]+)[^\]]*\])?/;
/** A frame behind another writer's text, where the log has no printk time to cut at. */
const GLUED = /\s(\? +)?([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[([\w-]+)[^\]]*\])?$/;
const NOT_GLUED = /^(?:E?RIP|E?RSP|Code|CPU|[lp][rc] |R[0-9A-Z]{2}:|NMI|INFO|BUG)/;

const SYMBOL_MAX = 200;

function frame(
  symbol: string,
  offset: string | null,
  size: string | null,
  module: string | undefined,
  reliable: boolean,
): Frame {
  return {
    symbol: symbol.slice(0, SYMBOL_MAX),
    offset: offset === null ? null : Number.parseInt(offset, 16),
    size: size === null ? null : Number.parseInt(size, 16),
    module: module ?? null,
    reliable,
  };
}

function fromMatch(match: RegExpExecArray | null, unreliableTail = false): Frame[] | null {
  const [, mark, symbol, offset, size, module] = match ?? [];
  if (symbol === undefined || offset === undefined || size === undefined) return null;
  return [frame(symbol, offset, size, module, mark === undefined && !unreliableTail)];
}

/**
 * The frames a stack line holds, innermost first, or null for any other line.
 * An arm32 line names two functions: `first` says whether it opens its stack, since later ones repeat their callee.
 */
export function parseFrames(text: string, first: boolean): Frame[] | null {
  const plain = fromMatch(PLAIN.exec(text), text.endsWith('(unreliable)'));
  if (plain) return plain;
  if (text.includes(' from ')) {
    const [, callee, calleeModule, caller, offset, size, module] = ARM.exec(text) ?? [];
    if (callee !== undefined && caller !== undefined && offset !== undefined && size !== undefined) {
      const outer = frame(caller, offset, size, module, true);
      return first ? [frame(callee, null, null, calleeModule, true), outer] : [outer];
    }
  }
  if (!text.includes('+0x') || NOT_GLUED.test(text)) return null;
  return fromMatch(GLUED.exec(text));
}

/** The kernel function a register line says the CPU was in, or null. */
export function parseInstruction(text: string): Frame | null {
  const [, symbol, offset, size, module] = RIP.exec(text) ?? [];
  if (symbol === undefined || offset === undefined || size === undefined) return null;
  return frame(symbol, offset, size, module, true);
}
