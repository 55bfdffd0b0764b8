/** `dmesg VM`: the whole log of a running guest, from its memory. */
import type { SnapshotAnswer } from '../core/memory/answers.js';
import { addedLines } from '../core/memory/log-tail.js';
import type { KernelLog } from '../core/memory/printk.js';
import { safeJson } from '../core/report/json.js';
import { counted } from '../core/words.js';
import { EXIT, type Globals } from './globals.js';
import { tellClosed, withGuestMemory } from './guest-memory.js';
import type { Terminal } from './print.js';
import { interrupted, repeated } from './watching.js';

interface DmesgOptions {
  json?: boolean | undefined;
  watch?: boolean | undefined;
}

/**
 * Prints it, also what its console never showed; with `watch` each second what came, until it is interrupted. Returns 0,
 * 3 for an unknown VM, 4 where records are lost or left out, 5.
 */
export function dmesg(vm: string, options: DmesgOptions, globals: Globals): Promise<number> {
  const stopping = interrupted(options.watch === true);
  return withGuestMemory(vm, globals, (take) => {
    const followed = new LogFollower(vm, options, globals.terminal);
    return repeated(stopping, async () => followed.show(await take()));
  });
}

/** Prints of each snapshot what the ones before did not show. */
export class LogFollower {
  private text = '';
  private closed: string | null = null;

  constructor(
    private readonly vm: string,
    private readonly options: DmesgOptions,
    private readonly terminal: Terminal,
  ) {}

  /** Returns the code of the verb, were it to end now. */
  show(taken: SnapshotAnswer): number {
    const { options, terminal } = this;
    const watch = options.watch === true;
    if (taken.ok && taken.log !== null) {
      this.closed = null;
      this.print(taken.log, watch);
      return watch ? EXIT.ok : tellMissing(terminal, taken.log);
    }
    const why = taken.ok ? 'its log buffer was not found' : taken.why;
    if (options.json === true && !watch) terminal.out('[]\n');
    if (this.closed === why) return EXIT.environment;
    this.closed = why;
    return tellClosed(terminal, this.vm, { ok: false, why, fix: taken.ok ? null : taken.fix });
  }

  private print({ text }: KernelLog, watch: boolean): void {
    const { terminal } = this;
    const added = addedLines(this.text, text);
    this.text = text;
    if (added.gap)
      terminal.err('wedgewatch: the guest was started anew, or printed more than its log holds\n');
    const lines = added.text.split('\n').filter((line) => line !== '');
    if (this.options.json !== true) terminal.out(lines.map((line) => `${line}\n`).join(''));
    else if (watch) terminal.out(lines.map((line) => `${safeJson(lineOf(line))}\n`).join(''));
    else terminal.out(`${safeJson(lines.map(lineOf), 2)}\n`);
  }
}

function tellMissing({ err }: Terminal, { lost, leftOut }: KernelLog): number {
  if (lost > 0) err(`wedgewatch: ${counted(lost, 'record')} were overwritten before\n`);
  if (leftOut > 0)
    err(`wedgewatch: ${counted(leftOut, 'older record')} are left out: the log is that large\n`);
  return lost + leftOut > 0 ? EXIT.incomplete : EXIT.ok;
}

/** `[    1.234567] text` */
function lineOf(line: string): { seconds: number | null; text: string } {
  const [, stamp, text = line] = /^\[ *(\d+\.\d+)\] (.*)$/.exec(line) ?? [];
  return { seconds: stamp === undefined ? null : Number(stamp), text };
}
