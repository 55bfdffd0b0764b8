/** Whatever a guest, or an archive that somebody else wrote, puts into an incident: no output obeys it. */
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { showDiff } from '../../src/cli/diff.js';
import { exportIncident } from '../../src/cli/export.js';
import { showStacks } from '../../src/cli/stacks.js';
import type { Incident } from '../../src/core/report/incident.js';
import { renderReport } from '../../src/core/report/html.js';
import { SCRIPT } from '../../src/core/report/html-script.js';
import { renderIndex } from '../../src/core/report/index-html.js';
import { incidentRow, inOrder } from '../../src/core/report/row.js';
import { renderVerdict } from '../../src/core/report/text.js';
import { makeLog } from '../../src/io/log.js';
import { incident } from '../fixtures/archive-sample.js';
import { list, put, run, show } from '../support/archive.js';
import { scriptsOf } from '../support/scripts.js';
import { temporaryDirectory } from '../support/temporary.js';

const FRAGMENTS = [
  ...['\u001b]0;owned\u0007', '\u001b[2J', '\u009b31m', '\u0000', '\b', '\r', '\n', '\t', '\u007f', '\u0085'],
  ...['\u061c', '\u200b', '\u200e', '\u2028', '\u2029', '\u202e', '\u2066', '\u2069', '\ufeff', '\u00ad'],
  ...['\ud800', '\udc00', '\ud83d', '\u{e0041}', '\u{e007f}', '\ufe0f', '\uffff', '\u3164', '\u{1f600}'],
  ...[
    '`',
    '```',
    '~~~',
    '|',
    '\\',
    '<',
    '>',
    '&',
    '"',
    "'",
    '*',
    '_',
    '[',
    ']',
    '(',
    ')',
    '!',
    '#',
    ' ',
    '-',
  ],
  ...['@octocat', '&#64;octocat', 'GH-3', '#12', 'owner/repo#1', 'https://example.org', 'www.example.org'],
  ...['x@example.org', '0123456789abcdef0123456789abcdef01234567', '</pre><script>', '</details>', '<!--'],
  ...[']]>', '&lt;', '<img src=x onerror=y>', 'a', 'task', '9'],
];
/** By itself, so that a gap in the table of core/ is a gap here and not in the test as well. */
const OBEYED =
  // eslint-disable-next-line no-control-regex -- their absence is the point
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\ufffe\uffff]|[\ufe00-\ufe0f]|\p{Cs}|[\u{e0000}-\u{e0fff}]/u;

const hostile = fc
  .array(fc.constantFrom(...FRAGMENTS), { minLength: 1, maxLength: 12 })
  .map((of) => of.join(''));

/** Hostile text wherever an incident holds text that a guest, its name or its host's processes choose. */
function incidentOf(text: string): Incident {
  const base = incident();
  const [dump] = base.dumps;
  const tasks = dump!.tasks.map((task) => ({
    ...task,
    comm: text,
    frames: [{ symbol: text, offset: 1, size: 2, module: text, reliable: true }, ...task.frames],
  }));
  return incident({
    ...{ unit: text, why: [text], awaiting: text, note: text, armed: text, kernel: text },
    lastProgress: { at: text, text },
    test: { at: text, text },
    fingerprint: text,
    evidence: {
      complete: false,
      incompleteBecause: [text],
      dumps: [{ ...base.evidence.dumps[0]!, name: text, endedBy: 'silence' }],
    },
    capture: [{ rung: 'send-key', outcome: 'worked', detail: text }],
    verdict: {
      ...base.verdict,
      ...{ title: text, frame: text, reasons: [text, text], inferred: [text] },
      culprit: { comm: text, pid: 441, state: text, frame: text },
    },
    dumps: [{ ...dump!, tasks }],
    groups: [{ count: 1, state: text, frames: [text], pids: [441], comms: [text], idle: false }],
    waits: [{ waiter: text, owner: text, through: text, confidence: 'low' }],
  });
}

