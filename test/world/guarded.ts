/** A job of CI in the world, with the watchdog around it. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import { call } from '../../src/guest/call.js';
import { mainOf } from './by-hand.js';
import { user, type World } from './world.js';

const workspace = join(user.home, 'workspace');
const summary = join(workspace, 'step-summary.md');

/** What a step of GitHub Actions has in its environment. */
export const GITHUB = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };

interface Ended {
  code: number;
  out: string;
  err: string;
  /** Milliseconds since 1970, by the clock of the world. */
  endedAt: number;
}

/** Runs `wedgewatch guard` with these arguments, written as in a shell, to its end. */
export async function guardedJob(
  world: World,
  args: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const command = ['env', ...set, ...mainOf(world), 'guard', args].join(' ');
  const script = `mkdir -p ${workspace}; cd ${workspace}; said=$(mktemp)
    ${command} 2>$said; echo "exit $? $(date +%s%3N)"; cat $said`;
  const said = await world.dev(['sh', '-c', script], 120_000);
  const [, out = '', code, at, err = ''] = /^([^]*?)\n?exit (\d+) (\d+)\n?([^]*)$/.exec(said) ?? [];
  return { code: Number(code), out, err, endedAt: Number(at) };
}

/** The job was ended within 20 s of the verdict, which stands wherever GitHub shows it. @returns its incident */
export async function expectTold(world: World, { code, err, endedAt }: Ended, vm: string): Promise<Incident> {
  expect(code).toBe(1);
  expect(err).toMatch(
    new RegExp(`^::error title=${vm} is wedged::\\S+ stuck ≥\\d+ s in page fault .*virtiofs:store`, 'm'),
  );
  expect(await world.dev(['cat', summary])).toMatch(/### `\S+ stuck ≥\d+ s in page fault .*virtiofs:store/);
  const folder = join(workspace, 'wedgewatch-report');
  const copied = await world.dev(['sh', '-c', `cat ${folder}/*/incident.json`]);
  const incident = JSON.parse(copied) as Incident;
  expect(endedAt - Date.parse(incident.filedAt)).toBeLessThan(20_000);
  // As another parser reads it.
  const script =
    'import sys, xml.etree.ElementTree as t; print(*[(c.get("classname"), f.get("message")) for c in t.fromstring(sys.argv[1]).iter("testcase") for f in c.iter("failure")])';
  const junit = await world.dev(['cat', join(folder, 'junit.xml')]);
  const failures = await call('python3', ['-c', script, junit], { timeoutMs: 10_000 });
  expect(failures).toContain(`('${vm}', '${incident.verdict.title}')`);
  return incident;
}
