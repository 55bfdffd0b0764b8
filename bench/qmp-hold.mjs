/**
 * How long wedgewatch holds a guest's QMP socket, seen from outside: the connections that QEMU has accepted, in the
 * kernel's table, every 5 ms. Needs `npm run build`.
 *   node bench/qmp-hold.mjs [ROUNDS]         5 by default: the demo, whose guest is looked at, asked and captured
 */
/* global URL, performance, setInterval, clearInterval */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { connectionsTo } from '../dist/core/host/unix-table.js';

const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 5);
const state = mkdtempSync(join(tmpdir(), 'wedgewatch-bench-'));
const EVERY_MS = 5;

/** Sessions on all QMP sockets of the demo, in ms. */
async function demo() {
  const sessions = new Map();
  const look = () => {
    const table = readFileSync('/proc/net/unix', 'latin1');
    const paths = new Set(table.match(/\/\S*wedgewatch-demo\S*\/qmp\.sock$/gm) ?? []);
    const now = performance.now();
    for (const path of paths)
      for (const inode of connectionsTo(path, table).accepted) {
        const known = sessions.get(inode) ?? { from: now, to: now };
        sessions.set(inode, { ...known, to: now });
      }
  };
  const timer = setInterval(look, EVERY_MS);
  const child = spawn(process.execPath, [main, 'demo', '--json'], {
    stdio: 'ignore',
    env: { ...process.env, XDG_STATE_HOME: state },
  });
  await once(child, 'exit');
  clearInterval(timer);
  return [...sessions.values()].map(({ from, to }) => to - from + EVERY_MS);
}

try {
  const held = [];
  for (let round = 0; round < rounds; round += 1) held.push(...(await demo()));
  held.sort((a, b) => a - b);
  const at = (share) => held[Math.min(held.length - 1, Math.floor(held.length * share))]?.toFixed(0);
  process.stdout.write(
    `QMP held, ${held.length} sessions in ${rounds} rounds: median ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (budget: p99 400 ms)\n`,
  );
} finally {
  rmSync(state, { recursive: true, force: true });
}
