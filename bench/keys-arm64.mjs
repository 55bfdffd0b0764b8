/**
 * What docs/guests.md says of aarch64's `-M virt`, which has no PS/2 keyboard: boots Debian's kernel with a virtio keyboard and
 * its console on a pty, presses h, w and t by `send-key` and by BREAK, and prints a line for each. Needs `npm run build`,
 * qemu-system-arm, and Debian.
 *   node bench/keys-arm64.mjs [SUITE]      default: trixie
 */
/* global performance */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { pressChord } from '../dist/io/qmp/chord.js';
import { pressConsole } from '../dist/io/qmp/console-keys.js';
import { assemble, BEGIN, machine } from './arm64-guest.mjs';

const [suite = 'trixie'] = process.argv.slice(2);
const BOOT_MS = 400_000;
const ANSWER_MS = 20_000;
const INIT = `${BEGIN}
echo 1 >/proc/sys/kernel/sysrq
echo 'wedge: up'
while :; do sleep 1000; done
`;
const ANSWERS = { h: 'sysrq: HELP', w: 'sysrq: Show Blocked State', t: 'sysrq: Show State' };

const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-arm64-'));
const console = join(scratch, 'console');
const printed = () => (existsSync(console) ? readFileSync(console, 'latin1') : '');

async function until(text, from, timeoutMs) {
  for (const end = performance.now() + timeoutMs; performance.now() < end; await delay(100))
    if (printed().slice(from).includes(text)) return true;
  return false;
}

let child;
try {
  const release = await assemble(suite, scratch, { init: INIT, wanted: ['virtio_pci', 'virtio_input'] });
  const argv = [
    ...['qemu-system-aarch64', ...machine(scratch), '-device', 'virtio-keyboard-pci'],
    ...['-chardev', `pty,id=console,logfile=${console}`, '-serial', 'chardev:console'],
    ...['-append', 'console=ttyAMA0 panic=0 loglevel=7'],
  ];
  child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  if (!(await until('wedge: up', 0, BOOT_MS))) throw new Error(printed().slice(-2000));
  const options = { timeoutMs: 5_000 };
  const ways = {
    'send-key': (key) => pressChord(join(scratch, 'qmp'), key, options),
    BREAK: (key) => pressConsole(join(scratch, 'qmp'), argv, key, options),
  };
  for (const [way, press] of Object.entries(ways))
    for (const [key, answer] of Object.entries(ANSWERS)) {
      const from = printed().length;
      await press(key);
      const answered = await until(answer, from, ANSWER_MS);
      process.stdout.write(`${release}, ${way}, ${key}: ${answered ? answer : 'no answer'}\n`);
    }
} finally {
  child?.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
}
