/**
 * Shows that each row of docs/reliability.md is seen by its test: puts a fault of one line into a copy of this checkout, runs
 * that test, and expects it to fail.
 *   node bench/faults.mjs [ROW…] [--world]     default: all rows; tests that boot guests only with --world
 * Ends with 1 if a fault went unseen.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { patternOf, projectOf, ROWS } from './faults/table.mjs';

const HERE = resolve(import.meta.dirname, '..');
const DEADLINE_MS = 240_000;

const args = process.argv.slice(2);
const withWorld = args.includes('--world');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((id) => ROWS.every((row) => row.id !== id));
if (unknown.length > 0) {
  const rows = ROWS.map(({ id }) => id).join(', ');
  process.stderr.write(`no such row: ${unknown.join(', ')}; there are: ${rows}\n`);
  process.exit(2);
}

const faults = ROWS.filter(({ id }) => wanted.length === 0 || wanted.includes(id)).flatMap(({ id, shown }) =>
  shown.map((fault) => ({ id, ...fault })),
);

const copy = mkdtempSync(join(tmpdir(), 'wedgewatch-faults-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
for (const file of execFileSync('git', listed, { cwd: HERE, encoding: 'utf8' }).split('\0'))
  if (file !== '' && file !== 'node_modules') cpSync(join(HERE, file), join(copy, file));
symlinkSync(realpathSync(join(HERE, 'node_modules')), join(copy, 'node_modules'));

/** What the tests of that name came to: `failed` and `passed` are numbers, null where the run did not end. */
function run({ test, name }) {
  const project = projectOf(test);
  if (project === 'world') execFileSync('npm', ['run', '-s', 'build'], { cwd: copy });
  const report = join(copy, 'faults.json');
  rmSync(report, { force: true });
  const vitest = ['vitest', 'run', '--project', project, test, '-t', patternOf(name)];
  return new Promise((done) => {
    execFile(
      'npx',
      [...vitest, '--reporter=json', `--outputFile=${report}`],
      { cwd: copy, timeout: DEADLINE_MS, maxBuffer: 64 << 20 },
      () => {
        try {
          const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
          const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
          const count = (status) => tests.filter((one) => one.status === status).length;
          done({ failed: count('failed'), passed: count('passed') });
        } catch {
          done(null);
        }
      },
    );
  });
}

/** Tests that fail by themselves show nothing. */
const healthy = new Map();
function isGreen(fault) {
  const key = `${fault.test} ${fault.name}`;
  if (!healthy.has(key))
    healthy.set(
      key,
      run(fault).then((came) => came !== null && came.failed === 0 && came.passed > 0),
    );
  return healthy.get(key);
}

async function outcomeOf(fault) {
  if (projectOf(fault.test) === 'world' && !withWorld) return 'not run: needs --world';
  const path = join(copy, fault.file);
  const text = readFileSync(path, 'utf8');
  if (text.split(fault.from).length !== 2) return 'TEXT NOT FOUND ONCE';
  if (!(await isGreen(fault))) return 'NOT GREEN WITHOUT IT';
  writeFileSync(
    path,
    text.replace(fault.from, () => fault.to),
  );
  try {
    const came = await run(fault);
    if (came === null) return 'NO RESULT';
    return came.failed > 0 ? 'red' : 'STAYED GREEN';
  } finally {
    writeFileSync(path, text);
  }
}

let unseen = 0;
for (const fault of faults) {
  const began = Date.now();
  const outcome = await outcomeOf(fault);
  if (outcome === outcome.toUpperCase()) unseen += 1;
  const seconds = `${Math.round((Date.now() - began) / 1000)} s`;
  process.stdout.write(
    `${fault.id.padEnd(22)}${outcome.padEnd(24)}${seconds.padStart(5)}  ${fault.file}  ${fault.name}\n`,
  );
}
process.exitCode = unseen === 0 ? 0 : 1;
