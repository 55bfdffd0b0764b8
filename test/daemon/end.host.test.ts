/** How a daemon ends: within 10 s of a signal whatever it does, with its guests as it found them. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askStatus } from '../../src/daemon/control.js';
import { compiled } from '../support/compiled.js';
import { ended, HEALTHY, Lab, runNode, type Running, STUCK } from '../support/lab.js';

const built = compiled('holds.js');

async function lab(guests: Parameters<typeof Lab.start>[1]): Promise<Lab> {
  const started = await Lab.start(built.main, guests);
  onTestFinished(() => started.end());
  return started;
}

describe('SIGTERM', () => {
  it('in the middle of a capture puts the loglevel back, and the next start files what came', async () => {
    const here = await lab({ lab: STUCK });
    const daemon = await here.daemon();
    const capture = here.capture('lab');
    await expect.poll(() => here.keys.get('lab')?.includes('h'), { timeout: 10_000 }).toBe(true);
    daemon.kill('SIGTERM');
    expect(await capture).toMatchObject({
      directory: null,
      problem: expect.stringMatching(/^wedgewatch was stopped/) as string,
    });
    expect(await ended(daemon, 5_000)).toBe(0);
    expect(here.keys.get('lab')).toEqual(['8', 'w', 'h', '7']);
    expect(daemon.said()).toContain('its loglevel is 7 again');
    expect(await here.names()).toEqual([expect.stringMatching(/\.partial$/)]);
    await here.daemon();
    const filed = () => here.names().then((names) => names.filter((name) => !name.endsWith('.partial')));
    await expect.poll(filed, { timeout: 15_000 }).toHaveLength(1);
    const [id = ''] = await filed();
    expect(await readFile(join(here.incidents, id, 'console.raw'), 'utf8')).toContain('Loglevel set to 7');
  }, 40_000);

  it('says which guest did not confirm it, and how to put it back', async () => {
    const here = await lab({ lab: { ...STUCK, 7: [] } });
    const daemon = await here.daemon();
    void here.capture('lab').catch(() => undefined);
    await expect.poll(() => here.keys.get('lab')?.includes('h'), { timeout: 10_000 }).toBe(true);
    daemon.kill('SIGTERM');
    expect(await ended(daemon, 9_000)).toBe(0);
    expect(here.keys.get('lab')).toEqual(['8', 'w', 'h', '7', '7']);
    expect(daemon.said()).toContain('if it is 8, run in the guest: dmesg -n 7');
  }, 30_000);

  it('leaves a guest alone whose loglevel was never raised', async () => {
    const here = await lab({ lab: HEALTHY });
    const daemon = await here.daemon();
    daemon.kill('SIGTERM');
    expect(await ended(daemon, 5_000)).toBe(0);
    expect(here.keys.get('lab')).toEqual([]);
  });

  it('ends a capture by hand that runs without a daemon, with the loglevel back', async () => {
    const here = await lab({ lab: STUCK });
    const capture = here.run(['capture', 'lab']);
    await expect.poll(() => here.keys.get('lab')?.includes('h'), { timeout: 15_000 }).toBe(true);
    capture.kill('SIGINT');
    expect(await ended(capture, 5_000)).toBe(5);
    expect(here.keys.get('lab')?.at(-1)).toBe('7');
    expect(capture.said()).toContain('the next start of the daemon files what was captured');
  }, 30_000);

  it('ends a recovery that still reads, and leaves it to the next start', async () => {
    const here = await halfCapture();
    const daemon = await here.daemon();
    daemon.kill('SIGTERM');
    expect(await ended(daemon, 5_000)).toBe(0);
    // By itself: nothing had to be cut short.
    expect(daemon.said()).not.toContain('ends now');
    expect(await here.names()).toEqual([expect.stringMatching(/\.partial$/)]);
  }, 30_000);

  it('ends a process that something holds, and names it', async () => {
    const child = holding(['never']);
    await expect.poll(() => child.said(), { timeout: 10_000 }).toContain('ready');
    child.kill('SIGTERM');
    expect(await ended(child, 10_000)).toBe(5);
    expect(child.said()).toMatch(
      /ends now, 9 s after it was to: still under way: a dump that never ends, .*Timeout/,
    );
  });
});

describe('a failed start', () => {
  it('ends at once, although a recovery is under way', async () => {
    const here = await halfCapture();
    // Its control socket cannot be made.
    await rm(here.control);
    await mkdir(here.control);
    const daemon = here.run(['run']);
    expect(await ended(daemon, 6_000)).toBe(5);
    expect(daemon.said()).not.toContain('ends now');
    expect(daemon.said()).toMatch(/control\.sock/);
  }, 30_000);

  it('ends at once where the archive is a file', async () => {
    const here = await lab({ lab: HEALTHY });
    await writeFile(join(here.place, 'archive'), '');
    const config = join(here.place, 'wedgewatch/config.yaml');
    await writeFile(config, `${await readFile(config, 'utf8')}archive: {directory: ${here.place}/archive}\n`);
    const daemon = here.run(['run']);
    expect(await ended(daemon, 5_000)).toBe(5);
    expect(daemon.said()).toContain('set archive.directory');
  });
});

describe('a bug', () => {
  it('in a promise that nobody waits for is logged with its stack, and the watch goes on', async () => {
    const child = holding(['rejection']);
    await expect
      .poll(() => child.said(), { timeout: 10_000 })
      .toMatch(/bug, the watch goes on: Error: nobody waited for this.*holds\.js/);
    child.kill('SIGTERM');
    expect(await ended(child, 5_000)).toBe(0);
  });

  it('that throws out of a callback ends the process in order, so that it is started anew', async () => {
    const child = holding(['exception']);
    expect(await ended(child, 5_000)).toBe(5);
    expect(child.said()).toMatch(
      /bug, wedgewatch ends to be started anew: Error: nobody catches this.*holds\.js/,
    );
  });
});

describe('the control socket', () => {
  it('survives whatever is said to it', async () => {
    const at = await lab({ lab: HEALTHY });
    const daemon = await at.daemon();
    for (const text of [
      'GET // HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /capture?vm=%E0%A4%A&keys=%00 HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /capture HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nx',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      `GET /status HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`,
      'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      '\0\0\0\0',
    ])
      await say(at.control, text);
    expect((await askStatus(at.control)).pid).toBe(daemon.pid);
    expect(daemon.said()).not.toContain('bug');
  });

  it('hangs up on those that say nothing, and answers others again', async () => {
    const at = await lab({ lab: HEALTHY });
    await at.daemon();
    const silent = await Promise.all(Array.from({ length: 300 }, () => open(at.control)));
    onTestFinished(() => silent.forEach((socket) => void socket.destroy()));
    await expect.poll(() => silent.filter(({ closed }) => !closed), { timeout: 12_000 }).toEqual([]);
    expect((await askStatus(at.control)).guests).toHaveLength(1);
  }, 30_000);

  it('says no for what it does not know', async () => {
    const at = await lab({ lab: HEALTHY });
    await at.daemon();
    const code = await new Promise((resolve) => {
      request({ socketPath: at.control, path: '//status' }, ({ statusCode }) => resolve(statusCode)).end();
    });
    expect(code).toBe(404);
  });
});

describe('captures', () => {
  it('of other guests do not wait for the recovery of one', async () => {
    const at = await halfCapture({ other: HEALTHY });
    await at.daemon();
    const begun = performance.now();
    const { directory } = await at.capture('other');
    expect(directory).not.toBeNull();
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect((await at.names()).filter((name) => name.endsWith('.partial'))).toHaveLength(1);
  }, 40_000);

  it('of a third guest begin within seconds beside two that never end their dumps', async () => {
    const at = await lab({ a: STUCK, b: STUCK, third: HEALTHY });
    await at.daemon();
    for (const vm of ['a', 'b']) void at.capture(vm).catch(() => undefined);
    for (const vm of ['a', 'b'])
      await expect.poll(() => at.keys.get(vm)?.includes('h'), { timeout: 10_000 }).toBe(true);
    const begun = performance.now();
    expect((await at.capture('third')).directory).not.toBeNull();
    expect(performance.now() - begun).toBeLessThan(12_000);
  }, 40_000);
});

/** A daemon that was killed in the middle of a dump, and a guest that goes on with it. */
async function halfCapture(others: Parameters<typeof Lab.start>[1] = {}): Promise<Lab> {
  const at = await lab({ lab: STUCK, ...others });
  const daemon = await at.daemon();
  void at.capture('lab').catch(() => undefined);
  await expect.poll(() => at.keys.get('lab')?.includes('h'), { timeout: 10_000 }).toBe(true);
  daemon.kill('SIGKILL');
  await ended(daemon, 5_000);
  const printing = setInterval(
    () => void at.print('lab', [' schedule+0x10/0x20']).catch(() => undefined),
    200,
  );
  onTestFinished(() => clearInterval(printing));
  return at;
}

/** The process that ends as the daemon does. */
function holding(args: string[]): Running {
  const child = runNode([built.fixture, ...args], {});
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function say(path: string, text: string): Promise<void> {
  const socket = await open(path);
  socket.end(text);
  await expect.poll(() => socket.closed, { timeout: 12_000 }).toBe(true);
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', () => resolve(socket)).resume();
  });
}
