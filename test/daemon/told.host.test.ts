/** A daemon tells others of a hang: a state file, hooks, metrics. Its guest is scripted. */
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readIncident } from '../../src/core/report/read-incident.js';
import type { StateFile } from '../../src/core/watch/state-file.js';
import { compiled } from '../support/compiled.js';
import { ended, HEALTHY, Lab } from '../support/lab.js';

const built = compiled();

const COMPLAINT = [
  'INFO: task job:100 blocked for more than 120 seconds.',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
];

it('a hang is in the state file, its hooks have run, and it is counted', async () => {
  const lab = await Lab.start(built.main, { vm1: HEALTHY, vm2: HEALTHY });
  onTestFinished(() => lab.end());
  const { place } = lab;
  const [states, kept] = [join(place, 'states'), join(place, 'kept')];
  await mkdir(kept);
  const more = [
    `status: {directory: ${states}}`,
    `metrics: {textfile: ${place}/wedgewatch.prom}`,
    `onIncident: [{command: [cp, -r, '%d', ${kept}]}, {command: [wedge-no-such-program]}]`,
  ];
  await appendFile(join(place, 'wedgewatch/config.yaml'), `${more.join('\n')}\n`);
  const daemon = await lab.daemon();
  await lab.print('vm1', COMPLAINT);

  const state = async (vm: string) =>
    JSON.parse(await readFile(join(states, `${vm}.json`), 'utf8').catch(() => '{}')) as Partial<StateFile>;
  await expect.poll(async () => (await state('vm1')).incident?.class, { timeout: 20_000 }).toBe('blocked');
  const { incident } = await state('vm1');
  expect(await lab.names()).toContain(incident?.id);
  expect(incident?.path).toBe(join(lab.incidents, incident?.id ?? ''));
  expect(await state('vm2')).toMatchObject({ vm: 'vm2', watched: true, incident: null });

  const hooks = async () => {
    const read = readIncident(await readFile(join(incident?.path ?? '', 'incident.json'), 'utf8'));
    return read.ok
      ? read.incident.hooks?.map(({ outcome, detail }) => `${outcome}: ${detail}`)
      : [read.problem];
  };
  await expect
    .poll(hooks, { timeout: 10_000 })
    .toEqual([
      expect.stringMatching(/^worked: /),
      'failed: no such program: wedge-no-such-program. Fix: give its whole path',
    ]);
  expect(await readdir(join(kept, incident?.id ?? ''))).toContain('sysrq-t.txt');

  const counts = await metricsOf(lab.control);
  expect(counts).toContain('wedgewatch_incidents_total{class="blocked"} 1');
  expect(counts).toContain('wedgewatch_guest_hangs{vm="vm1",class="blocked"} 1');
  expect(counts).toContain('wedgewatch_hooks_total{outcome="failed"} 1');
  expect(await readFile(join(place, 'wedgewatch.prom'), 'utf8')).toContain('wedgewatch_guests{state=');

  daemon.kill('SIGTERM');
  expect(await ended(daemon, 10_000)).toBe(0);
  expect((await state('vm1')).watched).toBe(false);
  expect(await readdir(place)).not.toContain('wedgewatch.prom');
}, 60_000);

function metricsOf(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/metrics' }, (answer) => {
      let text = '';
      answer.on('data', (data) => (text += String(data)));
      answer.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
