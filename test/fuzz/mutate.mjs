/** Makes hostile inputs out of good ones. Input N of a seed is always the same bytes. */
import { Buffer } from 'node:buffer';

/** Pieces that mean something to the parser of dumps, to be put where they do not belong. */
export const LOG_WORDS = [
  '\n', '\r', '\0', '\u001b[K', '\n[   12.345678] ', '[   12.345678][  T123] ', '> ', '<6>', '<TASK>\n', '</TASK>\n',
  '<IRQ>', '<<EOE>> ', 'Call Trace:\n', 'sysrq: Show State\n', 'sysrq: Show Blocked State\n', 'sysrq: HELP : \n',
  'sysrq: Loglevel set to 8\n', 'task:', ' state:D ', 'stack:0 pid:7 ppid:2 flags:0x0\n', 'kworker/0:3     D\n',
  '    0     7      2 0x00000000\n', ' schedule+0x1/0x2', ' from ', '[<ffffffff81066807>] ', '? ',
  'INFO: task a:7 blocked for more than 120 seconds.\n', ' is blocked on a mutex likely owned by task a:7\n',
  'Showing all locks held in the system:\n', '2 locks held by a/7:\n', ' #0: ffff8881 (x){+.+.}, at: y+0x1/0x2\n',
  'Showing busy workqueues and worker pools:\n', 'workqueue events: flags=0x0\n', '  pwq 2: cpus=0\n',
  '    in-flight: 7:f BAR(8), 9:g\n', 'Sched Debug Version: v0.11\n', ' S  a  7  1.000000\n',
  'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n', 'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:7]\n',
  'NMI backtrace for cpu 1\n', 'CPU: 1 PID: 7 Comm: a Not tainted\n', 'RIP: 0010:f+0x1/0x2\n', 'Oops: 0000 [#1]\n',
  'Kernel panic - not syncing: x\n', 'Linux version 6.1.0\n', '** 7 printk messages dropped **\n', '(', ')', '0-4095', '99999999999',
]; // prettier-ignore

const MOST = 16 * 1024;

/** A small generator of numbers (mulberry32): below(n) gives 0 to n - 1. */
export function numbers(seed, index) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { below: (limit) => next() % Math.max(1, limit) };
}

/** Some records of a text, often few; one in a thousand is a whole text. */
function slice({ texts, end }, { below }) {
  const text = texts[below(texts.length)];
  if (below(1000) === 0) return text;
  const before = text.lastIndexOf(end, below(text.length));
  const from = before < 0 ? 0 : before + end.length;
  const wanted = from + 100 + below(below(20) === 0 ? MOST : 1000);
  const last = text.indexOf(end, wanted);
  return text.subarray(from, last < 0 ? text.length : last + end.length);
}

const replace = (bytes, from, to, middle) =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);

const EDITS = [
  function flipBits(bytes, { below }) {
    const copy = Buffer.from(bytes);
    for (let left = 1 + below(8); left > 0; left -= 1) copy[below(copy.length)] ^= 1 << below(8);
    return copy;
  },
  function cut(bytes, { below }) {
    const from = below(bytes.length);
    return replace(bytes, from, from + below(below(3) === 0 ? bytes.length : 80), Buffer.alloc(0));
  },
  function cutEnd(bytes, { below }) {
    return bytes.subarray(0, below(bytes.length));
  },
  function splice(bytes, random, material) {
    const at = random.below(bytes.length);
    return replace(
      bytes,
      at,
      at + random.below(200),
      slice(material, random).subarray(0, random.below(1000)),
    );
  },
  function word(bytes, { below }, { words }) {
    const at = below(bytes.length);
    return replace(bytes, at, at + below(4), Buffer.from(words[below(words.length)]));
  },
  function repeat(bytes, { below }) {
    const from = below(bytes.length);
    const part = bytes.subarray(from, from + 1 + below(200));
    return replace(bytes, from, from, Buffer.concat(Array(1 + below(below(20) === 0 ? 200 : 8)).fill(part)));
  },
  function noise(bytes, { below }) {
    const at = below(bytes.length);
    return replace(bytes, at, at, Buffer.from(Array.from({ length: 1 + below(60) }, () => below(256))));
  },
];

/**
 * Input number `index` of a seed. The material: `texts`, the `end` of a record in them, `words`, and a `reshape` of what
 * was taken, before it is mutated.
 */
export function mutated(material, seed, index) {
  const random = numbers(seed, index);
  const taken = slice(material, random);
  let bytes = material.reshape === undefined ? taken : material.reshape(taken, random);
  for (let left = 1 + random.below(6); left > 0 && bytes.length > 0; left -= 1)
    bytes = EDITS[random.below(EDITS.length)](bytes, random, material);
  return bytes.subarray(0, 8 * MOST);
}
