/**
 * docs/reliability.md is made from bench/faults/table.mjs (`UPDATE_DOCS=1 npx vitest run` of this file writes it anew), and
 * that names tests and lines that exist: neither can rot. That the tests see the faults, `node bench/faults.mjs` shows.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROWS } from '../../bench/faults/table.mjs';
import { titlesIn } from '../support/titles.js';

const DOCUMENT = 'docs/reliability.md';
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const tests = (shown: (typeof ROWS)[number]['shown']) =>
  [...new Set(shown.map(({ test, name, only }) => `\`${test}\`: ${only ?? name}`))].join('<br>');
const made = [
  '| row | fault | what must happen | shown by |',
  '| --- | --- | --- | --- |',
  ...ROWS.map(
    ({ id, fault, must, shown }) => `| ${id} | ${cell(fault)} | ${cell(must)} | ${cell(tests(shown))} |`,
  ),
].join('\n');

describe(DOCUMENT, () => {
  it('is the table', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const section = /(<!-- made from the table -->\n)[^]*?(<!-- end -->)/;
    expect(text).toMatch(section);
    const now = text.replace(section, (_, begin: string, end: string) => `${begin}\n${made}\n\n${end}`);
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(DOCUMENT, now);
    else expect(now).toBe(text);
  });

  it('has no row twice', () => {
    const ids = ROWS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(ROWS)('$id', ({ shown }) => {
  it('has a test that must see a fault', () => {
    expect(shown.length).toBeGreaterThan(0);
  });

  it.each(shown)('$test: $name', ({ test, name, only, file, from, to }) => {
    expect(existsSync(test), test).toBe(true);
    const text = readFileSync(test, 'utf8');
    expect([...titlesIn(text)]).toContain(name);
    expect(readFileSync(file, 'utf8').split(from).length - 1, `${from} in ${file}`).toBe(1);
    expect(to).not.toBe(from);
    // A case of a table has its words somewhere in the file.
    const words = only?.split(' ').filter((word) => !name.includes(word)) ?? [];
    for (const word of words) expect(text).toContain(word);
  });
});
