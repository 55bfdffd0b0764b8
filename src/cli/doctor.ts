/** `doctor`: proves the path from journal to keyboard, and names each exact fix. */
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import type { Check } from '../daemon/check.js';
import { checkGuest } from '../daemon/guest-checks.js';
import { checkHost } from '../daemon/host-checks.js';
import { knownGuests, noGuest } from '../daemon/known-guests.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { folded, styled, type Style, type Terminal } from './print.js';

const MARKS: Record<Check['result'], { mark: string; style: Style }> = {
  ok: { mark: 'ok   ', style: 'green' },
  warning: { mark: 'warn ', style: 'yellow' },
  fault: { mark: 'FAULT', style: 'red' },
};

/** Prints each check. Returns 0, 3 for an unknown VM, 5 if at least one is a fault. */
export async function doctor(
  vm: string | undefined,
  options: { json?: boolean | undefined },
  globals: Globals,
): Promise<number> {
  const { terminal, quiet } = globals;
  return withConfig(globals, async (config) => {
    const all = await knownGuests(config);
    const vms = all.filter((name) => vm === undefined || name === vm);
    const checks = await checkHost(config, all);
    for (const name of vms) checks.push(...(await checkGuest(config, name)));
    if (options.json === true) terminal.out(`${safeJson(checks, 2)}\n`);
    else {
      for (const check of checks)
        if (!quiet || check.result !== 'ok') terminal.out(checkText(terminal, check));
    }
    if (vm !== undefined && vms.length === 0) {
      terminal.err(`wedgewatch: ${printable(noGuest(vm, all), 400)}\n`);
      return EXIT.noMatch;
    }
    return checks.some(({ result }) => result === 'fault') ? EXIT.environment : EXIT.ok;
  });
}

/** A check as people read it, with its fix below; in a terminal both are folded behind the mark. */
export function checkText(
  terminal: Pick<Terminal, 'columns' | 'colour'>,
  { result, what, detail, fix }: Check,
): string {
  const { mark, style } = MARKS[result];
  const indent = ' '.repeat(mark.length + 2);
  const behind = (text: string) => folded(terminal, indent + printable(text, 400));
  const said = behind(`${what}: ${detail}`).slice(mark.length);
  return `${styled(terminal, style, mark)}${said}\n${fix === null ? '' : `${behind(`fix: ${fix}`)}\n`}`;
}
