import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQemu, qmpSocketsOf } from '../../../src/core/host/argv.js';
import { machineOf } from '../../../src/core/host/machine.js';

/** Of a guest without an image: its kernel is given, its filesystems are shares. */
const SHARED = [
  '/nix/store/0c1x-qemu-10.0.3/bin/qemu-system-x86_64',
  ...['-machine', 'type=q35', '-accel', 'kvm', '-cpu', 'host', '-m', '4096', '-smp', '4'],
  ...[
    '-nic',
    'user,model=virtio-net-pci-non-transitional,hostfwd=tcp:127.0.0.1:10023-:22',
    '-device',
    'vhost-vsock-pci-non-transitional,guest-cid=101',
  ],
  ...['-object', 'memory-backend-memfd,id=mem,size=4096M,share=on', '-machine', 'memory-backend=mem'],
  ...['-chardev', 'socket,id=virtiofs_store,path=/run/user/1000/virtiofsd/vm-1a2b3c4d-store/virtiofsd.sock'],
  ...['-device', 'vhost-user-fs-pci,queue-size=1024,chardev=virtiofs_store,tag=store'],
  ...['-device', 'virtio-serial', '-nographic', '-serial', 'mon:stdio'],
  ...['-qmp', 'unix:/run/user/1000/qemu-system/vm-1a2b3c4d/qmp.sock,server=on,wait=off'],
  ...['-kernel', '/nix/store/9f-linux/boot/bzImage-7.1.0-rc3-00042-gdeadbeef'],
  ...['-append', 'root=tmpfs console=ttyS0,115200 console=hvc0 init=/nix/store/1b-nixos/init'],
];

const of = (...argv: string[]) => machineOf(7, ['qemu-system-x86_64', ...argv]);

describe("what QEMU's arguments tell", () => {
  it('is all there is to know of a guest without an image', () => {
    expect(machineOf(7, SHARED)).toEqual({
      pid: 7,
      model: 'q35, 4 vCPUs, 4096 MiB, kvm',
      release: '7.1.0-rc3-00042-gdeadbeef',
      commandLine: 'root=tmpfs console=ttyS0,115200 console=hvc0 init=/nix/store/1b-nixos/init',
      forward: { address: '127.0.0.1', port: 10023 },
      cid: 101,
    });
    expect(qmpSocketsOf(SHARED)).toEqual(['/run/user/1000/qemu-system/vm-1a2b3c4d/qmp.sock']);
  });

  it('is little of one without options', () => {
    expect(of()).toEqual({
      pid: 7,
      model: 'default machine, 1 vCPUs, 128 MiB, tcg',
      release: null,
      commandLine: null,
      forward: null,
      cid: null,
    });
  });

  it.each([
    [['-M', 'pc-q35-10.0,accel=kvm:tcg'], 'pc-q35-10.0, 1 vCPUs, 128 MiB, kvm:tcg'],
    [['-machine', 'q35', '-enable-kvm', '-m', '2G'], 'q35, 1 vCPUs, 2048 MiB, kvm'],
    [['-machine', 'microvm', '-accel', 'tcg,thread=multi'], 'microvm, 1 vCPUs, 128 MiB, tcg'],
    [['-smp', 'sockets=2,cores=4,threads=2'], 'default machine, 16 vCPUs, 128 MiB, tcg'],
    [['-smp', 'cpus=3,maxcpus=8'], 'default machine, 3 vCPUs, 128 MiB, tcg'],
    [['-m', 'size=1T,slots=2'], 'default machine, 1 vCPUs, 1048576 MiB, tcg'],
    [['-m', 'lots', '-smp', '99999999999'], 'default machine, ? vCPUs, ? MiB, tcg'],
    [['-machine', '\u001b[2J'], 'default machine, 1 vCPUs, 128 MiB, tcg'],
  ])('%j is the machine %s', (argv, model) => expect(of(...argv).model).toBe(model));

  it.each([
    ['/boot/vmlinuz-6.1.0-30-amd64', '6.1.0-30-amd64'],
    ['bzImage-6.12.3', '6.12.3'],
    ['/boot/Image-6.12.0+', '6.12.0+'],
    ['/boot/bzImage', null],
    ['/boot/vmlinuz-latest', null],
    ['/boot/bzImage-6.1/x', null],
    [`/boot/bzImage-6.1.${'0'.repeat(80)}`, null],
    ['/boot/bzImage-6.1.0 \u001b[2J', null],
  ])('of -kernel %s the release is %s', (path, release) => expect(of('-kernel', path).release).toBe(release));

  it.each([
    ['-netdev', 'user,id=n0,hostfwd=tcp::2222-:22', { address: '127.0.0.1', port: 2222 }],
    ['-nic', 'user,hostfwd=tcp:0.0.0.0:2222-10.0.2.15:22', { address: '127.0.0.1', port: 2222 }],
    ['-nic', 'user,hostfwd=:127.0.0.2:2222-:22', { address: '127.0.0.2', port: 2222 }],
    ['-nic', 'user,hostfwd=tcp::8080-:80,hostfwd=tcp::2222-:22', { address: '127.0.0.1', port: 2222 }],
    ['-nic', 'user,hostfwd=udp::2222-:22', null],
    ['-nic', 'user,hostfwd=tcp::2222-:2222', null],
    ['-nic', 'user,hostfwd=tcp::70000-:22', null],
    ['-nic', 'user,hostfwd=tcp:evil.example:2222-:22', null],
    ['-device', 'user,hostfwd=tcp::2222-:22', null],
  ])('%s %s forwards %j', (option, value, forward) => expect(of(option, value).forward).toEqual(forward));

  it.each([
    ['vhost-vsock-pci,guest-cid=3', 3],
    ['vhost-vsock-device,id=v,guest-cid=4294967294', 4_294_967_294],
    ['vhost-vsock-pci,guest-cid=2', null],
    ['vhost-vsock-pci,guest-cid=4294967295', null],
    ['vhost-vsock-pci,guest-cid=9;reboot', null],
    ['virtio-net-pci,guest-cid=9', null],
  ])('of -device %s the CID is %s', (device, cid) => expect(of('-device', device).cid).toBe(cid));

  it('is bounded and printable, whatever they are', () => {
    const option = fc.constantFrom(
      '-machine',
      '-M',
      '-m',
      '-smp',
      '-accel',
      '-kernel',
      '-append',
      '-nic',
      '-device',
    );
    const word = fc.oneof(option, fc.string(), fc.string({ minLength: 5_000, maxLength: 6_000 }));
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        const { model, release, commandLine } = machineOf(1, argv);
        expect(model.length).toBeLessThan(160);
        expect(release?.length ?? 0).toBeLessThan(70);
        expect(commandLine?.length ?? 0).toBeLessThanOrEqual(4_096);
        expect(`${model}${commandLine ?? ''}`).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

it.each([
  ['/nix/store/0c1x-qemu/bin/qemu-system-x86_64', true],
  ['/usr/libexec/qemu-kvm', true],
  ['.qemu-system-x86_64-wrapped', true],
  ['varlinkctl', false],
  ['socat', false],
  ['qemu-img', false],
  ['/usr/bin/qemu-storage-daemon', false],
  ['/var/lib/qemu-system/helper', false],
])('%s may be a guest: %s', (program, is) => expect(isQemu([program])).toBe(is));
