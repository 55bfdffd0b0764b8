/** `doctor`: proves the path from journal to keyboard, and names each exact fix. */
import { printable } from '../core/printable.js';
import { checkGuest, checkHost, type Check } from '../daemon/checks.js';
import { scanGuests } from '../io/discover.js';
import { qmpDirectory } from '../io/places.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { styled, type Style } from './print.js';

const MARKS: Record<Check['result'], { mark: string; style: Style }> = {
  ok: { mark: 'ok   ', style: 'green' },
  warning: { mark: 'warn ', style: 'yellow' },
  fault: { mark: 'FAULT', style: 'red' },
};

/** Prints each check. Returns 0, 3 for an unknown VM, 5 where at least one is a fault. */
export async function doctor(
  vm: string | undefined,
  options: { json?: boolean | undefined },
  globals: Globals,
): Promise<number> {
  const { terminal, quiet } = globals;
  return withConfig(globals, async (config) => {
    const found = await scanGuests(config.discover.directory ?? qmpDirectory());
    const all = [...new Set([...config.guests.map(({ name }) => name), ...found])].sort();
    const vms = all.filter((name) => vm === undefined || name === vm);
    const checks = await checkHost(config);
    for (const name of vms) checks.push(...(await checkGuest(config, name)));
    if (options.json === true) terminal.out(`${JSON.stringify(checks, null, 2)}\n`);
    else {
      for (const { result, what, detail, fix } of checks) {
        if (quiet && result === 'ok') continue;
        const { mark, style } = MARKS[result];
        terminal.out(`${styled(terminal, style, mark)}  ${printable(`${what}: ${detail}`, 400)}\n`);
        if (fix !== null) terminal.out(`       fix: ${printable(fix, 400)}\n`);
      }
    }
    if (vm !== undefined && vms.length === 0) {
      terminal.err(
        `wedgewatch: no guest ${printable(vm, 100)}; ${all.length === 0 ? 'there are none' : `there are: ${all.join(', ')}`}\n`,
      );
      return EXIT.noMatch;
    }
    return checks.some(({ result }) => result === 'fault') ? EXIT.environment : EXIT.ok;
  });
}
