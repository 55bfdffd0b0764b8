/** Where QMP is served, who is there, and what types on a console. */
import { describe, expect, it } from 'vitest';
import { consolesOf } from '../../../src/core/host/consoles.js';
import { domainConsoleFile } from '../../../src/core/host/domain-xml.js';
import { foundGuest } from '../../../src/core/host/found-guest.js';
import { isQemuOf, qmpAddressIn } from '../../../src/core/host/argv.js';
import { tcpPort } from '../../../src/core/host/tcp-table.js';
import { consoleInputOf } from '../../../src/core/capture/console-input.js';
import { virshFault } from '../../../src/core/qmp/virsh-faults.js';
import { qmpAddressOf } from '../../../src/core/qmp-address.js';

const LIBVIRT = 'qemu:///session';

describe('an address', () => {
  const session = { kind: 'libvirt', uri: LIBVIRT, domain: 'lab1' };
  it.each([
    ['/run/q.sock', { kind: 'unix', path: '/run/q.sock' }],
    ['tcp:127.0.0.1:4444', { kind: 'tcp', host: '127.0.0.1', port: 4444 }],
    ['tcp:[::1]:4444', { kind: 'tcp', host: '::1', port: 4444 }],
    ['tcp:lab-host:1', { kind: 'tcp', host: 'lab-host', port: 1 }],
    ['libvirt:lab1', { kind: 'libvirt', uri: null, domain: 'lab1' }],
    ['libvirt:qemu:///session/lab1', session],
    [
      'libvirt:qemu+ssh://root@host/system/ab',
      { ...session, uri: 'qemu+ssh://root@host/system', domain: 'ab' },
    ],
  ] as [string, object][])('%s', (text, address) => {
    expect(qmpAddressOf(text)).toEqual(address);
  });

  it.each([
    ...['q.sock', 'tcp:4444', 'tcp:h:0', 'tcp:h:65536', 'tcp:-x:1', 'libvirt:', 'libvirt:-x', 'libvirt:x/y'],
    ...['libvirt:qemu:///session/a b', `/${'x'.repeat(107)}`],
  ])('%s is none', (text) => {
    expect(qmpAddressOf(text)).toBeNull();
  });
});

const LIBVIRTS = [
  ...['/usr/bin/qemu-system-x86_64', '-name', 'guest=lab1,debug-threads=on'],
  ...['-chardev', 'socket,id=charmonitor,fd=23,server=on,wait=off'],
  ...['-mon', 'chardev=charmonitor,id=monitor,mode=control'],
];

describe("QEMU's QMP, by its arguments", () => {
  it.each([
    [['-qmp', 'unix:/q.sock,server=on,wait=off'], '/q.sock'],
    [['-qmp', 'unix:q.sock,server=on'], null],
    [['-qmp', 'tcp:127.0.0.1:4444,server=on'], 'tcp:127.0.0.1:4444'],
    [['-qmp', 'tcp:[::1]:4444,server=on'], 'tcp:[::1]:4444'],
    [['-qmp', 'tcp::4444,server,nowait'], 'tcp:127.0.0.1:4444'],
    [['-qmp', 'tcp:0.0.0.0:4444,server'], 'tcp:127.0.0.1:4444'],
    [['-chardev', 'socket,id=m,path=/m.sock,server=on', '-mon', 'chardev=m,mode=control'], '/m.sock'],
    [['-chardev', 'socket,id=m,host=::,port=44,server=on', '-mon', 'm,mode=control'], 'tcp:127.0.0.1:44'],
    [['-chardev', 'socket,id=m,path=/m.sock,server=on', '-mon', 'chardev=m'], null],
    [['-monitor', 'unix:/m.sock,server'], null],
    [['-qmp', 'stdio'], null],
    [LIBVIRTS.slice(1), 'libvirt:qemu:///session/lab1'],
  ])('%j is %s', (words, address) => {
    const argv = ['qemu-system-x86_64', ...words];
    expect(qmpAddressIn(argv, LIBVIRT)).toBe(address);
    if (address !== null) expect(isQemuOf(argv, address)).toBe(true);
  });

  it('is not taken for that of another', () => {
    expect(isQemuOf(LIBVIRTS, 'libvirt:lab2')).toBe(false);
    expect(isQemuOf(['qemu-kvm', '-name', 'lab1'], 'libvirt:lab1')).toBe(false);
    expect(isQemuOf(['qemu-kvm', '-qmp', 'tcp::4444,server'], 'tcp:127.0.0.1:4445')).toBe(false);
  });
});

