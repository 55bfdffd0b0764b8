/**
 * Makes a recording of a memory image. Needs `npm run build`.
 *   node test/golden-memory/record.mjs IMAGE.elf test/golden-memory/NAME.memory.br [REGISTERS]
 * REGISTERS: a file with `info registers -a` of that moment, for an image without QEMU's notes. Of the large tables (types,
 * symbols, unwind entries) stretches that change nothing in the result are left out: that is most of them.
 */
/* global URL */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { pack, RecordedRam, RecordingRam, unpack } from './recording.mjs';

const load = (module) => import(new URL(`../../dist/${module}.js`, import.meta.url));
const { openImage } = await load('io/memory/elf-file');
const { KnownGuest } = await load('core/memory/known-guest');
const { createBuilds } = await load('core/memory/builds');
const { parseRegisters } = await load('core/memory/registers');
const { openKernel } = await load('core/memory/kernel');

const [path, out, registersFile] = process.argv.slice(2);
const image = openImage(path);
if (!image.ok) throw new Error(image.why);
const registers =
  registersFile === undefined
    ? image.registers
    : parseRegisters(readFileSync(registersFile, 'latin1').replaceAll('\r', ''));

const result = (ram) => JSON.stringify(new KnownGuest(ram, createBuilds()).snapshot(registers, 0));

// The search for a note touches all of the memory: the recording has the note's own page alone.
const { noteAt } = openKernel(image.ram, { registers });
const recording = new RecordingRam(image.ram);
new KnownGuest(recording, createBuilds(), noteAt).snapshot(registers, 0);
const { pages, small } = recording;
const wanted = result(new RecordedRam(image.ram.ranges, pages));
if (wanted !== result(image.ram)) throw new Error('the touched pages give another result than the image');

const LEAST = 16;
const tables = [...pages.keys()].filter((page) => !small.has(page)).sort((a, b) => a - b);
function leaveOut(some) {
  if (some.length < LEAST) return;
  const taken = some.map((page) => [page, pages.get(page)]);
  for (const page of some) pages.delete(page);
  if (result(new RecordedRam(image.ram.ranges, pages)) === wanted) return;
  for (const [page, bytes] of taken) pages.set(page, bytes);
  const half = some.length >> 1;
  leaveOut(some.slice(0, half));
  leaveOut(some.slice(half));
}
const before = pages.size;
for (let at = 0; at < tables.length; at += 256) leaveOut(tables.slice(at, at + 256));
const file = pack(recording, registers);
if (result(unpack(file).ram) !== wanted) throw new Error('the recording gives another result');
writeFileSync(out, file);
process.stdout.write(`${out}: ${pages.size} of ${before} pages, ${(file.length / 1e6).toFixed(2)} MB\n`);
