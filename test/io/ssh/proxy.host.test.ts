/** Real ssh through proxies to a server that accepts and is silent: how far it came is told by ssh's own words. */
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SshStep } from '../../../src/core/ssh/command-probe.js';
import { runCommand } from '../../../src/io/ssh/run-command.js';
import { probeSsh } from '../../../src/io/ssh/probe.js';
import { SshResolver } from '../../../src/io/ssh/resolve.js';
import { scratch } from '../../support/qmp-failure.js';
import { tcpServer } from '../../support/tcp-server.js';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures', name);
const PASSES = `python3 ${fixture('fdpass-proxy.py')}`;
const CARRIES = `${process.execPath} ${fixture('pipe-proxy.mjs')}`;

/** Serves, and writes what ssh is told of it. */
async function host(script: (client: Socket) => void, proxy: string, options: string[]): Promise<string> {
  const { port } = await tcpServer(script);
  const config = join(await scratch(), 'config');
  const lines = ['Host vm', `ProxyCommand ${proxy} ${port}`, 'UserKnownHostsFile /dev/null', ...options];
  await writeFile(config, `${lines.join('\n')}\n`);
  return config;
}

it.each([
  ['passes its descriptor', PASSES, ['ProxyUseFdpass yes']],
  ['carries the bytes', CARRIES, []],
])('behind a proxy that %s, a silent server hangs at its banner', async (_how, proxy, options) => {
  const config = await host(() => undefined, proxy, options);
  const steps: SshStep[] = [];
  const asked = { timeoutMs: 4_000, connectMs: 60_000, config };
  const result = await runCommand('vm', asked, (step) => steps.push(step));
  expect(result).toMatchObject({ kind: 'timed-out', step: 'banner' });
  expect(steps).toEqual(['banner']);
  const probe = await probeSsh('vm', { timeoutMs: 3_000, config }, new SshResolver());
  expect(probe).toMatchObject({ kind: 'timed-out', step: 'banner' });
});

it('behind a proxy that never passes its descriptor, it hangs at the connection', async () => {
  const config = await host(() => undefined, "sh -c 'sleep 60' sh", ['ProxyUseFdpass yes']);
  const probe = await probeSsh('vm', { timeoutMs: 3_000, config }, new SshResolver());
  expect(probe).toMatchObject({ kind: 'timed-out', step: 'connect' });
});

it('behind a proxy that passes its descriptor, a server that greets is well', async () => {
  const config = await host((client) => client.write('SSH-2.0-wedged\r\n'), PASSES, ['ProxyUseFdpass yes']);
  const probe = await probeSsh('vm', { timeoutMs: 10_000, config }, new SshResolver());
  expect(probe).toMatchObject({ kind: 'ok', detail: 'SSH-2.0-wedged' });
});
