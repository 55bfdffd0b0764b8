/**
 * What it costs to find one's way in a checkout: circles, fields, sizes, dependencies, and the walk of one journal entry
 * and one chord through the files of src. Nothing is built: the sources are compiled as they are loaded.
 *   node bench/structure.mjs [DIR] [--json]     default: this checkout
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { circles, fieldsOf, longestFunctions, longFiles, sourcesOf } from './structure/sources.mjs';
import { runtimeDependencies } from './structure/dependencies.mjs';
import { walks } from './structure/walks.mjs';

const args = process.argv.slice(2);
const json = args.includes('--json');
const directory = resolve(args.find((arg) => !arg.startsWith('--')) ?? `${import.meta.dirname}/..`);

const sources = sourcesOf(directory);
const measured = {
  files: sources.length,
  lines: sources.reduce((sum, { lines }) => sum + lines, 0),
  circles: circles(sources),
  circlesAtRunTime: circles(sources, { types: false }),
  fields: ['Case', 'GuestState'].map((name) => fieldsOf(directory, sources, name)),
  longestFunctions: longestFunctions(sources).slice(0, 3),
  longFiles: longFiles(sources, 250),
  dependencies: runtimeDependencies(directory),
  walks: await walks(directory),
};

const row = (what, count, detail = '') => `${what.padEnd(44)}${String(count).padStart(6)}  ${detail}`;
const circleRows = (what, found) => [
  row(what, found.length),
  ...found.map((files) => row('', files.length, files.join(' '))),
];

function fieldRows({ type, file, kind, direct, nullable, nested, below }) {
  if (file === null) return [row(`fields of ${type}`, '-', 'no such type')];
  return [
    row(`fields of ${type}`, direct, `${file}, ${kind}; ${nullable} of them nullable`),
    row('  in object literals below', nested),
    row('  in types of the same folder below', below),
  ];
}

function walkRows({ what, problem, files, rooms, functions }) {
  if (problem !== null) return [row(`walk of ${what}`, '-', problem)];
  return [
    row(`walk of ${what}: files`, files.length, files.join(' ')),
    row('  room changes', rooms, 'the next function entered is in another file'),
    row('  functions entered', functions),
  ];
}

const { direct, all } = measured.dependencies;
const table = [
  row('files of src', measured.files, `${measured.lines} lines`),
  ...circleRows('circles, type imports count', measured.circles),
  ...circleRows('circles at run time', measured.circlesAtRunTime),
  ...measured.fields.flatMap(fieldRows),
  ...measured.longestFunctions.map(({ name, lines }, n) =>
    row(n === 0 ? 'longest functions' : '', lines, name),
  ),
  row('files over 250 lines', measured.longFiles.length),
  ...measured.longFiles.map(({ file, lines }) => row('', lines, file)),
  row('runtime dependencies, direct', direct.length, direct.join(' ')),
  row('runtime dependencies, all', all.length),
  ...measured.walks.flatMap(walkRows),
];
process.stdout.write(json ? `${JSON.stringify(measured, null, 2)}\n` : `${table.join('\n')}\n`);
