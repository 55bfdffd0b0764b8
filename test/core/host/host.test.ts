import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQemuOf, kernelCommandLineOf, parseCmdline, servedSocket } from '../../../src/core/host/argv.js';
import { consoleFileOf } from '../../../src/core/host/consoles.js';
import { parseStat, parseTimes } from '../../../src/core/host/stat.js';
import { connectionsTo, listeningPaths } from '../../../src/core/host/unix-table.js';
import { vhostUsersOf } from '../../../src/core/host/vhost-user.js';

const QEMU = [
  ...['/usr/bin/qemu-system-x86_64', '-M', 'q35', '-qmp', 'unix:/run/q/a/qmp.sock,server=on,wait=off'],
  ...['-append', 'console=ttyS0 quiet', '-chardev', 'socket,id=c0,path=/share/a.sock'],
  ...['-device', 'vhost-user-fs-pci,chardev=c0,tag=store', '-chardev', 'stdio,id=c1'],
  ...['-device', 'virtio-net-pci,netdev=n0', '-chardev', 'backend=socket,path=/x,,y.sock,id=c2'],
  ...['--device', 'driver=vhost-user-fs-device,tag=home,queue-size=1024,chardev=c2'],
  ...[
    '-device',
    'vhost-user-fs-pci,chardev=gone,tag=lost',
    '-device',
    'vhost-user-fs-pci,chardev=c1,tag=odd',
  ],
];

describe("QEMU's command line", () => {
  it.each([
    [['-serial', 'mon:stdio'], null],
    [['-serial', 'file:/c/a.log'], '/c/a.log'],
    [['-serial', 'file:a.log'], null],
    [['-chardev', 'stdio,id=c,mux=on,logfile=/c/a,,b.log,signal=off', '-serial', 'chardev:c'], '/c/a,b.log'],
    [['-chardev', 'stdio,id=c,logfile=/c/a.log', '-device', 'isa-serial,chardev=c'], '/c/a.log'],
    [['-chardev', 'file,id=c,path=/c/a.log', '-device', 'virtconsole,chardev=c'], '/c/a.log'],
    [['-chardev', 'socket,id=c,path=/c/a.sock', '-serial', 'chardev:c'], null],
    [['-chardev', 'stdio,id=m,logfile=/m', '-mon', 'chardev=m', '-serial', 'none'], null],
    [['-chardev', 'stdio,id=other,logfile=/m', '-serial', 'chardev:c'], null],
    [['-serial', 'unix:/s,server=on,wait=off,logfile=/c/a.log'], '/c/a.log'],
    [
      // As kdevops has it: the last console= is a socket, and the kernel prints to both.
      [
        ...['-chardev', 'stdio,id=c,logfile=/c/a.log', '-serial', 'chardev:c'],
        ...['-chardev', 'socket,id=h,path=/c/a.sock', '-device', 'virtconsole,chardev=h'],
        ...['-append', 'console=ttyS0,115200 console=hvc0'],
      ],
      '/c/a.log',
    ],
    [[], null],
  ])('%j: its console is written to %s', (argv, path) => {
    expect(consoleFileOf(argv)).toBe(path);
  });

  it('has the kernel command line, if any', () => {
    expect(kernelCommandLineOf(QEMU)).toBe('console=ttyS0 quiet');
    expect(kernelCommandLineOf(['qemu', '-append'])).toBeNull();
    expect(kernelCommandLineOf([])).toBeNull();
  });

  it('is told from others that name its socket', () => {
    const socket = '/run/q/a/qmp.sock';
    expect(isQemuOf(QEMU, socket)).toBe(true);
    expect(isQemuOf(['qemu-kvm', '-chardev', `socket,id=m,path=${socket},server=on`], socket)).toBe(true);
    expect(isQemuOf(QEMU, '/run/q/a/qmp.soc')).toBe(false);
    expect(isQemuOf(QEMU, '/q/a/qmp.sock')).toBe(false);
    expect(isQemuOf(['socat', '-', `unix:${socket}`], socket)).toBe(false);
    expect(isQemuOf(['/bin/sh', '-c', `qemu-system-x86_64 -qmp unix:${socket}`], socket)).toBe(false);
    expect(isQemuOf([], socket)).toBe(false);
  });

  it('never breaks the reader', () => {
    const word = fc.oneof(fc.constantFrom('-device', '-chardev', '-append', '--socket-path'), fc.string());
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        vhostUsersOf(argv);
        kernelCommandLineOf(argv);
        consoleFileOf(argv);
        servedSocket(argv, new Set(['']));
      }),
    );
  });
});

