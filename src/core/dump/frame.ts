/**
 * Lines of a stack, of all architectures: arch/<name>/kernel/{dumpstack,stacktrace,traps,process}.c, and as
 * scripts/decode_stacktrace.sh and syzkaller rewrite them.
 */
import type { Frame } from '../model.js';

const SYMBOL = '[A-Za-z_.$][\\w.$]*';
const PLACE = `(${SYMBOL})\\+0x([0-9a-f]+)\\/0x([0-9a-f]+)`;
/** A build id may follow the module. */
const MODULE = '(?: \\[([\\w-]+)[^\\]]*\\])?';
/** `[<c0123456>]`, powerpc's stack pointer and address without the angles, `(ptrval)` where %p hid it. */
const ADDRESS = '\\[<?\\(?(?:0|[0-9a-f]{6,16}|_*ptrval_*)\\)?>?\\]:? *';

/** x86, arm64, mips, powerpc, riscv, s390, sparc, loongarch: `[<addr>] ? symbol+0x1/0x2 [module]`. */
const PLAIN = new RegExp(`^\\(?(?:${ADDRESS})*(\\? +)?(?:${ADDRESS})*${PLACE}${MODULE}`);
const EACH = new RegExp(`${ADDRESS}(\\? +)?${PLACE}${MODULE}`, 'g');
/** arm32: `[<addr>] (callee) from [<addr>] (caller+0x1/0x2 [module])`, since 5.14 `callee from caller+0x1/0x2`. */
const ARM = new RegExp(
  `^(?:${ADDRESS}\\()?(${SYMBOL})(?:\\+0x[0-9a-f]+\\/0x[0-9a-f]+)?(?: \\[([\\w-]+)[^\\]]*\\])?\\)? from (?:${ADDRESS}\\()?${PLACE}${MODULE}`,
);
/** x86-64 before 2.6.17: `<ffffffff8030a3b1>{:module:symbol+12}`, several a line, offsets in decimal. */
const BRACED = /<[0-9a-f]{8,16}>\{(?::([\w-]+):)?([A-Za-z_][\w.$]*)\+(\d{1,9})\}/g;
/** decode_stacktrace.sh: `symbol (file.c:12 (discriminator 3) other.h:9) module`; `??:?` where it found no line. */
const DECODED = new RegExp(
  `^(\\? +)?(${SYMBOL})(?:\\+0x[0-9a-f]+\\/0x[0-9a-f]+)? \\((?:\\S+\\.[chSs]|\\S+\\.rs|\\?\\?):[?\\d][^()]*(?:\\([^()]*\\)[^()]*)*\\)(?: ([\\w-]+))?$`,
);
/** A frame behind another writer's text, where the log has no printk time to cut at. */
const GLUED = new RegExp(`\\s(\\? +)?${PLACE}${MODULE}$`);
/** What names a function without being a frame: `at: foo+0x1/0x2`, `Stopper: foo <- bar`, link registers. */
const NAMES_A_FUNCTION =
  /(?:\b(?:at|in|is|calling|by|from)|:|<-|=|\)) +\S+(?: \[[\w-]+\])?$|^(?:E?RIP|E?RSP|Code|CPU|[lp][rc] |LR|NIP|R[0-9A-Z]{2}:|ra |NMI|INFO|BUG|WARNING|Modules|--- )/;

const SEGMENTS = '(?:0010|0060|e030|e033|0000)';
/**
 * The instruction a CPU was at in the kernel: x86 (0033, 0023 and 0073 are user space), arm, riscv and mips, powerpc,
 * s390, loongarch.
 */
const INSTRUCTION = new RegExp(
  `^(?:RIP: ${SEGMENTS}:|EIP: (?:${SEGMENTS}:)?|EIP is at |PC is at |pc : |epc *: |NIP |Krnl PSW : \\w+ \\w+ \\(|ERA: |TPC: <)(?:${ADDRESS}|[0-9a-f]{8,16} +)*${PLACE}${MODULE}`,
);

/** Where the function a CPU was in returns to: of arm64 and powerpc, whose unwinders do not tell. */
const LINK = new RegExp(`^(?:lr : |LR )(?:${ADDRESS})*${PLACE}${MODULE}`);

/** powerpc, of what an interrupt came into. */
const INTERRUPTED = new RegExp(`^--- interrupt: [0-9a-f]+ at (\\? +)?${PLACE}${MODULE}`);

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
  if (text.startsWith('--- interrupt: ')) return fromMatch(INTERRUPTED.exec(text));
  if (text.includes('+0x')) return withOffsets(text, first);
  if (text.includes('>{')) return braced(text);
  return text.endsWith(')') || text.includes(') ') ? decoded(text) : null;
}

function withOffsets(text: string, first: boolean): Frame[] | null {
  if (text.includes(' from ')) {
    const [, callee, calleeModule, caller, offset, size, module] = ARM.exec(text) ?? [];
    if (callee !== undefined && caller !== undefined && offset !== undefined && size !== undefined) {
      const outer = frame(caller, offset, size, module, true);
      return first ? [frame(callee, null, null, calleeModule, true), outer] : [outer];
    }
  }
  if (text.indexOf('[<', 2) > 0) {
    const all = [...text.matchAll(EACH)].flatMap((match) => fromMatch(match) ?? []);
    if (all.length > 1) return all;
  }
  const plain = fromMatch(PLAIN.exec(text), text.endsWith('(unreliable)'));
  if (plain) return plain;
  if (NAMES_A_FUNCTION.test(text)) return null;
  return fromMatch(GLUED.exec(text));
}

function braced(text: string): Frame[] | null {
  const frames = [...text.matchAll(BRACED)].flatMap(([, module, symbol, offset]) =>
    symbol === undefined || offset === undefined
      ? []
      : [frame(symbol, Number(offset).toString(16), null, module, true)],
  );
  return frames.length === 0 ? null : frames;
}

function decoded(text: string): Frame[] | null {
  const [, mark, symbol, module] = DECODED.exec(text) ?? [];
  return symbol === undefined ? null : [frame(symbol, null, null, module, mark === undefined)];
}

/** The function that the link register points into, or null. */
export function parseLink(text: string): Frame | null {
  const [, symbol, offset, size, module] = LINK.exec(text) ?? [];
  if (symbol === undefined || offset === undefined || size === undefined) return null;
  return frame(symbol, offset, size, module, true);
}

/** The kernel function a register line says the CPU was in, or null. */
export function parseInstruction(text: string): Frame | null {
  // The last line of an oops repeats it.
  if (text.includes('SS:ESP')) return null;
  const [, symbol, offset, size, module] = INSTRUCTION.exec(text) ?? [];
  if (symbol === undefined || offset === undefined || size === undefined) return null;
  return frame(symbol, offset, size, module, true);
}
