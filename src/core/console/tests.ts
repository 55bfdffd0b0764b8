/** Which test a guest runs: test suites write a line to the kernel's log as each test begins. */
import { RE2JS } from 're2js';
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

/** Of a line longer than this the rest is not searched. */
const LINE_MAX = 1_000;

const compiled = new Map<string, RE2JS>();

/** The guest writes the text and the owner the expression: RE2 matches any two in linear time. */
function named(pattern: string, text: string): string {
  const expression = compiled.get(pattern) ?? RE2JS.compile(pattern);
  compiled.set(pattern, expression);
  const found = expression.matcher(text.slice(0, LINE_MAX));
  if (!found.find()) return '';
  return (found.groupCount() > 0 ? found.group(1) : null) ?? found.group() ?? '';
}

/**
 * The test that begins with this line, or null. `pattern`: a further expression of RE2; its first group, or else all
 * that it matches, is the name.
 */
export function startedTest(line: string, pattern: string | null = null): string | null {
  const { text } = stripPrintk(line);
  if (pattern !== null) {
    const name = named(pattern, text);
    if (name !== '') return name.slice(0, NAME_MAX);
  }
  if (!MAYBE.test(text)) return null;
  for (const start of STARTS) {
    const name = start.exec(text)?.[1];
    if (name !== undefined) return name;
  }
  return null;
}