/** All text of a Markdown document outside of its code spans and fenced blocks (CommonMark 4.5 and 6.1). */
function outsideOfCode(markdown: string): string {
  let fence: string | null = null;
  const prose: string[] = [];
  for (const line of markdown.split('\n')) {
    const [, ticks] = /^(`{3,})[^`]*$/.exec(line) ?? [];
    if (fence !== null) {
      if (ticks !== undefined && line.trim() === ticks && ticks.length >= fence.length) fence = null;
    } else if (ticks !== undefined) fence = ticks;
    else prose.push(line.replace(/(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)/g, ''));
  }
  expect(fence).toBeNull();
  return prose.join('\n');
}

const OWN_WORDS =
  /^(?:### |- (?:Guest|Test|Kernel|Captured|Class|Evidence|Fingerprint): |- |\*\*(?:Why this verdict|Who waits for whom)\*\*|<details><summary>Stacks<\/summary>|<\/details>|)$/;

it('writes no output that a terminal, a browser or GitHub obeys', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      const root = await temporaryDirectory();
      const hostileOne = { ...incidentOf(text), vm: text };
      const directory = await put(root, 0, 'aa000001');
      // As somebody else may have written it: nothing is escaped yet.
      const file = join(directory, 'incident.json');
      await writeFile(file, JSON.stringify(hostileOne));
      await put(root, 1, 'bb000001');
      const exported = (options: Parameters<typeof exportIncident>[2]) =>
        run((terminal) => exportIncident(root, 'aa', options, terminal, new PassThrough()));
      const issue = await exported({ github: true });
      const said = [
        await list(root),
        await show(root, 'aa'),
        await run((terminal) => showStacks(root, 'aa', { all: true }, terminal)),
        await run((terminal) => showDiff(root, ['aa', 'bb'], { all: true }, terminal)),
        await exported({ mail: true }),
        await exported({ junit: true }),
        issue,
      ];
      const json = [
        await list(root, { json: true }),
        await show(root, 'aa', true),
        await run((terminal) => showStacks(root, 'aa', { all: true, json: true }, terminal)),
        await run((terminal) => showDiff(root, ['aa', 'bb'], { all: true, json: true }, terminal)),
        await exported({ speedscope: true }),
        await exported({ json: true }),
      ];
      for (const { out, err } of [...said, ...json]) expect(out + err).not.toMatch(OBEYED);
      for (const { out } of json) expect(() => void JSON.parse(out)).not.toThrow();
      const read = JSON.parse(json[1]!.out) as Incident;
      expect(read.verdict.title).toBe(text);
      for (const line of outsideOfCode(issue.out).split('\n')) expect(line).toMatch(OWN_WORDS);
    }),
    { numRuns: 30 },
  );
}, 60_000);

it('writes no report, verdict or line of the log that does', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const one = { ...incidentOf(text), vm: text };
      const moments = [{ at: '2026-09-18T10:14:55.000Z', text }];
      const dumps = [{ file: 'sysrq-t.txt', bytes: 9, text }];
      const marks = [{ at: '2026-09-18T10:14:50.000Z', lane: 'dumps' as const, text, good: true }];
      const html = renderReport({
        incident: one,
        moments,
        marks,
        dumps,
        console: text,
        files: ['console.raw'],
      });
      expect(
        renderIndex(
          inOrder([incidentRow(one.id, { ok: true, incident: one }, null)], (id) => id),
          text,
        ),
      ).not.toMatch(OBEYED);
      expect(html).not.toMatch(OBEYED);
      expect(scriptsOf(html)).toEqual([SCRIPT]);
      expect(html).not.toContain('<img');
      expect(renderVerdict(one, ['console.raw'], { directory: '/archive', seen: text })).not.toMatch(OBEYED);
      expect(logged(text)).not.toMatch(OBEYED);
    }),
    { numRuns: 60 },
  );
});

function logged(text: string): string {
  let written = '';
  const spy = vi
    .spyOn(process.stderr, 'write')
    .mockImplementation((line) => (written += String(line)) !== '');
  makeLog({ env: {} })('warning', text);
  spy.mockRestore();
  return written;
}
