/** A real ssh, a real sshd that records what arrives, and a person's configuration that gives guests everything. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { armGuest } from '../../../src/io/ssh/set-sysrq.js';
import { probeSsh } from '../../../src/io/ssh/probe.js';
import { readGuestFacts } from '../../../src/io/ssh/read-facts.js';
import { SshResolver } from '../../../src/io/ssh/resolve.js';
import { runCommand } from '../../../src/io/ssh/run-command.js';
import { SysrqSession } from '../../../src/io/ssh/sysrq-session.js';
import { scratch } from '../../support/qmp-failure.js';

/** Records its environment and what it was asked for, and runs nothing of it. */
const RECORDER = (directory: string) => `#!/bin/sh
env >>${directory}/environment
echo "$SSH_ORIGINAL_COMMAND" >>${directory}/commands
echo wedgewatch-begin
echo wedgewatch-end direct
echo sysrq-trigger: done
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const runTool = (tool: string, args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
  return stdout;
};

interface Guest {
  directory: string;
  config: string;
  /** What arrived since the last call. */
  arrived: () => Promise<{ requests: string[]; environment: string; commands: string; knownHosts: string }>;
}

/** An sshd, an agent, and the configuration of a person who trusts every host. */
async function hostileGuest(): Promise<Guest> {
  const directory = await scratch();
  const at = (name: string) => join(directory, name);
  const [port, local, dynamic] = [await freePort(), await freePort(), await freePort()];
  for (const [name, type] of [
    ['host-ed25519', 'ed25519'],
    ['host-ecdsa', 'ecdsa'],
    ['id', 'ed25519'],
  ] as const)
    runTool('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', at(name)]);
  await writeFile(at('record'), RECORDER(directory), { mode: 0o755 });
  await writeFile(
    at('sshd_config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${at('host-ed25519')}`,
      `HostKey ${at('host-ecdsa')}`,
      `AuthorizedKeysFile ${at('id.pub')}`,
      `ForceCommand ${at('record')}`,
      ...['StrictModes no', 'UsePAM no', 'PermitRootLogin yes', 'AcceptEnv *', 'X11Forwarding yes'],
      ...['PermitTunnel yes', 'PidFile none', 'LogLevel DEBUG2'],
    ].join('\n'),
  );
  await mkdir('/run/sshd', { recursive: true });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-f', at('sshd_config'), '-E', at('log')], { stdio: 'ignore' });
  onTestFinished(() => void sshd.kill());
  const hostKey = (await readFile(at('host-ed25519.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  await writeFile(at('known_hosts'), `vm ${hostKey}\n`);
  await writeFile(
    at('config'),
    [
      'Host *',
      ...['HostName 127.0.0.1', `Port ${port}`, 'HostKeyAlias vm', `IdentityFile ${at('id')}`],
      ...[`UserKnownHostsFile ${at('known_hosts')}`, 'StrictHostKeyChecking yes', 'UpdateHostKeys yes'],
      // Then even the probe of the banner goes through ssh.
      `ProxyCommand ${process.execPath} ${join(import.meta.dirname, '../../fixtures/pipe-proxy.mjs')} ${port}`,
      ...['ForwardAgent yes', 'ForwardX11 yes', 'ForwardX11Trusted yes', 'AddKeysToAgent yes'],
      ...[`LocalForward 127.0.0.1:${local} 127.0.0.1:22`, 'RemoteForward 127.0.0.1:0 127.0.0.1:22'],
      ...[
        `DynamicForward 127.0.0.1:${dynamic}`,
        'PermitLocalCommand yes',
        `LocalCommand touch ${at('local')}`,
      ],
      ...['RemoteCommand echo remote', 'RequestTTY force', 'SendEnv *', 'SetEnv CHOSEN=secret'],
    ].join('\n'),
  );
  const agent = runTool('ssh-agent', ['-a', at('agent')]);
  const agentPid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]);
  onTestFinished(() => void process.kill(agentPid));
  for (const [name, value] of [
    ['SSH_AUTH_SOCK', at('agent')],
    ['DISPLAY', ':99'],
    ['TOKEN', 'secret'],
  ] as const)
    vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect
    .poll(() => readFile(at('log'), 'utf8').catch(() => ''), { timeout: 10_000 })
    .toContain('listening');
  const seen = { log: 0, environment: 0, commands: 0 };
  const since = async (name: keyof typeof seen) => {
    const text = await readFile(at(name), 'utf8').catch(() => '');
    const fresh = text.slice(seen[name]);
    seen[name] = text.length;
    return fresh;
  };
  const arrived = async () => {
    const log = await since('log');
    const requests = [
      ...log.matchAll(/server_input_(?:channel_req: channel \d+ request|global_request: rtype) (\S+)/g),
    ].map(([, name]) => name ?? '');
    return {
      requests: [...new Set(requests)].sort(),
      environment: await since('environment'),
      commands: await since('commands'),
      knownHosts: await readFile(at('known_hosts'), 'utf8'),
    };
  };
  return { directory, config: at('config'), arrived };
}

it('brings nothing along that a person’s configuration gives to every host', async () => {
  const { directory, config, arrived } = await hostileGuest();
  const before = await readFile(join(directory, 'known_hosts'), 'utf8');
  const keysOfAgent = () => spawnSync('ssh-add', ['-l'], { encoding: 'utf8' }).stdout;
  const localCommands = () =>
    readFile(join(directory, 'local')).then(
      () => 'ran',
      () => 'none',
    );

  const options = { timeoutMs: 15_000, config };
  expect(await probeSsh('vm', options, new SshResolver())).toMatchObject({ kind: 'ok' });
  expect(await runCommand('vm', { ...options, connectMs: 10_000 }, () => undefined)).toMatchObject({
    kind: 'ok',
    detail: 'read past the page cache',
  });
  await readGuestFacts('vm', options);
  expect(await armGuest('vm', options)).toBeNull();
  const stop = new AbortController();
  expect(await new SysrqSession('vm', { ...options, signal: stop.signal }).press('h', 15_000)).toBeNull();
  stop.abort();

  const ours = await arrived();
  expect(ours.requests).toEqual(['env', 'exec', 'no-more-sessions@openssh.com']);
  expect(ours.environment).toContain('LC_ALL=C\n');
  expect(ours.environment).not.toMatch(/secret|^DISPLAY=/m);
  expect(ours.commands.trim().split('\n')).toHaveLength(4);
  expect(ours.commands).not.toContain('echo remote');
  expect([ours.knownHosts, keysOfAgent(), await localCommands()]).toEqual([
    before,
    'The agent has no identities.\n',
    'none',
  ]);

  // The same configuration does give all of that to a login by hand: else nothing was shown.
  const byHand = spawnSync('ssh', ['-F', config, '-n', 'vm'], { encoding: 'utf8', timeout: 15_000 });
  expect(byHand.status).toBe(0);
  const theirs = await arrived();
  expect(theirs.requests).toEqual(
    expect.arrayContaining([
      'auth-agent-req@openssh.com',
      'env',
      'exec',
      'pty-req',
      'tcpip-forward',
      'x11-req',
    ]),
  );
  expect(theirs.environment).toMatch(/^TOKEN=secret$/m);
  expect(theirs.environment).toMatch(/^CHOSEN=secret$/m);
  expect(theirs.commands).toBe('echo remote\n');
  expect(keysOfAgent()).toContain('ED25519');
  expect(await localCommands()).toBe('ran');
}, 90_000);
