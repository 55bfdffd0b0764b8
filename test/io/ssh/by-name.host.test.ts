/** A guest that ssh knows nothing of: its name is no host, and the arguments of its QEMU tell the way. */
import dns from 'node:dns';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WayIn } from '../../../src/core/host/machine.js';
import { NO_FACTS } from '../../../src/core/ssh/guest-facts.js';
import { armGuest } from '../../../src/io/ssh/set-sysrq.js';
import { runCommand } from '../../../src/io/ssh/run-command.js';
import { readGuestFacts } from '../../../src/io/ssh/read-facts.js';
import { probeSsh } from '../../../src/io/ssh/probe.js';
import { noLogin, type SshOptions, SshResolver } from '../../../src/io/ssh/resolve.js';
import { behave, ssh } from '../../support/fake-ssh.js';
import { scratch } from '../../support/qmp-failure.js';

const VM = 'vm-1a2b3c4d';
const UNKNOWN = `user root\nhostname ${VM}\nport 22\nproxycommand none\n`;
const GREETED = 'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.9\n';
const FIX =
  /ssh does not know vm-1a2b3c4d: add its Include line to ~\/\.ssh\/config \(kdevops: Include .*config\.d\/\*\.conf\), or set ssh\.configFile, or ssh: in its guests entry/;
const patient: SshOptions = { timeoutMs: 10_000, ssh };

/** What ssh does, and the arguments it was called with. */
async function answer(behaviour: object): Promise<{ calls: () => Promise<string[][]> }> {
  const log = join(await scratch(), 'log');
  behave({ config: UNKNOWN, log, ...behaviour });
  const calls = async () => {
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    return lines.map((line) => (JSON.parse(line) as { args: string[] }).args);
  };
  return { calls };
}

/** Answers each lookup with a failure, and tells which names were looked up. */
function lookups(): string[] {
  const names: string[] = [];
  const spy = vi.spyOn(dns, 'lookup').mockImplementation((name: string, ...rest: unknown[]) => {
    names.push(name);
    const done = rest.at(-1) as (error: Error) => void;
    setImmediate(() =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })),
    );
  });
  onTestFinished(() => spy.mockRestore());
  return names;
}

async function sshd(): Promise<WayIn> {
  const server = createServer((client) => client.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.9\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { forward: { address: '127.0.0.1', port }, cid: null };
}

const probe = (wayIn: WayIn | null, more: Partial<SshOptions> = {}, resolver = new SshResolver()) =>
  probeSsh(VM, { ...patient, byName: { wayIn }, ...more }, resolver);

describe('a bare name that ssh does not know', () => {
  it('is never looked up, and the fix is named', async () => {
    await answer({});
    const names = lookups();
    const options = { vsockProxies: [] };
    for (const wayIn of [null, { forward: null, cid: null }, { forward: null, cid: 100 }]) {
      const { kind, detail } = await probe(wayIn, options);
      expect([kind, detail]).toEqual(['host-fault', expect.stringMatching(FIX)]);
    }
    expect(names).toEqual([]);
    // Whoever names a host by hand means it.
    expect(await probeSsh(VM, patient, new SshResolver())).toMatchObject({ kind: 'host-fault' });
    expect(names).toEqual([VM]);
  });

  it('is greeted over the port that its QEMU forwards, in this process', async () => {
    const { calls } = await answer({});
    const wayIn = await sshd();
    const names = lookups();
    const found = await probe(wayIn);
    expect(found).toMatchObject({ kind: 'ok', detail: 'SSH-2.0-OpenSSH_9.9', way: 'port' });
    expect(await calls()).toEqual([['-G', '--', VM]]);
    expect(names).toEqual([]);
  });

  it('is dead when nobody greets there', async () => {
    await answer({});
    const wayIn = { forward: { address: '127.0.0.1', port: 1 }, cid: null };
    expect(await probe(wayIn)).toMatchObject({ kind: 'refused', step: 'connect', way: 'port' });
  });

  it('is greeted through systemd-ssh-proxy, where it has nothing but a CID', async () => {
    const proxy = join(await scratch(), 'systemd-ssh-proxy');
    await writeFile(proxy, '');
    await chmod(proxy, 0o755);
    const { calls } = await answer({ stderr: GREETED, hang: true });
    const found = await probe({ forward: null, cid: 100 }, { vsockProxies: ['/no/such/proxy', proxy] });
    expect(found).toMatchObject({ kind: 'ok', detail: 'SSH-2.0-OpenSSH_9.9', way: 'vsock' });
    const [, login] = await calls();
    expect(login?.slice(0, 2)).toEqual(['-F', 'none']);
    expect(login).toEqual(
      expect.arrayContaining([
        `ProxyCommand=${proxy} vsock/100 22`,
        'ProxyUseFdpass=yes',
        'PreferredAuthentications=none',
      ]),
    );
  });

  it('is no place to log in: each login says why, and ssh is not run for it', async () => {
    const { calls } = await answer({ stdout: '438\n4\t4\t1\t7\n' });
    const options = { ...patient, byName: { wayIn: await sshd() } };
    expect(await noLogin(VM, options)).toMatch(FIX);
    expect(await readGuestFacts(VM, options)).toEqual(NO_FACTS);
    expect(await armGuest(VM, options)).toMatch(FIX);
    const steps: string[] = [];
    const result = await runCommand(VM, { ...options, connectMs: 1_000 }, (step) => steps.push(step));
    expect(result).toMatchObject({
      kind: 'no-login',
      step: 'login',
      detail: expect.stringMatching(FIX) as string,
    });
    expect(await calls()).toEqual([['-G', '--', VM]]);
    expect(steps).toEqual([]);
  });

  it('is asked for again within minutes, although its port answers', async () => {
    await answer({});
    const wayIn = await sshd();
    let now = 0;
    const resolver = new SshResolver(() => now);
    expect(await probe(wayIn, {}, resolver)).toMatchObject({ way: 'port' });
    await answer({ config: 'hostname vsock/100\nport 22\nproxycommand p\n', stderr: GREETED });
    now = 179_000;
    expect(await probe(wayIn, {}, resolver)).toMatchObject({ way: 'port' });
    now = 180_000;
    const known = await probe(wayIn, {}, resolver);
    expect(known.kind).toBe('ok');
    expect(known.way).toBeUndefined();
  });
});

describe('ssh.configFile', () => {
  it('may begin with the home directory', async () => {
    const { calls } = await answer({});
    await mkdir(join(homedir(), 'bench'));
    await writeFile(join(homedir(), 'bench/vm.conf'), '');
    await probe(null, { config: '~/bench/vm.conf' });
    expect((await calls())[0]?.slice(0, 2)).toEqual(['-F', join(homedir(), 'bench/vm.conf')]);
  });

  it('is no fault of the guest where it is not there, and how to mend it is said', async () => {
    const config = join(await scratch(), 'vm.conf');
    const { kind, detail } = await probeSsh(
      'vm',
      { timeoutMs: 5_000, config, byName: { wayIn: null } },
      new SshResolver(),
    );
    expect(kind).toBe('host-fault');
    expect(detail).toMatch(
      /^ssh\.configFile cannot be read \(.*ENOENT.*vm\.conf.*\); write it, or correct ssh\.configFile/,
    );
  });
});
