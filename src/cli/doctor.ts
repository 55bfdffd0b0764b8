/** `doctor`: proves the path from journal to keyboard, and names each exact fix. */
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import type { Check } from '../daemon/check.js';
import { checkGuest } from '../daemon/guest-checks.js';
import { checkHost } from '../daemon/host-checks.js';
import { knownGuests, noGuest } from '../daemon/known-guests.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { styled, type Style } from './print.js';

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
      for (const { result, what, detail, fix } of checks) {
        if (quiet && result === 'ok') continue;
        const { mark, style } = MARKS[result];
        terminal.out(`${styled(terminal, style, mark)}  ${printable(`${what}: ${detail}`, 400)}\n`);
        if (fix !== null) terminal.out(`       fix: ${printable(fix, 400)}\n`);
      }
    }
    if (vm !== undefined && vms.length === 0) {
      terminal.err(`wedgewatch: ${printable(noGuest(vm, all), 400)}\n`);
      return EXIT.noMatch;
    }
    return checks.some(({ result }) => result === 'fault') ? EXIT.environment : EXIT.ok;
  });
}
