/** The prefix of a printk line: `<6>` where it is raw, `[%5lu.%06lu]`, and `[%6s]` with CONFIG_PRINTK_CALLER. */
const PREFIX = /^(?:<\d{1,3}>)?\[ *(\d{1,10}\.\d{0,9})\](?: ?\[ *([TC]\d{1,10})\])? ?/;

export interface PrintkLine {
  /** Seconds since the guest's kernel started; null where the line has no prefix. */
  readonly time: number | null;
  /** `T12` for a task, `C1` for a CPU in interrupt. */
  readonly caller: string | null;
  /** The line without its prefix; the indentation of stack frames stays. */
  readonly text: string;
}

/** Parts a console line from its printk prefix. */
export function stripPrintk(line: string): PrintkLine {
  if (line !== last.line) last = { line, printk: strip(line) };
  return last.printk;
}

/** Each reader of a line asks anew. */
let last: { line: string; printk: PrintkLine } = { line: '', printk: { time: null, caller: null, text: '' } };

function strip(line: string): PrintkLine {
  const prefix = PREFIX.exec(line);
  if (prefix === null) return { time: null, caller: null, text: line };
  return { time: Number(prefix[1]), caller: prefix[2] ?? null, text: line.slice(prefix[0].length) };
}
