/** `dmesg VM`: the whole log of a running guest, from its memory. */
import { safeJson } from '../core/report/json.js';
import { counted } from '../core/words.js';
import { EXIT, type Globals } from './globals.js';
import { tellClosed, withGuestMemory } from './guest-memory.js';

/** Prints it, also what its console never showed. Returns 0, 3 for an unknown VM, 4 where records are lost or left out, 5. */
export function dmesg(
  vm: string,
  options: { json?: boolean | undefined },
  globals: Globals,
): Promise<number> {
  const { terminal } = globals;
  return withGuestMemory(vm, globals, async (take) => {
    const taken = await take();
    if (!taken.ok) {
      if (options.json === true) terminal.out('[]\n');
      return tellClosed(terminal, vm, taken);
    }
    const { log } = taken;
    if (log === null) {
      return tellClosed(terminal, vm, { ok: false, why: 'its log buffer was not found', fix: null });
    }
    const lines = log.text.split('\n').filter((line) => line !== '');
    if (options.json === true) terminal.out(`${safeJson(lines.map(lineOf), 2)}\n`);
    else terminal.out(lines.map((line) => `${line}\n`).join(''));
    const { lost, leftOut } = log;
    if (lost > 0) terminal.err(`wedgewatch: ${counted(lost, 'record')} were overwritten before\n`);
    if (leftOut > 0)
      terminal.err(`wedgewatch: ${counted(leftOut, 'older record')} are left out: the log is that large\n`);
    return lost + leftOut > 0 ? EXIT.incomplete : EXIT.ok;
  });
}

/** `[    1.234567] text` */
function lineOf(line: string): { seconds: number | null; text: string } {
  const [, stamp, text = line] = /^\[ *(\d+\.\d+)\] (.*)$/.exec(line) ?? [];
  return { seconds: stamp === undefined ? null : Number(stamp), text };
}
