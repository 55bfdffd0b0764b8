/** Does to a log what people and programs do to it before they paste it. */
import { Buffer } from 'node:buffer';

const PREFIXES = [
  '> ', '> > ', '| ', '    ', '\t', '<6>', 'kern  :info  : ', 'Feb 28 07:45:55 host kernel: ', 'host kernel: ', 'lab1 | ', '[console] ',
  '2024-01-02T15:04:05.1234567Z ', '2024-01-02 15:04:05 ', '[  123.456789] ', '[Wed Feb 28 07:45:55 2024] ', '(XEN) ', '1234: ', '6,1234,92100000,-;',
]; // prettier-ignore

const RESHAPES = [
  function prefixed(lines, { below }) {
    const prefix = PREFIXES[below(PREFIXES.length)];
    return lines.map((line) => prefix + line);
  },
  /** Broken at a width, in the middle of a word or at blanks, and continued with a quote, an indent or nothing. */
  function wrapped(lines, { below }) {
    const width = 40 + below(81);
    const atBlanks = below(2) === 0;
    const rest = ['', '', '> ', '    '][below(4)];
    return lines.flatMap((line) => {
      const broken = [];
      let left = line;
      while (left.length > width) {
        const blank = atBlanks ? left.lastIndexOf(' ', width) : -1;
        const at = blank > rest.length ? blank : width;
        broken.push(left.slice(0, at));
        left = rest + left.slice(at === blank ? at + 1 : at);
      }
      return [...broken, left];
    });
  },
  function newestFirst(lines) {
    return lines.toReversed();
  },
  function stripped(lines) {
    return lines.map((line) => line.trim());
  },
  function spaced(lines) {
    return lines.flatMap((line) => [line, '']);
  },
  function withoutStamps(lines) {
    return lines.map((line) => line.replace(/^\[[^\]]*\] ?/, ''));
  },
];

/** The bytes after up to three of these. */
export function reshaped(bytes, random) {
  let lines = Buffer.from(bytes).toString('latin1').split('\n');
  for (let left = random.below(4); left > 0; left -= 1)
    lines = RESHAPES[random.below(RESHAPES.length)](lines, random);
  return Buffer.from(lines.join('\n'), 'latin1');
}