/** As virtme-ng calls it: the kernel writes to a virtio console, which is QEMU's standard error. */
const VNG = [
  ...[
    'qemu-system-x86_64',
    '-name',
    'virtme-ng',
    '-M',
    'microvm,accel=kvm,pcie=on,rtc=on',
    '-parallel',
    'none',
  ],
  ...['-chardev', 'file,path=/proc/self/fd/2,id=dmesg', '-device', 'virtio-serial-pci'],
  ...['-device', 'virtconsole,chardev=dmesg', '-chardev', 'stdio,id=console,signal=off,mux=on'],
  ...[
    '-serial',
    'chardev:console',
    '-mon',
    'chardev=console',
    '-append',
    'console=hvc0 virtme_console=ttyS0',
  ],
  ...['-qmp', 'unix:/run/user/1000/vng.sock,server=on,wait=off'],
];
const links = (fds: Record<number, string>) => (fd: number) => fds[fd] ?? null;
const seen = (argv: string[], fds: Record<number, string>, cgroup = '') => ({
  ...{ pid: 7, argv, cgroup, link: links(fds), libvirt: LIBVIRT },
});

describe('a guest that is found by its process', () => {
  it('of virtme-ng has the file behind the console that its kernel writes to', () => {
    const fds = { 1: '/home/u/out.txt', 2: '/home/u/dmesg.txt' };
    expect(foundGuest(seen(VNG, fds), new Set())).toEqual({
      ...{ vm: 'virtme-ng', pid: 7, isDomain: false, qmp: '/run/user/1000/vng.sock' },
      ...{ consoleFile: '/home/u/dmesg.txt', unit: null },
    });
    expect(foundGuest(seen(VNG, fds), new Set(['virtme-ng'])).vm).toBe('virtme-ng-7');
  });

  it.each(['/dev/pts/3', 'pipe:[1]', '/home/u/dmesg.txt (deleted)', '/memfd:x', '/dev/null'])(
    'has no console at %s',
    (target) => {
      expect(foundGuest(seen(VNG, { 2: target }), new Set()).consoleFile).toBeNull();
    },
  );

  it('has the journal of its unit only where its console goes there', () => {
    const cgroup = '0::/user.slice/user-1.slice/user@1.service/app.slice/lab.service\n';
    const plain = ['qemu-system-x86_64', '-nographic'];
    expect(foundGuest(seen(plain, { 1: 'socket:[5]' }, cgroup), new Set()).unit).toBe('lab.service');
    expect(foundGuest(seen(plain, { 1: '/x.log' }, cgroup), new Set())).toMatchObject({
      ...{ vm: 'qemu-7', unit: null, consoleFile: '/x.log', qmp: null },
    });
    expect(foundGuest(seen(LIBVIRTS, { 1: 'socket:[5]' }, cgroup), new Set())).toMatchObject({
      ...{ vm: 'lab1', unit: null, isDomain: true },
    });
  });

  it('never takes a name that could be a path or an option', () => {
    for (const name of ['../x', '-rf', 'a b', ''])
      expect(foundGuest(seen(['qemu-kvm', '-name', name], {}), new Set()).vm).toBe('qemu-7');
  });
});

