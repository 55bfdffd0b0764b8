import { mkdir, readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { initialState } from '../../src/core/watch/state.js';
import { controlSocket, serveControl } from '../../src/daemon/control.js';
import type { GuestHandle } from '../../src/daemon/guest-handle.js';
import { Metrics } from '../../src/daemon/metrics.js';
import { MetricsOutlets } from '../../src/daemon/metrics-outlets.js';
import { incident } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from '../support/temporary.js';

const HOSTILE = 'a"} 1\n\\\u202e{x="';

function counted(...vms: string[]) {
  const guests = new Map(vms.map((vm) => [vm, { vm, state: initialState(vm, 0) } as unknown as GuestHandle]));
  const metrics = new Metrics({ guests, services: { pending: { status: () => [] } } });
  const file = (vm: string, more: object = {}) => {
    const filed = { directory: '/a', title: '', byHand: false, incident: incident() };
    metrics.filed(guests.get(vm)!, { ...filed, ...more });
  };
  return { guests, metrics, file };
}

it('counts guests by state, and incidents by class, with their evidence and time', async () => {
  const { guests, metrics, file } = counted('vm1', 'vm2');
  guests.get('vm2')!.state.name = 'held';
  const whole = incident();
  const timings = { capturedAfterMs: 4_200, captureMs: 1_000 };
  file('vm2', { incident: { ...whole, timings } });
  file('vm1', { incident: { ...whole, timings: {}, evidence: { ...whole.evidence, complete: false } } });
  file('vm1', { byHand: true });
  file('vm1', { directory: null, incident: null });
  metrics.hookRan({ command: [], startedAt: '', tookMs: 1, outcome: 'failed', detail: '' });
  const text = await metrics.render();
  for (const line of [
    'wedgewatch_guests{state="held"} 1',
    'wedgewatch_guests{state="unknown"} 1',
    'wedgewatch_guests{state="up"} 0',
    'wedgewatch_guest_hangs{vm="vm2",class="blocked"} 1',
    'wedgewatch_incidents_total{class="blocked"} 2',
    'wedgewatch_incidents_total{class="deadlock"} 0',
    'wedgewatch_incidents_incomplete_total 1',
    'wedgewatch_incidents_lost_total 1',
    'wedgewatch_hooks_total{outcome="failed"} 1',
    'wedgewatch_time_to_stacks_seconds_bucket{le="3"} 0',
    'wedgewatch_time_to_stacks_seconds_bucket{le="5"} 1',
    'wedgewatch_time_to_stacks_seconds_count 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/\n# EOF\n$/);
});

it('a guest is named while it hangs and for ten minutes, and is then no series any more', async () => {
  const { metrics, file, guests } = counted('vm1');
  file('vm1');
  guests.get('vm1')!.state.name = 'up';
  expect(await metrics.render()).toContain('wedgewatch_guest_hangs{vm="vm1"');
  const hang = (metrics as unknown as { hangs: Map<string, { at: number }> }).hangs.get('vm1')!;
  hang.at -= 11 * 60_000;
  guests.get('vm1')!.state.name = 'held';
  expect(await metrics.render()).toContain('wedgewatch_guest_hangs{vm="vm1"');
  guests.get('vm1')!.state.name = 'up';
  expect(await metrics.render()).not.toContain('wedgewatch_guest_hangs{');
});

it('a hostile name makes no line of its own', async () => {
  const { metrics, file } = counted(HOSTILE);
  file(HOSTILE);
  for (const text of [await metrics.render(), await metrics.renderText()]) {
    const lines = text.split('\n').filter((line) => line.includes('guest_hangs{'));
    expect(lines).toEqual(['wedgewatch_guest_hangs{vm="a\\"} 1 \\\\ {x=\\"",class="blocked"} 1']);
  }
});

it('is on the control socket', async () => {
  const runtime = await temporaryDirectory();
  await mkdir(join(runtime, 'wedgewatch'));
  const { metrics } = counted();
  const unused = () => Promise.reject(new Error('not asked'));
  const handlers = { status: () => ({}) as never, capture: unused, metrics: () => metrics.render() };
  const server = await serveControl(controlSocket(runtime), handlers, () => undefined);
  onTestFinished(() => void server.close());
  const { code, type, text } = await get({ socketPath: controlSocket(runtime) });
  expect([code, type]).toEqual([200, 'application/openmetrics-text; version=1.0.0; charset=utf-8']);
  expect(text).toContain('wedgewatch_guests{state="up"} 0');
});

async function outlets(more: (place: string, taken: number) => object) {
  const place = await temporaryDirectory();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const config = configSchema.parse({ metrics: more(place, port) });
  const said: string[] = [];
  const all = new MetricsOutlets({ config }, counted('vm1').metrics, (_level, text) => said.push(text));
  onTestFinished(async () => {
    await all.stop();
    other.close();
  });
  all.start();
  return { place, all, said, port, config, other };
}

it('is on a port of the loopback, for this host and no page of a browser', async () => {
  const { all, config, port, other, said } = await outlets((_, taken) => ({ port: taken }));
  await expect.poll(() => all.problems()).toHaveLength(1);
  expect(all.problems()[0]).toMatch(/^metrics\.port \d+: .*EADDRINUSE.*Fix: /);
  expect(said).toEqual(all.problems());
  other.close();
  await once(other, 'close');
  config.metrics.port = null;
  all.round();
  config.metrics.port = port;
  all.round();
  await expect.poll(() => all.problems()).toEqual([]);
  expect((await get({ host: '127.0.0.1', port })).text).toContain('# EOF');
  expect((await get({ host: '127.0.0.1', port, path: '/status' })).code).toBe(404);
  expect((await get({ host: '127.0.0.1', port, headers: { host: 'evil.example' } })).code).toBe(403);
  await all.stop();
  await expect(get({ host: '127.0.0.1', port })).rejects.toThrow('ECONNREFUSED');
});

it('is in a file for node-exporter, which goes with the daemon', async () => {
  const { place, all } = await outlets((there) => ({ textfile: join(there, 'made', 'wedgewatch.prom') }));
  await expect.poll(() => all.problems()).toHaveLength(1);
  expect(all.problems()[0]).toMatch(/^metrics\.textfile .*ENOENT.*Fix: /);
  await mkdir(join(place, 'made'));
  (all as unknown as { fileAgainAt: number }).fileAgainAt = 0;
  all.round();
  const file = join(place, 'made', 'wedgewatch.prom');
  await expect
    .poll(() => readFile(file, 'utf8').catch(() => ''))
    .toContain('wedgewatch_guests{state="up"} 0');
  expect(await readFile(file, 'utf8')).not.toContain('# EOF');
  expect(all.problems()).toEqual([]);
  await all.stop();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

function get(options: object): Promise<{ code: number | undefined; type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    request({ path: '/metrics', agent: false, ...options }, (answer) => {
      let text = '';
      answer.on('data', (data) => (text += String(data)));
      answer.on('end', () => {
        resolve({ code: answer.statusCode, type: answer.headers['content-type'], text });
      });
    })
      .on('error', reject)
      .end();
  });
}
