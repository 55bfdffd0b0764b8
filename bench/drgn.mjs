/**
 * wedgewatch beside drgn (https://github.com/osandov/drgn) on the same guest: the stacks of all its tasks. Needs
 * `npm run build`, root, a root directory that has python3-drgn (0.3, of Debian's sid:
 * `mmdebstrap --variant=apt --include=python3-drgn sid ROOT`), the unpacked linux-image-RELEASE-dbg of the guest's kernel, and
 * an image of its memory, which bench/memory-guest.mjs makes. Debian builds drgn without json-c, and so without `--qemu`: both
 * read the image. Its guest did not load qemu_fw_cfg, by which it tells QEMU where its VMCOREINFO is: drgn is given the one
 * that wedgewatch finds.
 *   node bench/drgn.mjs ROOT DEBUG IMAGE      DEBUG has usr/lib/debug
 */
/* global Buffer, performance */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBuilds } from '../dist/core/memory/builds.js';
import { openKernel } from '../dist/core/memory/kernel.js';
import { KnownGuest } from '../dist/core/memory/known-guest.js';
import { openImage } from '../dist/io/memory/elf-file.js';

const WARM = 5;

const DRGN = `
import json, resource, sys, time
from drgn.helpers.linux.pid import for_each_task
def stack(task):
    try:
        frames = []
        for frame in prog.stack_trace(task):
            if frame.is_inline:
                continue
            try:
                symbol = frame.symbol()
                frames.append(f"{symbol.name}+{frame.pc - symbol.address}")
            except LookupError:
                frames.append(hex(frame.pc))
        return frames
    except (ValueError, LookupError) as error:
        return str(error)
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
for _ in range(1 + ${WARM}):
    began, busy = time.monotonic(), cpu()
    stacks = {task.pid.value_(): stack(task) for task in for_each_task(prog)}
    stacks.pop(0, None)
    print(json.dumps({"wall": time.monotonic() - began, "cpu": cpu() - busy, "total": cpu(), "stacks": stacks}), flush=True)
`;

/** In a process of its own: what drgn's script does. */
function ours(image) {
  const { ram, registers } = openImage(image);
  const guest = new KnownGuest(ram, createBuilds());
  for (let run = 0; run <= WARM; run += 1) {
    const [began, busy] = [performance.now(), process.cpuUsage()];
    const { dump } = guest.snapshot(registers, 0);
    const seconds = ({ user, system }) => (user + system) / 1e6;
    const stacks = Object.fromEntries(
      dump.tasks.map(({ pid, frames }) => [pid, frames.map(({ symbol, offset }) => `${symbol}+${offset}`)]),
    );
    const wall = (performance.now() - began) / 1000;
    const cpu = seconds(process.cpuUsage(busy));
    process.stdout.write(`${JSON.stringify({ wall, cpu, total: seconds(process.cpuUsage()), stacks })}\n`);
  }
}

/** Cold: from the start of the process to all stacks. Warm: again in the same process. */
async function run(command, args) {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const answers = [];
  let cold = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    cold ||= (performance.now() - began) / 1000;
    answers.push(JSON.parse(line));
  }
  if (answers.length <= WARM) throw new Error(`${command} ended early`);
  const warm = answers.slice(1).sort((a, b) => a.wall - b.wall)[WARM >> 1];
  const { total, stacks } = answers[0];
  return { cold, coldCpu: total, warm: warm.wall, warmCpu: warm.cpu, stacks };
}

/** The text of the guest's VMCOREINFO note. */
function noteIn(image) {
  const { ram, registers } = openImage(image);
  const { noteAt } = openKernel(ram, { registers });
  const note = Buffer.alloc(4_096);
  ram.read(noteAt, note);
  return note.subarray(24, 24 + note.readUInt32LE(4));
}

function inRoot(root, debug, scratch, image) {
  writeFileSync(join(scratch, 'stacks.py'), DRGN);
  const binds = [
    ['/proc', 'proc'],
    [debug, 'mnt'],
    [scratch, 'srv'],
    [dirname(image), 'media'],
  ];
  const drgn = [
    ...['drgn', '-q', '--core', `/media/${basename(image)}`, '--vmcoreinfo', '/srv/note'],
    ...['--debug-directory', '/mnt/usr/lib/debug', '/srv/stacks.py'],
  ];
  const lines = [
    ...binds.map(([from, to]) => `mount --bind '${from}' '${join(root, to)}'`),
    `exec chroot '${root}' ${drgn.join(' ')}`,
  ];
  return ['unshare', ['-m', 'sh', '-ec', lines.join('\n')]];
}

const megabytes = (path) => Number(execFileSync('du', ['-sm', path], { encoding: 'utf8' }).split('\t')[0]);

/** drgn goes on into the program, and names the system call's entry by the symbol around the one that the kernel names. */
function kernelFrames(stack) {
  if (!Array.isArray(stack)) return stack;
  const end = stack.findIndex((frame) => frame.startsWith('0x'));
  return (end < 0 ? stack : stack.slice(0, end)).map((frame) =>
    frame.replace(/^entry_SYSCALL_64(?:_after_hwframe)?\+\d+$/, 'entry_SYSCALL_64'),
  );
}

function compare(theirs, mine) {
  const lines = [];
  let [same, frames] = [0, 0];
  for (const pid of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const [a, b] = [kernelFrames(theirs[pid]), kernelFrames(mine[pid])];
    if (JSON.stringify(a) === JSON.stringify(b)) {
      same += 1;
      frames += b.length;
    } else lines.push(`${pid}: drgn ${JSON.stringify(a)}\n   wedgewatch ${JSON.stringify(b)}`);
  }
  return { same, frames, lines };
}

async function beside(root, debug, image) {
  const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-drgn-'));
  try {
    writeFileSync(join(scratch, 'note'), noteIn(image));
    const mine = await run(process.execPath, [fileURLToPath(import.meta.url), '--ours', image]);
    const theirs = await run(...inRoot(root, debug, scratch, image));
    const { same, frames, lines } = compare(theirs.stacks, mine.stacks);
    for (const line of lines) process.stdout.write(`${line}\n`);
    const row = (name, { cold, coldCpu, warm, warmCpu, stacks }) =>
      process.stdout.write(
        `${name} | ${Object.keys(stacks).length} | ${[cold, coldCpu, warm, warmCpu].map((one) => one.toFixed(3)).join(' | ')}\n`,
      );
    process.stdout.write('with | tasks | cold, s | CPU, s | warm, s | CPU, s\n');
    row('drgn', theirs);
    row('wedgewatch', mine);
    process.stdout.write(
      `${same} tasks the same, with ${frames} frames; ${lines.length} not\n${megabytes(debug)} MB of debug information\n`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const [first, second, third] = process.argv.slice(2);
if (first === '--ours') ours(second);
else await beside(resolve(first), resolve(second), resolve(third));