describe('the console of a domain', () => {
  it.each([
    [`<serial type='pty'><log file='/l&amp;1.log' append='on'/><target port='0'/></serial>`, '/l&1.log'],
    [`<serial type="file"><source path="/s.log"/></serial>`, '/s.log'],
    [`<serial type='pty'><source path='/dev/pts/3'/></serial>`, null],
    [`<channel type='file'><source path='/c.log'/></channel>`, null],
    [`<serial type='pty'/>\n<console type='file'><source path='/s.log'/></console>`, '/s.log'],
    ['', null],
  ])('%s', (xml, path) => {
    expect(domainConsoleFile(xml)).toBe(path);
  });
});

describe('keys on a console', () => {
  const on = (argv: string[], ...chardevs: [string, string][]) =>
    consoleInputOf(
      consolesOf(argv),
      chardevs.map(([label, filename]) => ({ label, filename })),
    );
  const serial = ['q', '-serial', 'pty', '-append', 'console=ttyS0'];
  const hvc = ['q', '-serial', 'pty', '-chardev', 'socket,id=c', '-device', 'virtconsole,chardev=c'];

  it('go to the one that the kernel was told last, as BREAK or ^O', () => {
    const both: [string, string][] = [
      ['serial0', 'pty:/dev/pts/4'],
      ['c', 'disconnected:unix:/c.sock,server=on'],
    ];
    expect(on(serial, ['serial0', 'pty:/dev/pts/4'])).toEqual({
      ...{ how: 'break', label: 'serial0', to: { pty: '/dev/pts/4' } },
    });
    expect(on([...hvc, '-append', 'console=ttyS0 console=hvc0'], ...both)).toEqual({
      ...{ how: 'control-o', label: 'c', to: { path: '/c.sock' } },
    });
    expect(on([...hvc, '-append', 'console=hvc0 console=ttyS0'], ...both)).toMatchObject({ how: 'break' });
  });

  it('find the device behind a multiplexer, and a port', () => {
    expect(on(serial, ['serial0', 'mux'], ['serial0-base', 'pty:/dev/pts/4'])).toMatchObject({
      label: 'serial0',
    });
    expect(on(serial, ['serial0', 'disconnected:tcp:127.0.0.1:99,server=on'])).toMatchObject({
      to: { host: '127.0.0.1', port: 99 },
    });
  });

  it.each([
    [[['serial0', 'file']], /serial0 is file/],
    [[['serial0', 'unix:/c.sock,server=on']], /serial0 is unix:\/c.sock/],
    [[['serial0', 'pty:/etc/shadow']], /serial0 is pty:/],
    [[['other', 'pty:/dev/pts/4']], /no console that is known/],
  ] as [[string, string][], RegExp][])(
    'are not typed where somebody else does, or nobody can: %j',
    (chardevs, why) => {
      expect(on(serial, ...chardevs)).toMatch(why);
    },
  );
});

describe('who is on a TCP port', () => {
  const row = (local: string, remote: string, state: string, inode: number) =>
    `   0: 0100007F:${local} 0100007F:${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
  it('listens, has accepted, or keeps waiting; what was hung up is none', () => {
    const table = [
      '  sl  local_address rem_address   st',
      row('115C', '0000', '0A', 10),
      row('115C', '9C40', '01', 11),
      row('115C', '9C41', '01', 0),
      row('115C', '9C42', '08', 12),
      row('9C40', '115C', '01', 13),
    ].join('\n');
    expect(tcpPort(0x115c, [table, ''])).toEqual({ listens: true, accepted: [0x9c40], waiting: 1 });
    expect(tcpPort(0x115d, [table])).toEqual({ listens: false, accepted: [], waiting: 0 });
  });
});

it.each([
  ["error: failed to get domain 'x'", 'missing'],
  ['error: Requested operation is not valid: domain is not running', 'missing'],
  ['error: Timed out during operation: cannot acquire state change lock (held by monitor=x)', 'busy'],
  [
    "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/x': Permission denied",
    'no-permission',
  ],
  ["error: Failed to connect socket to '/x': No such file or directory", 'no-libvirt'],
  ['', 'no-libvirt'],
] as const)('virsh that says %j is %s', (said, fault) => {
  expect(virshFault(said)).toBe(fault);
});
