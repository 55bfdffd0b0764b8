/** The dumps that a user may ask for by their keys, and why every other key is refused. Source: drivers/tty/sysrq.c. */
import type { DumpSysrqKey } from '../model.js';
import { printable } from '../printable.js';
import type { DumpName } from './series.js';

const DUMP_KEYS: Readonly<Record<DumpSysrqKey, string>> = {
  w: 'blocked tasks',
  t: 'all tasks',
  l: 'backtraces of all active CPUs',
  m: 'memory',
  p: 'registers of the CPU that serves the keyboard',
  d: 'locks held, where the kernel has LOCKDEP',
  q: 'timers',
};

const REFUSED: Readonly<Record<string, string>> = {
  b: 'reboots the guest',
  c: 'crashes the guest',
  e: 'ends all its processes',
  f: 'kills a process to free memory',
  g: 'enters its kernel debugger',
  h: 'is pressed by wedgewatch itself behind each dump',
  i: 'kills all its processes',
  j: 'thaws its filesystems',
  k: 'kills all programs of a console',
  n: 'takes real-time priority from its tasks',
  o: 'powers the guest off',
  r: 'takes the keyboard from its programs',
  s: 'writes to its disks',
  u: 'remounts its filesystems read-only',
  v: 'changes its framebuffer',
  z: 'empties its ftrace buffer',
};

/** More would keep a guest printing for minutes. */
const MAX_KEYS = 12;

type ParsedKeys = { ok: true; keys: DumpSysrqKey[] } | { ok: false; problem: string };

const isDumpKey = (letter: string): letter is DumpSysrqKey => Object.hasOwn(DUMP_KEYS, letter);

/** Reads letters such as `wtl`, whose order is kept. A problem names the first bad one, and why it is refused. */
export function parseKeys(text: string): ParsedKeys {
  const allowed = Object.entries(DUMP_KEYS).map(([key, shows]) => `${key} (${shows})`);
  const problem = (what: string): ParsedKeys => ({
    ok: false,
    problem: `${what}; allowed: ${allowed.join(', ')}`,
  });
  const letters = Array.from(text);
  const bad = letters.find((letter) => !isDumpKey(letter));
  if (bad !== undefined) return problem(`key ${printable(bad, 8)} is refused: ${reason(bad)}`);
  if (letters.length === 0) return problem('no key given');
  if (letters.length > MAX_KEYS) return problem(`${letters.length} keys; the limit is ${MAX_KEYS}`);
  return { ok: true, keys: letters.filter(isDumpKey) };
}

function reason(letter: string): string {
  if (/^\d$/.test(letter)) return 'wedgewatch itself raises the loglevel, and restores it';
  if (/^[A-Z]$/.test(letter)) return 'keys are lower-case letters';
  return REFUSED[letter] ?? 'it asks for no dump';
}

/** Names the dumps of these keys: w is always numbered, others from the second on. */
export function dumpNames(keys: readonly DumpSysrqKey[]): DumpName[] {
  return keys.map((key, index) => {
    const nth = keys.slice(0, index + 1).filter((other) => other === key).length;
    return key === 'w' || nth > 1 ? (`sysrq-${key}.${nth}` as const) : (`sysrq-${key}` as const);
  });
}
