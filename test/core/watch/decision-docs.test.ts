/**
 * docs/architecture.md shows the tables that decide. They are made from the code: `UPDATE_DOCS=1 npx vitest run` of this
 * file writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UNTIL } from '../../../src/core/watch/case/doubt.js';
import { DOUBTS } from '../../../src/core/watch/case/doubts.js';
import { OVERLAY } from '../../../src/core/watch/case/overlay.js';
import { NEXT } from '../../../src/core/watch/case/stage.js';

const path = new URL('../../../docs/architecture.md', import.meta.url);
const row = (...cells: string[]) => `| ${cells.join(' | ')} |`;
const table = (head: string[], rows: string[][]) =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');

const MADE: Record<string, string> = {
  stages: table(
    ['stage', 'next'],
    Object.entries(NEXT).map(([stage, next]) => [stage, next.join(', ') || 'the end']),
  ),
  doubts: table(
    ['row', 'if', 'then', 'looked at again'],
    DOUBTS.map(({ id, if: condition, doubt }) => {
      if (doubt === null) return [id, condition, 'it is filed', ''];
      const then = doubt.class === undefined ? 'no incident' : `no incident: \`${doubt.class}\``;
      return [id, condition, doubt.slow ? `${then}, stays suspect` : then, UNTIL[doubt.until].words];
    }),
  ),
  overlay: table(
    ['row', 'if', 'the verdict becomes'],
    OVERLAY.map(({ id, if: condition, makes }) => [id, condition, makes]),
  ),
};

describe('docs/architecture.md shows the table of', () => {
  it.each(Object.entries(MADE))('%s', (name, made) => {
    const text = readFileSync(path, 'utf8');
    const section = new RegExp(`(<!-- made from the code: ${name} -->\n)[^]*?(<!-- end -->)`);
    expect(text).toMatch(section);
    const now = text.replace(section, `$1\n${made}\n\n$2`);
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(path, now);
    else expect(now).toBe(text);
  });
});
