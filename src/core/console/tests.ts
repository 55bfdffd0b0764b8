/** Which test a guest runs: test suites write a line to the kernel's log as each test begins. */
import { stripPrintk } from './printk.js';

const STARTS: readonly RegExp[] = [
  // common/rc of fstests and check of blktests; kselftest's runner.sh; LTP's ltp-pan
  /^run fstests (\S{1,80}) at /,
  /^run blktests (\S{1,80})/,
  /^kselftest: Running tests in (\S{1,80})/,
  /^# selftests: (\S{1,60}: \S{1,80})/,
  /^LTP: starting (\S{1,80})/,
];
const MAYBE = /^(?:run |kselftest: |# selftests: |LTP: )/;
const NAME_MAX = 100;

const compiled = new Map<string, RegExp>();

function configured(pattern: string): RegExp {
  const known = compiled.get(pattern) ?? new RegExp(pattern);
  compiled.set(pattern, known);
  return known;
}

/**
 * The test that begins with this line, or null. `pattern`: a further expression; its first group, or else all that
 * it matches, is the name.
 */
export function startedTest(line: string, pattern: string | null = null): string | null {
  const { text } = stripPrintk(line);
  if (pattern !== null) {
    const found = configured(pattern).exec(text);
    const name = found?.[1] ?? found?.[0] ?? '';
    if (name !== '') return name.slice(0, NAME_MAX);
  }
  if (!MAYBE.test(text)) return null;
  for (const start of STARTS) {
    const name = start.exec(text)?.[1];
    if (name !== undefined) return name;
  }
  return null;
}