describe('servedSocket', () => {
  const sockets = new Set(['/share/a.sock', '/share/b.sock']);
  it.each([
    [['virtiofsd', '--socket-path=/share/a.sock', '--shared-dir', '/s'], '/share/a.sock'],
    [['virtiofsd', '--shared-dir=/s', '--socket-path', '/share/b.sock'], '/share/b.sock'],
    [['virtiofsd', '--socket=/share/a.sock'], '/share/a.sock'],
    [['virtiofsd', '-o', 'vhost_user_socket=/share/a.sock,source=/s'], '/share/a.sock'],
    [['virtiofsd', '--socket-path=/share/c.sock'], null],
    [['virtiofsd', '--socket-path'], null],
    [['rm', '/share/a.sock'], null],
    [QEMU, null],
  ])('of %j is %s', (argv, socket) => expect(servedSocket(argv, sockets)).toBe(socket));
});

describe('parseCmdline', () => {
  it('keeps empty arguments', () => {
    expect(parseCmdline('a\0\0b c\0')).toEqual(['a', '', 'b c']);
    expect(parseCmdline('')).toEqual([]);
  });
});

describe('parseStat', () => {
  const rest = '1 513 513 0 -1 4194560 100 0 3 0 716 44 0 0 20 0 6 0 1000 123 456';
  it('reads state and CPU time behind the last parenthesis', () => {
    expect(parseStat(`513 (qemu-system-x86) S ${rest}\n`)).toEqual({
      comm: 'qemu-system-x86',
      state: 'S',
      cpuMs: 7600,
      startTicks: 1000,
    });
  });
  it('lets comm hold anything', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (comm) => {
        expect(parseStat(`7 (${comm}) T ${rest}\n`)).toMatchObject({ comm, state: 'T', cpuMs: 7600 });
      }),
    );
    expect(parseStat(`7 (a) R (b) D ${rest}`)?.state).toBe('D');
  });
  it.each(['', '7 (x', '7 x) S', '7 (x) S 1 2', '7 (x) 12 34', `7 (x) S ${rest.slice(0, 50)}`])(
    'refuses %j',
    (text) => {
      expect(parseStat(text)).toBeNull();
    },
  );
});

describe('parseTimes', () => {
  it('reads two numbers, in milliseconds', () => {
    expect(parseTimes('148369057351 2500000 1180\n')).toEqual({ ranMs: 148_369.057351, waitedMs: 2.5 });
  });
  it.each(['', '0 0', 'a b c', '1 2 3 4'])('refuses %j', (text) => {
    expect(parseTimes(text)).toBeNull();
  });
});

describe('connectionsTo', () => {
  // As Linux 6.1 printed it for a QEMU with one client served, two in the backlog.
  const table = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '000000009a8439ac: 00000003 00000000 00000000 0001 02     0 /tmp/q.sock',
    '00000000f9c07380: 00000003 00000000 00000000 0001 02     0 /tmp/q.sock',
    '000000002548ca5f: 00000002 00000000 00010000 0001 01 26687 /tmp/q.sock',
    '000000001da7e73e: 00000003 00000000 00000000 0001 03 26689 /tmp/q.sock',
    '000000001da7e73f: 00000003 00000000 00000000 0001 03 26690 /tmp/q.sock2',
    '000000001da7e740: 00000003 00000000 00000000 0001 03 26691',
    '',
  ].join('\n');

  it('tells served from waiting clients, and the listener from both', () => {
    expect(connectionsTo('/tmp/q.sock', table)).toEqual({ accepted: [26689], waiting: 2 });
    expect(connectionsTo('/tmp/other.sock', table)).toEqual({ accepted: [], waiting: 0 });
  });
});

it('who listens stands in the list of unix sockets, and nobody else', () => {
  const table = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000000: 00000002 00000000 00010000 0001 01 21345 /run/user/1000/qemu-system/vm a/qmp.sock',
    '0000000000000000: 00000003 00000000 00000000 0001 03 21346 /run/accepted',
    '0000000000000000: 00000002 00000000 00000000 0002 01   713 /run/datagrams',
    '0000000000000000: 00000002 00000000 00010000 0001 01  9999 @abstract',
    '0000000000000000: 00000002 00000000 00010000 0001 01    17 relative.sock',
    '0000000000000000: 00000002 00000000 00010000 0005 01    18 /run/udev/control',
    '0000000000000000: 00000003 00000000 00000000 0001 03 21347',
    '',
  ].join('\n');
  expect(listeningPaths(table)).toEqual(
    new Set(['/run/user/1000/qemu-system/vm a/qmp.sock', '/run/udev/control']),
  );
});
