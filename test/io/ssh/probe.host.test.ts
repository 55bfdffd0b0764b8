import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { NO_FACTS } from '../../../src/core/ssh/guest-facts.js';
import { readGuestFacts } from '../../../src/io/ssh/read-facts.js';
import { probeSsh } from '../../../src/io/ssh/probe.js';
import { SshResolver, type SshOptions } from '../../../src/io/ssh/resolve.js';
import { behave, ssh } from '../../support/fake-ssh.js';
import { isRunning } from '../../support/processes.js';
import { scratch } from '../../support/qmp-failure.js';
import { tcpServer } from '../../support/tcp-server.js';

/** Starting a Node takes a while on a busy host: what is to succeed gets this. */
const patient: SshOptions = { timeoutMs: 10_000, ssh };
const hasty: SshOptions = { timeoutMs: 1_500, ssh };
const viaProxy = 'hostname vm\nport 22\nproxycommand nc %h %p\n';

const probe = (options = patient) => probeSsh('vm', options, new SshResolver());

/** A TCP server; returns what `ssh -G` says of it. */
async function serve(script: (client: Socket) => void): Promise<{ config: string; clients: Socket[] }> {
  const { port, clients } = await tcpServer(script);
  return { config: `hostname 127.0.0.1\nport ${port}\n`, clients };
}

