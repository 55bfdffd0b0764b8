/**
 * How often the verdict names the function that a human, or syzkaller's title, named. Needs `npm run build`.
 *   node bench/corpus.mjs DIR               DIR holds manifest.tsv: file, source, kernel, human verdict
 * Exits with 1 below 95 %, or if a log has no verdict; with 5 if DIR cannot be read.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { runAnalyze } from '../dist/cli/analyze.js';

const WANTED = 0.95;

function fail(sentence) {
  process.stderr.write(`corpus: ${sentence}\n`);
  process.exit(5);
}

/** The function a title ends in; null for `in corrupted`, for a guilty file, and for a sentence. */
function functionOf(human) {
  const [, name] = /^syzkaller title: .* in (?:sys_)?([A-Za-z_]\w*)$/.exec(human) ?? [];
  return name === undefined || name === 'corrupted' ? null : name;
}

/** Functions that a sentence mentions: `name()`, or words with an underscore. */
const mentioned = (human) =>
  human.startsWith('syzkaller ')
    ? []
    : [...new Set(human.match(/\b[A-Za-z]\w*(?:_\w+|(?=\(\)))/g) ?? [])].filter((name) => /[a-z]/.test(name));

function readManifest(dir) {
  const file = join(dir, 'manifest.tsv');
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    fail(`${file} cannot be read (${error.code}); DIR must hold one, with its logs beside it`);
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || index === 0) return [];
    const [name, , , human] = line.split('\t');
    if (human === undefined) fail(`${file}, line ${index + 1}: four columns separated by tabs are wanted`);
    return [{ name, human: human.trim() }];
  });
}

async function verdictOn(file) {
  let out = '';
  const keep = (text) => void (out += text);
  await runAnalyze(
    [file],
    { json: true },
    { in: process.stdin, out: keep, err: (text) => fail(text.trim()) },
  );
  return JSON.parse(out).verdict ?? null;
}

const dir = process.argv[2];
if (dir === undefined) fail('usage: npm run corpus -- DIR');
const rows = readManifest(dir);
const without = [];
const misses = [];
const narrative = [];
let agreed = 0;
for (const { name, human } of rows) {
  const verdict = await verdictOn(join(dir, name));
  const said = verdict === null ? 'no dump in it' : `[${verdict.class}] ${verdict.title}`;
  if (verdict === null || verdict.title === '') without.push(name);
  const wanted = functionOf(human);
  if (wanted === null) narrative.push({ name, human, said, named: mentioned(human), frame: verdict?.frame });
  else if (verdict?.frame?.replace(/^sys_/, '') === wanted) agreed += 1;
  else misses.push(`${name}: ${wanted}, not ${verdict?.frame ?? 'none'}\n    ${said}`);
}

const print = (text) => process.stdout.write(`${text}\n`);
const asked = agreed + misses.length;
for (const miss of misses) print(`MISS ${miss}`);
if (narrative.length > 0) print('Without a function to compare, for docs/verdicts.md:');
for (const { name, human, said, named, frame } of narrative) {
  const also = named.includes(frame) ? ' (named)' : '';
  print(`  ${name}: ${human}\n    ${said}${also}`);
}
print(
  `${rows.length} logs, ${without.length} without a verdict${without.length > 0 ? `: ${without.join(', ')}` : ''}`,
);
print(`agreement ${agreed} of ${asked}${asked > 0 ? ` (${((100 * agreed) / asked).toFixed(1)} %)` : ''}`);
process.exitCode = without.length > 0 || agreed < WANTED * asked ? 1 : 0;
