/** In the daemon that is walked through: keeps its clock still during a walk, and tells which files it went through. */
/* global setTimeout, setImmediate */
import { register } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

register('./loader.mjs', import.meta.url, { data: { root: join(process.env.WALKED, 'src') } });

/** What is under way when the clock stops has ended by then. */
const SETTLED_MS = 1_500;
/** So long the daemon is left alone, to see what goes on without a walk. */
const IDLE_MS = 3_000;

let order = null;
let trace = null;
let held = false;
/** Of the chord: QEMU has taken the keys; the guest has answered. */
const seen = { pressed: false, answered: false };
let up = false;
/** Files that are entered on no account of anybody: pollers. */
let idle = new Set();

const every = globalThis.setInterval;
globalThis.setInterval = (callback, ...rest) =>
  every(
    () => {
      if (!held) callback();
    },
    ...rest,
  );

const partsOf = (value) => (Array.isArray(value) ? value : Object.values(value ?? {}).flat());

globalThis.walked = {
  enter(file) {
    trace?.push(file);
  },
  event(...args) {
    const event = args.find((arg) => typeof arg?.type === 'string');
    if (event === undefined) return;
    up ||= event.type === 'ssh' && event.probe?.kind === 'ok';
    if (trace === null) return;
    if (order === 'entry' && event.type === 'line' && event.text.includes('usb 1-1')) setImmediate(finish);
    seen.pressed ||= event.type === 'pressed';
    seen.answered ||= event.type === 'line' && event.text.includes('Show Blocked State');
    if (order === 'chord' && seen.pressed && seen.answered) setImmediate(finish);
  },
  effects(result) {
    const presses = partsOf(result).some((effect) => effect?.type === 'press' && effect.key === 'w');
    if (order === 'chord' && trace === null && presses) record();
    return result;
  },
};

function record() {
  trace = [];
}

function finish() {
  if (trace === null) return;
  const walk = trace.filter((file) => !idle.has(file));
  trace = null;
  held = false;
  order = null;
  const rooms = walk.filter((file, at) => at > 0 && file !== walk[at - 1]).length;
  process.send({ files: [...new Set(walk)], rooms, functions: walk.length, idle: [...idle] });
}

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', async ({ walk }) => {
  while (!up) await after(100);
  held = true;
  await after(SETTLED_MS);
  record();
  await after(IDLE_MS);
  idle = new Set(trace);
  trace = null;
  order = walk;
  if (walk === 'entry') record();
  process.send('ready');
});
