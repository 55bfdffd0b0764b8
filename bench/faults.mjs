/**
 * Shows that each row of docs/reliability.md is seen by its tests: puts faults of one line into a copy of this checkout, one at
 * a time, runs the test of each, and expects it to fail. Before, all of them have to pass.
 *   node bench/faults.mjs [ROW…] [--pure] [--host] [--world]
 * Default: all rows, by the tests of the projects pure and host; those of world boot guests. Ends with 1 if a fault went unseen.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createVitest } from 'vitest/node';
import { patternOf, projectOf, ROWS } from './faults/table.mjs';

const HERE = resolve(import.meta.dirname, '..');

const args = process.argv.slice(2);
const asked = ['pure', 'host', 'world'].filter((project) => args.includes(`--${project}`));
const projects = asked.length === 0 ? ['pure', 'host'] : asked;
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((id) => ROWS.every((row) => row.id !== id));
if (unknown.length > 0) {
  const rows = ROWS.map(({ id }) => id).join(', ');
  process.stderr.write(`no such row: ${unknown.join(', ')}; there are: ${rows}\n`);
  process.exit(2);
}
const rows = ROWS.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
const faults = rows.flatMap(({ id, shown }) => shown.map((fault) => ({ id, ...fault })));

const copy = mkdtempSync(join(tmpdir(), 'wedgewatch-faults-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
for (const file of execFileSync('git', listed, { cwd: HERE, encoding: 'utf8' }).split('\0'))
  if (file !== '' && file !== 'node_modules') cpSync(join(HERE, file), join(copy, file));
symlinkSync(realpathSync(join(HERE, 'node_modules')), join(copy, 'node_modules'));
process.chdir(copy);

/** One for all faults of a project: what does not change is compiled once. A reporter would hide the table. */
const runnerOf = (project) =>
  createVitest('test', { root: copy, watch: false, isolate: true, project: [project], reporters: [{}] });

/** Runs tests of these faults; returns what came of those of one: how many failed, and how many passed. */
async function run(vitest, some) {
  if (projectOf(some[0].test) === 'world') execFileSync('npm', ['run', '-s', 'build'], { cwd: copy });
  vitest.setGlobalTestNamePattern(new RegExp(some.map(patternOf).join('|')));
  const files = [...new Set(some.map(({ test }) => test))];
  const { testModules } = await vitest.runTestSpecifications(await vitest.globTestSpecifications(files));
  return ({ test, ...fault }) => {
    // Modules of earlier runs are among them.
    const modules = testModules.filter(({ moduleId }) => moduleId === join(copy, test));
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const its = tests.filter((one) => new RegExp(patternOf(fault)).test(one.fullName.replaceAll(' > ', ' ')));
    const count = (state) => its.filter((one) => one.result().state === state).length;
    return { failed: count('failed'), passed: count('passed') };
  };
}

async function outcomeOf(vitest, fault, before) {
  const { failed, passed } = before(fault);
  if (failed > 0 || passed === 0) return 'NOT GREEN WITHOUT IT';
  const path = join(copy, fault.file);
  const text = readFileSync(path, 'utf8');
  if (text.split(fault.from).length !== 2) return 'TEXT NOT FOUND ONCE';
  const put = (changed) => {
    writeFileSync(path, changed);
    vitest.invalidateFile(path);
  };
  put(text.replace(fault.from, () => fault.to));
  try {
    const after = await run(vitest, [fault]);
    return after(fault).failed > 0 ? 'red' : 'STAYED GREEN';
  } finally {
    put(text);
  }
}

let unseen = 0;
for (const project of ['pure', 'host', 'world']) {
  const its = faults.filter(({ test }) => projectOf(test) === project);
  if (its.length === 0) continue;
  const tell = (fault, outcome) =>
    process.stdout.write(
      `${fault.id.padEnd(20)}${outcome.padEnd(22)}${fault.file}  ${fault.only ?? fault.name}\n`,
    );
  if (!projects.includes(project)) {
    for (const fault of its) tell(fault, `not run: --${project}`);
    continue;
  }
  const vitest = await runnerOf(project);
  const before = await run(vitest, its);
  for (const fault of its) {
    const outcome = await outcomeOf(vitest, fault, before);
    if (outcome !== 'red') unseen += 1;
    tell(fault, outcome);
  }
  await vitest.close();
}
process.exit(unseen === 0 ? 0 : 1);
