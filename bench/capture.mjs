/**
 * What a capture costs beside the guest's own printing, and how long QMP is held. Needs `npm run build`.
 *   node bench/capture.mjs [ROUNDS]         5 by default: the demo, whose timelines are decided again and measured
 */
/* global URL */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { sysrqReply } from '../dist/core/capture/replies.js';
import { stripPrintk } from '../dist/core/console/printk.js';
import { replay } from '../dist/core/watch/timeline.js';

const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 5);
const state = mkdtempSync(join(tmpdir(), 'wedgewatch-bench-'));

function demo() {
  const printed = execFileSync(process.execPath, [main, 'demo', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, XDG_STATE_HOME: state },
  });
  const { archive } = JSON.parse(printed);
  const [start, ...events] = readFileSync(join(archive, 'timeline.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return measure(start, events);
}

/** The dumps of one capture in ms, and how long each press and look took, which is more than QMP was held. */
function measure(start, events) {
  const dumps = [];
  const held = [];
  const begun = new Map();
  let open = null;
  const after = (_, event, effects) => {
    if (event.type === 'line' && event.replayed !== true) open = onLine(dumps, open, event);
    if (event.type === 'pressed' && begun.has(event.id)) held.push(event.at - begun.get(event.id));
    if (event.type === 'look' && begun.has('look')) held.push(event.at - begun.get('look'));
    for (const effect of effects) {
      if (effect.type === 'look') begun.set('look', event.at);
      if (effect.type !== 'press') continue;
      // Other rungs of the ladder do not go through QMP.
      if ((effect.via ?? 'send-key') === 'send-key') begun.set(effect.id, event.at);
      if (effect.key === 'w' || effect.key === 't') open = { key: effect.key, pressed: event.at };
    }
  };
  replay(start, events, { after });
  return { dumps, held };
}

function onLine(dumps, open, { at, text }) {
  const reply = open === null ? null : sysrqReply(text);
  if (reply?.type === 'header' && reply.key === open.key)
    return { ...open, header: at, last: at, stamp: stripPrintk(text).time, lines: 1 };
  if (open?.header === undefined) return open;
  if (reply?.type !== 'help')
    return { ...open, last: at, lastStamp: stripPrintk(text).time ?? open.lastStamp, lines: open.lines + 1 };
  dumps.push({ ...open, fence: at });
  return null;
}

const cost = ({ pressed, fence }) => fence - pressed;
const printing = ({ header, last }) => last - header;
const sum = (dumps, of) => dumps.reduce((total, dump) => total + of(dump), 0);
const at = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

try {
  const runs = Array.from({ length: rounds }, demo);
  const held = runs.flatMap((run) => run.held);
  process.stdout.write(
    'key  dumps  lines  guest prints ms  of that by its own clock  chord to header ms  last line to fence ms  ratio (median / max)\n',
  );
  for (const key of ['w', 't']) {
    const dumps = runs.flatMap((run) => run.dumps).filter((dump) => dump.key === key && dump.lines > 1);
    if (dumps.length === 0) continue;
    const median = (of) => at(dumps.map(of), 0.5).toFixed(0);
    const ratios = dumps.map((dump) => cost(dump) / Math.max(1, printing(dump)));
    process.stdout.write(
      [
        key,
        dumps.length,
        median(({ lines }) => lines),
        median(({ last, header }) => last - header),
        median(({ lastStamp, stamp }) => ((lastStamp ?? stamp ?? 0) - (stamp ?? 0)) * 1000),
        median(({ header, pressed }) => header - pressed),
        median(({ fence, last }) => fence - last),
        `${at(ratios, 0.5).toFixed(2)} / ${at(ratios, 1).toFixed(2)}`,
      ].join('  ') + '\n',
    );
  }
  const shares = runs.map(({ dumps }) => sum(dumps, cost) / sum(dumps, printing));
  process.stdout.write(
    `all dumps of a capture together: ratio ${at(shares, 0.5).toFixed(2)} / ${at(shares, 1).toFixed(2)} (budget 1.5)\n`,
  );
  process.stdout.write(
    `QMP, ${held.length} presses and looks, all sessions of a look together, connecting and process included: median ${at(held, 0.5).toFixed(0)} ms, p95 ${at(held, 0.95).toFixed(0)} ms, max ${at(held, 1).toFixed(0)} ms; how long the socket is held: bench/qmp-hold.mjs\n`,
  );
} finally {
  rmSync(state, { recursive: true, force: true });
}