describe('a host that is reached by TCP', () => {
  it('is well when its banner comes, which is answered before hanging up', async () => {
    const said: Buffer[] = [];
    const { config, clients } = await serve((client) => {
      client.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
      client.on('data', (data) => said.push(data));
    });
    behave({ config });
    expect(await probe()).toMatchObject({ kind: 'ok', detail: 'SSH-2.0-OpenSSH_9.2p1 Debian-2' });
    const [client] = clients;
    if (client?.readableEnded === false) await once(client, 'end');
    expect(Buffer.concat(said).toString()).toBe('SSH-2.0-wedgewatch\r\n');
  });

  it('may say other things first, a byte at a time', async () => {
    const { config } = await serve((client) => {
      const bytes = Array.from(Buffer.from('Welcome!\r\nSSH-2.0-x\u001b[2J\r\n'));
      const next = () => {
        const byte = bytes.shift();
        if (byte !== undefined) client.write(Uint8Array.of(byte), () => setImmediate(next));
      };
      next();
    });
    behave({ config });
    expect(await probe()).toMatchObject({ kind: 'ok', detail: 'SSH-2.0-x [2J' });
  });

  it('has timed out when it accepts and says nothing, like QEMU for a dead guest', async () => {
    const { config } = await serve(() => undefined);
    behave({ config });
    const { kind, detail, tookMs } = await probe(hasty);
    expect(kind).toBe('timed-out');
    expect(detail).toContain('no banner from 127.0.0.1');
    expect(tookMs).toBeGreaterThanOrEqual(1_400);
    expect(tookMs).toBeLessThan(2_000);
  });

  it('has timed out when half a banner is all that comes', async () => {
    const { config } = await serve((client) => client.write('SSH-2.0-Open'));
    behave({ config });
    expect(await probe(hasty)).toMatchObject({ kind: 'timed-out' });
  });

  it('refuses when it hangs up before its banner', async () => {
    const { config } = await serve((client) => client.end('hello\r\n'));
    behave({ config });
    expect(await probe()).toMatchObject({ kind: 'refused', detail: 'closed before the banner' });
  });

  it('refuses when it resets', async () => {
    const { config } = await serve((client) => client.resetAndDestroy());
    behave({ config });
    expect(await probe()).toMatchObject({ kind: 'refused' });
  });

  it('refuses when nobody listens', async () => {
    behave({ config: 'hostname 127.0.0.1\nport 1\n' });
    expect(await probe()).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('refuses when it floods', async () => {
    const { config } = await serve((client) => client.write('x'.repeat(100_000)));
    behave({ config });
    expect(await probe()).toMatchObject({
      kind: 'refused',
      detail: 'the peer is not an SSH server',
    });
  });

  it('has no fault when this host cannot find it', async () => {
    behave({ config: 'hostname no-such-host.invalid\nport 22\n' });
    expect(await probe()).toMatchObject({ kind: 'host-fault' });
  });

  it('is given up at once', async () => {
    const giveUp = new AbortController();
    const { config } = await serve(() => giveUp.abort());
    behave({ config });
    const { kind, tookMs } = await probe({ ...patient, signal: giveUp.signal });
    expect(kind).toBe('host-fault');
    expect(tookMs).toBeLessThan(5_000);
  });
});

describe('a host that is reached through a proxy', () => {
  it.each([
    [{ code: 0 }, 'ok', ''],
    [{ code: 127, stderr: 'true: not found' }, 'ok', 'ssh exited with 127: true: not found'],
    [{ code: 255, stderr: 'root@vm: Permission denied (publickey).' }, 'ok', 'Permission denied'],
    [{ code: 255, stderr: 'Host key verification failed.' }, 'ok', 'Host key'],
    [
      { code: 255, stderr: '/bin/sh: 1: exec: nc: not found\nConnection closed' },
      'host-fault',
      'exec: nc: not found; try: ssh vm true',
    ],
    [
      { code: 255, stderr: 'kex_exchange_identification: read: Connection reset by peer' },
      'refused',
      'reset',
    ],
    [{ code: 255, stderr: 'Connection timed out during banner exchange' }, 'timed-out', 'banner exchange'],
  ])('%j is %s', async (behaviour, kind, detail) => {
    behave({ config: viaProxy, ...behaviour });
    const result = await probe();
    expect(result.kind).toBe(kind);
    expect(result.detail).toContain(detail);
  });

  it('is asked without any way to ask back', async () => {
    const log = join(await scratch(), 'log');
    behave({ config: viaProxy, log });
    vi.stubEnv('SSH_ASKPASS', '/bin/false');
    expect(await probe()).toMatchObject({ kind: 'ok' });
    const calls = (await readFile(log, 'utf8')).trim().split('\n');
    const [, login] = calls.map((line) => JSON.parse(line) as { args: string[]; askpass?: string });
    expect(login?.askpass).toBeUndefined();
    expect(login?.args).toEqual(expect.arrayContaining(['BatchMode=yes', '-n', '-T', 'ControlPath=none']));
    expect(login?.args.slice(-3)).toEqual(['--', 'vm', 'true']);
  });

  it('has timed out when it hangs, and what it started is killed with it', async () => {
    const grandchild = join(await scratch(), 'pid');
    behave({ config: viaProxy, hang: true, grandchild });
    const { kind, tookMs } = await probe(hasty);
    expect(kind).toBe('timed-out');
    expect(tookMs).toBeLessThan(2_500);
    const pid = Number(await readFile(grandchild, 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('is well although something that it started holds its pipes, which is killed', async () => {
    const grandchild = join(await scratch(), 'pid');
    behave({ config: viaProxy, grandchild });
    const { kind, tookMs } = await probe();
    expect(kind).toBe('ok');
    expect(tookMs).toBeLessThan(5_000);
    const pid = Number(await readFile(grandchild, 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});

describe('a host that ssh cannot resolve', () => {
  it('has no fault when there is no ssh', async () => {
    expect(await probe({ ...patient, ssh: '/no/such/ssh' })).toMatchObject({
      kind: 'host-fault',
      detail: 'no ssh binary in PATH; install openssh-client',
    });
  });

  it('has no fault when the configuration is bad', async () => {
    behave({ configExit: 255, stderr: '/root/.ssh/config: line 1: Bad configuration option: foo\n' });
    const { kind, detail } = await probe();
    expect(kind).toBe('host-fault');
    expect(detail).toContain('Bad configuration option: foo; fix ~/.ssh/config');
  });
});

describe('SshResolver', () => {
  it('asks once in ten minutes, and again soon after a failure', async () => {
    const log = join(await scratch(), 'log');
    behave({ config: viaProxy, log });
    let now = 0;
    const resolver = new SshResolver(() => now);
    const asked = async () => (await readFile(log, 'utf8')).trim().split('\n').length;
    await resolver.resolve('vm', patient);
    now = 599_999;
    expect(await resolver.resolve('vm', patient)).toEqual({ kind: 'command' });
    expect(await asked()).toBe(1);
    now = 600_000;
    await resolver.resolve('vm', patient);
    expect(await asked()).toBe(2);
    now += 29_999;
    resolver.failed('vm', patient);
    await resolver.resolve('vm', patient);
    expect(await asked()).toBe(2);
    now += 1;
    resolver.failed('vm', patient);
    await resolver.resolve('vm', patient);
    expect(await asked()).toBe(3);
  });
});

describe('readGuestFacts', () => {
  it('reads the mask and the level', async () => {
    behave({ stdout: '438\n4\t4\t1\t7\n' });
    expect(await readGuestFacts('vm', patient)).toMatchObject({ sysrqMask: 438, loglevel: 4 });
  });

  it('reads the level of a kernel without SysRq', async () => {
    behave({ stdout: '7\t4\t1\t7\n', stderr: "cat: can't open", code: 1 });
    expect(await readGuestFacts('vm', patient)).toMatchObject({ sysrqMask: null, loglevel: 7 });
  });

  it.each([{ code: 255, stdout: '1\n' }, { stdout: '\u0000'.repeat(500_000) }, { stdout: '' }])(
    'reads nothing from %.40j',
    async (behaviour) => {
      behave(behaviour);
      expect(await readGuestFacts('vm', patient)).toEqual(NO_FACTS);
    },
  );

  it('reads nothing from a guest that hangs', async () => {
    behave({ stdout: '1\n', hang: true });
    expect(await readGuestFacts('vm', hasty)).toEqual(NO_FACTS);
  });
});
