/**
 * From the wedge to the archive, on real guests: runs the demo over and over. Needs `npm run build`.
 *   node bench/demo.mjs [ROUNDS]            5 by default, of each kind of wedge, plain and with `quiet`
 */
/* global URL */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 5);
const state = mkdtempSync(join(tmpdir(), 'wedgewatch-bench-'));

function demo(mode, append) {
  const args = [main, 'demo', '--json', '--mode', mode, '--append', append];
  const printed = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, XDG_STATE_HOME: state },
  });
  const { wedgeToArchiveMs, archive } = JSON.parse(printed);
  const { evidence, verdict, timings } = JSON.parse(readFileSync(join(archive, 'incident.json'), 'utf8'));
  return {
    seconds: wedgeToArchiveMs / 1000,
    whole: evidence.complete,
    frame: verdict.frame,
    capture: timings.captureMs / 1000,
  };
}

const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
    .map((value) => value.toFixed(1))
    .join(' / ');
};

try {
  process.stdout.write(
    'wedge, kernel: wedge to archive s (min / median / max); of that suspicion to dumps s; whole; frame\n',
  );
  for (const mode of ['job', 'exec']) {
    for (const append of ['', 'quiet']) {
      const runs = Array.from({ length: rounds }, () => demo(mode, append));
      const whole = runs.filter((run) => run.whole).length;
      const frames = [...new Set(runs.map(({ frame }) => frame))].join(', ');
      process.stdout.write(
        `${mode}, ${append === '' ? 'plain' : append}: ${spread(runs.map(({ seconds }) => seconds))}; ${spread(runs.map(({ capture }) => capture))}; ${whole} of ${rounds}; ${frames}\n`,
      );
    }
  }
} finally {
  rmSync(state, { recursive: true, force: true });
}
