import { describe, expect, it } from 'vitest';
import { bannerOf } from '../../../src/core/ssh/banner.js';
import { routeOf } from '../../../src/core/ssh/ssh-config.js';
import { withoutDebug } from '../../../src/core/ssh/command-probe.js';
import { factsOf } from '../../../src/core/ssh/guest-facts.js';
import { sshOutcome, tcpOutcome } from '../../../src/core/ssh/outcome.js';

describe('routeOf', () => {
  const tcp = { kind: 'tcp', hostname: '127.0.0.1', port: 2201 };
  it.each([
    ['user root\nhostname 127.0.0.1\nport 2201\nproxyusefdpass no\n', tcp],
    ['hostname 127.0.0.1\nport 2201\nproxycommand none\n', tcp],
    ['hostname 127.0.0.1\nport 2201\nproxyjump bastion\n', { kind: 'command' }],
    ['hostname vm\nport 22\nproxycommand nc %h %p\n', { kind: 'command' }],
    ['hostname vsock/3\nport 22\n', { kind: 'command' }],
    ['hostname unix/run/x\nport 22\n', { kind: 'command' }],
    ['port 22\n', null],
    ['hostname vm\nport 0\n', null],
    ['hostname vm\nport none\n', null],
    ['', null],
  ])('of %j', (printed, route) => expect(routeOf(printed, 'vm')).toEqual(route));
});

describe('tcpOutcome', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'refused'],
    ['EHOSTUNREACH', 'timed-out'],
    ['ENETUNREACH', 'timed-out'],
    ['ETIMEDOUT', 'timed-out'],
    ['ENOTFOUND', 'host-fault'],
    ['EAI_AGAIN', 'host-fault'],
    ['EACCES', 'host-fault'],
    ['EMFILE', 'host-fault'],
    [undefined, 'host-fault'],
  ])('%s is %s', (code, outcome) => expect(tcpOutcome(code)).toBe(outcome));
});

describe('sshOutcome', () => {
  const kex =
    'kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535';
  it.each([
    [0, '', 'ok'],
    [127, 'sh: true: not found', 'ok'],
    [255, 'root@vm: Permission denied (publickey,password).', 'ok'],
    [255, 'Host key verification failed.', 'ok'],
    [255, '@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@', 'ok'],
    [255, 'Unable to negotiate with 1.2.3.4 port 22: no matching host key type found.', 'ok'],
    [255, 'ssh: Could not resolve hostname vm: Name or service not known', 'host-fault'],
    [255, '/home/a/.ssh/config: line 3: Bad configuration option: foo', 'host-fault'],
    [255, 'vdollar_percent_parse: env var ${KEYS} has no value', 'host-fault'],
    [255, 'Bad owner or permissions on /home/a/.ssh/config', 'host-fault'],
    [255, `/bin/sh: 1: exec: no-such-proxy: not found\n${kex}`, 'host-fault'],
    [255, `bash: line 1: /no/proxy: No such file or directory\n${kex}`, 'host-fault'],
    [255, `zsh:1: command not found: proxy\n${kex}`, 'host-fault'],
    [255, 'ssh: connect to host vm port 22: Permission denied', 'host-fault'],
    [255, 'ssh: connect to host vm port 22: Connection refused', 'refused'],
    [255, kex, 'refused'],
    [255, 'Connection reset by 1.2.3.4 port 22', 'refused'],
    // A key that is configured but absent is a warning only.
    [255, `no such identity: /home/a/.ssh/k: No such file or directory\n${kex}`, 'refused'],
    [255, 'Failed to connect to vsock:9:22: No such device', 'refused'],
    [255, '', 'refused'],
    [255, 'ssh: connect to host vm port 22: Connection timed out', 'timed-out'],
    [255, 'Connection timed out during banner exchange', 'timed-out'],
    [255, 'ssh: connect to host vm port 22: No route to host', 'timed-out'],
  ])('%i with %j is %s', (code, stderr, outcome) => expect(sshOutcome(code, stderr).kind).toBe(outcome));
});

it('sshOutcome quotes the line that decided', () => {
  const stderr = 'Warning: added.\r\n/bin/sh: 1: exec: nc: not found\r\nConnection closed\r\n';
  expect(sshOutcome(255, stderr).line).toBe('/bin/sh: 1: exec: nc: not found');
  expect(sshOutcome(255, 'a\nConnection closed\n').line).toBe('Connection closed');
});

describe('bannerOf', () => {
  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', { kind: 'banner', text: 'SSH-2.0-OpenSSH_9.2' }],
    ['Welcome\r\nto us\nSSH-2.0-x\n', { kind: 'banner', text: 'SSH-2.0-x' }],
    ['SSH-2.0-Open', { kind: 'more' }],
    ['not SSH-2.0-x\n', { kind: 'more' }],
    ['', { kind: 'more' }],
    ['x'.repeat(8193), { kind: 'not-ssh' }],
  ])('of %.30j', (received, banner) => expect(bannerOf(received)).toEqual(banner));
});

describe('factsOf', () => {
  it.each([
    ['438\n7\t4\t1\t7\n', { sysrqMask: 438, loglevel: 7 }],
    ['Welcome!\n16\r\n4\t4\t1\t7\r\n', { sysrqMask: 16, loglevel: 4 }],
    ['7\t4\t1\t7\n', { sysrqMask: null, loglevel: 7 }],
    ['1\n', { sysrqMask: 1, loglevel: null }],
    ['99999999999\n\u001b[2J', { sysrqMask: null, loglevel: null }],
    ['', { sysrqMask: null, loglevel: null }],
  ])('of %j', (printed, facts) => expect(factsOf(printed)).toMatchObject(facts));
});

it('does not take an option that this ssh was built without for its last word', () => {
  const refused = 'kex_exchange_identification: read: Connection reset by peer';
  const said = `command-line line 0: Unsupported option "gssapidelegatecredentials"\n${refused}`;
  expect(sshOutcome(255, withoutDebug(said))).toEqual({ kind: 'refused', line: refused });
});
