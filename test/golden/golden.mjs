/**
 * Golden logs: consoles of real guests, each with a head that ends in an empty line. It says how the log was made
 * (`# …`), what the server of its share did (`STORE: stopped`), and what is expected of the analysis (`TITLE: …`), which
 * golden.test.ts compares and writes. Whoever reads a golden log as a console reads it here, without its head.
 */
/* global URL */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = new URL('./', import.meta.url);

export const goldenPath = (name) => fileURLToPath(new URL(`${name}.log`, directory));

/** All there are, in the order of their names. */
export const goldenNames = () =>
  readdirSync(directory)
    .flatMap((file) => (file.endsWith('.log') ? [file.slice(0, -'.log'.length)] : []))
    .sort();

/** The head's lines about its making, the state of its share's server, and the console's bytes. */
export function readGolden(name) {
  const bytes = readFileSync(goldenPath(name));
  const end = bytes.indexOf('\n\n');
  const head = bytes.subarray(0, end).toString().split('\n');
  const making = head.filter((line) => line.startsWith('# '));
  const stray = head.find((line) => !/^(?:# |[A-Z]+: )\S/.test(line));
  if (end < 0 || making.length === 0 || stray !== undefined)
    throw new Error(
      `${name}.log must begin with lines like "# …" and "TITLE: …", and an empty line; not: ${stray}`,
    );
  return { making, storeStopped: head.includes('STORE: stopped'), log: bytes.subarray(end + 2) };
}

/** A golden log as it is before anything is expected of it, or with what is. */
export const goldenText = ({ making, storeStopped, expected = [], log }) =>
  [...making, `STORE: ${storeStopped ? 'stopped' : 'runs'}`, ...expected, '', log].join('\n');
