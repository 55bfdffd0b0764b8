/**
 * Whether the stacks read from a guest's memory are those that the guest itself printed. Needs `npm run build`.
 *   node bench/memory-compare.mjs [--without=note,btf] IMAGE CONSOLE-LOG [IMAGE CONSOLE-LOG ...]
 * IMAGE: an ELF memory image, taken when the answer to Alt+SysRq+t was in the log. Each difference is listed with its
 * cause; ends with 1 where one has none. --without hides VMCOREINFO's note or BTF, as of a kernel that has none.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseDumps } from '../dist/core/dump/parse-dumps.js';
import { openKernel } from '../dist/core/memory/kernel.js';
import { takeSnapshot } from '../dist/core/memory/snapshot.js';
import { openImage } from '../dist/io/memory/elf-file.js';

const text = ({ symbol, offset, size, module }) =>
  offset === null ? symbol : `${symbol}+${offset}/${size}${module === null ? '' : ` [${module}]`}`;
const stack = (task) => task.frames.filter(({ reliable }) => reliable).map(text);

/** Why the two may differ although both are right; null where nothing explains it. `since`: seconds since SysRq's dump. */
function cause(theirs, ours, since) {
  if (ours !== undefined && !ours.onCpu && ours.offCpuSeconds !== null && ours.offCpuSeconds < since)
    return theirs === undefined ? 'it was started after the dump' : 'it ran after the dump';
  if (theirs === undefined) return ours.frames.length === 0 ? 'it has no stack, and SysRq skips those' : null;
  if (theirs.frames.some(({ symbol }) => symbol.startsWith('sysrq_handle_'))) return 'it printed the dump';
  if (theirs.state === 'R') return 'it ran, or was about to, when SysRq printed it';
  if (ours === undefined) return null;
  return ours.onCpu ? 'it ran when the image was taken' : null;
}

/** As much of each as it is known by. */
const HEAD = 24;

/** RAM in which the heads of these parts of its kernel are zeros. */
function hiding(parts, ram, registers) {
  const { noteAt, space, symbols } = openKernel(ram, { registers });
  const places = { note: () => noteAt, btf: () => space.translate(symbols.address('__start_BTF') ?? 0n) };
  const hidden = parts.map((part) => places[part]?.() ?? null);
  if (hidden.includes(null)) throw new Error(`not all of these are there: ${parts.join(', ')}`);
  const read = (gpa, into) => {
    const whole = ram.read(gpa, into);
    for (const at of hidden) into.fill(0, Math.max(0, at - gpa), Math.max(0, at + HEAD - gpa));
    return whole;
  };
  return { ranges: ram.ranges, read };
}

function compare(image, log) {
  const opened = openImage(image);
  if (!opened.ok) throw new Error(`${image}: ${opened.why}`);
  const { registers } = opened;
  const ram = without.length === 0 ? opened.ram : hiding(without, opened.ram, registers);
  const snapshot = takeSnapshot(openKernel(ram, { registers }), { registers });
  opened.ram.close();
  const dump = parseDumps(readFileSync(log, 'latin1').split(/\r?\n/)).findLast(({ key }) => key === 't');
  if (dump === undefined) throw new Error(`${log}: no answer to Alt+SysRq+t`);
  const ours = new Map(snapshot.tasks.map((task) => [task.pid, task]));
  const theirs = new Map(dump.tasks.map((task) => [task.pid, task]));
  let [same, frames, unexplained] = [0, 0, 0];
  for (const pid of new Set([...theirs.keys(), ...ours.keys()])) {
    const [a, b] = [theirs.get(pid), ours.get(pid)];
    const lines = a && b ? differences(a, b) : [a ? 'only in SysRq' : 'only in memory'];
    if (lines.length === 0) {
      same += 1;
      frames += b.frames.length;
      continue;
    }
    const why = cause(a, b, snapshot.clock - dump.bootSeconds);
    if (why === null) unexplained += 1;
    process.stdout.write(`  ${(a ?? b).comm} (${pid}): ${why ?? 'NO CAUSE KNOWN'}\n`);
    for (const line of why === null ? lines : []) process.stdout.write(`    ${line}\n`);
  }
  const whole = snapshot.complete ? 'complete' : `incomplete: ${snapshot.incompleteBecause.join('; ')}`;
  process.stdout.write(
    `${image}: ${snapshot.kernel.release} (${Object.values(snapshot.kernel.how).join(', ')}), ${theirs.size} tasks in SysRq, ${ours.size} in memory (${whole}), ` +
      `${same} the same with ${frames} frames, ${unexplained} differences without a cause\n`,
  );
  return unexplained;
}

function differences(theirs, ours) {
  const lines = ['comm', 'state', 'ppid'].flatMap((key) =>
    theirs[key] === ours[key] ? [] : [`${key}: SysRq ${theirs[key]}, memory ${ours[key]}`],
  );
  const [a, b] = [stack(theirs), stack(ours)];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1)
    if (a[i] !== b[i]) lines.push(`#${i}: SysRq ${a[i] ?? 'nothing'}, memory ${b[i] ?? 'nothing'}`);
  return lines;
}

const OPTION = '--without=';
const words = process.argv.slice(2);
const without = words.flatMap((word) =>
  word.startsWith(OPTION) ? word.slice(OPTION.length).split(',') : [],
);
const files = words.filter((word) => !word.startsWith(OPTION));
let unexplained = 0;
for (let i = 0; i + 1 < files.length; i += 2) unexplained += compare(files[i], files[i + 1]);
process.exitCode = unexplained === 0 ? 0 : 1;
