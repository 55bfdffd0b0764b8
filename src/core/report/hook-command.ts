/** The command of a hook, made for one incident. */

/** What stands for `%v`, `%u`, `%i` and `%d`. */
interface HookValues {
  vm: string;
  unit: string;
  id: string;
  directory: string;
}

type Filled = { ok: true; command: string[] } | { ok: false; problem: string };

/** Marks of VMs and units as systemd writes them: to no program an option, a pattern, a path or several words. */
const PLAIN = /^[A-Za-z0-9](?:[A-Za-z0-9:_.@-]|\\x[0-9a-f]{2})*$/;

/**
 * Puts the values in; `%%` is a percent sign. A name with other marks than systemd's own is put into no argument:
 * systemctl would take one of them for a pattern, a shell behind ssh for a command.
 */
export function hookCommand(words: readonly string[], values: HookValues): Filled {
  const given: Readonly<Record<string, string>> = {
    ...{ '%v': values.vm, '%u': values.unit, '%i': values.id, '%d': values.directory, '%%': '%' },
  };
  for (const mark of ['%v', '%u']) {
    const used = words.some((word) => marks(word).includes(mark));
    if (used && !PLAIN.test(given[mark] ?? '')) return { ok: false, problem: refusal(mark) };
  }
  return {
    ok: true,
    command: words.map((word) => word.replace(MARK, (mark) => given[mark] ?? mark)),
  };
}

const MARK = /%[vuid%]/g;

const marks = (word: string): string[] => word.match(MARK) ?? [];

const refusal = (mark: string): string =>
  `not run: for ${mark} stands a name that programs may take for a pattern or a command. Fix: read it from the JSON on standard input instead`;
