import { describe, expect, it } from 'vitest';
import { vhostUsersOf } from '../../../src/core/host/vhost-user.js';

/** Of QEMU as a user unit starts it: each share behind the socket of its own unit. */
const SHARES = [
  ...['/nix/store/0abc-qemu-10.0/bin/qemu-system-x86_64', '-machine', 'type=q35', '-m', '4096'],
  ...['-nic', 'user,model=virtio-net-pci-non-transitional,hostfwd=tcp:127.0.0.1:10023-:22'],
  ...['-device', 'vhost-vsock-pci-non-transitional,guest-cid=101', '-nographic', '-serial', 'mon:stdio'],
  ...['-object', 'memory-backend-memfd,id=mem,size=4096M,share=on', '-machine', 'memory-backend=mem'],
  ...['-chardev', 'socket,id=virtiofs_store,path=/run/user/1000/virtiofsd/vm-1a2b3c4d-store/virtiofsd.sock'],
  ...['-device', 'vhost-user-fs-pci,queue-size=1024,chardev=virtiofs_store,tag=store'],
  ...['-chardev', 'socket,id=virtiofs_modules,path=/run/user/1000/virtiofsd/vm-1a2b3c4d-modules/virtiofsd.sock'],
  ...['-device', 'vhost-user-fs-pci,queue-size=1024,chardev=virtiofs_modules,tag=modules'],
  ...['-qmp', 'unix:/run/user/1000/qemu-system/vm-1a2b3c4d/qmp.sock,server=on,wait=off'],
]; // prettier-ignore

const plain = { hidden: null, listens: false, reconnects: false };
const of = (chardev: string, device = 'vhost-user-blk-pci,id=d0,chardev=c') =>
  vhostUsersOf(['qemu', '-chardev', chardev, '-device', device]);

describe('the vhost-user devices of a command line', () => {
  it('are the shares of a guest, each with the socket of its server', () => {
    expect(vhostUsersOf(SHARES)).toEqual([
      { tag: 'store', kind: 'fs', socket: '/run/user/1000/virtiofsd/vm-1a2b3c4d-store/virtiofsd.sock', ...plain },
      { tag: 'modules', kind: 'fs', socket: '/run/user/1000/virtiofsd/vm-1a2b3c4d-modules/virtiofsd.sock', ...plain },
    ]); // prettier-ignore
  });

  it.each([
    ['vhost-user-blk-pci,id=d0,chardev=c', 'blk', 'd0'],
    ['vhost-user-blk,chardev=c', 'blk', 'c'],
    ['vhost-user-scsi-pci-non-transitional,id=s,chardev=c', 'scsi', 's'],
    ['driver=vhost-user-fs-device,tag=home,queue-size=1024,chardev=c', 'fs', 'home'],
    ['x-vhost-user-rng-pci,chardev=c', 'rng', 'c'],
    ['{"driver":"vhost-user-blk-pci","id":"d0","chardev":"c","num-queues":2}', 'blk', 'd0'],
    ['vhost-user-fs-pci,chardev=c,tag=a,,b', 'fs', 'a,b'],
  ])('%s', (device, kind, tag) => {
    expect(of('socket,id=c,path=/a.sock', device)).toEqual([{ tag, kind, socket: '/a.sock', ...plain }]);
  });

  it.each([
    [['-netdev', 'vhost-user,id=n0,chardev=c'], 'net', 'n0'],
    [['-netdev', 'type=vhost-user,id=n0,chardev=c'], 'net', 'n0'],
    [['-netdev', '{"type":"vhost-user","id":"n0","chardev":"c"}'], 'net', 'n0'],
    [['-object', 'cryptodev-vhost-user,id=k,chardev=c'], 'crypto', 'k'],
  ])('%j is one too', (more, kind, tag) => {
    const found = vhostUsersOf(['qemu', '-chardev', 'socket,id=c,path=/n.sock', ...more]);
    expect(found).toEqual([{ tag, kind, socket: '/n.sock', ...plain }]);
  });

  it.each([
    ['socket,id=c,path=/x,,y.sock', { socket: '/x,y.sock' }],
    ['backend=socket,path=/x.sock,id=c', { socket: '/x.sock' }],
    ['socket,id=c,path=x.sock', { socket: 'x.sock' }],
    ['socket,id=c,path=/x.sock,server=on,wait=off', { listens: true }],
    ['socket,id=c,path=/x.sock,server,nowait', { listens: true }],
    ['socket,id=c,path=/x.sock,server=off', { listens: false }],
    ['socket,id=c,path=/x.sock,reconnect=5', { reconnects: true }],
    ['socket,id=c,path=/x.sock,reconnect-ms=500', { reconnects: true }],
    ['socket,id=c,path=/x.sock,reconnect=0', { reconnects: false }],
    ['socket,id=c,path=virtiofs,abstract=on', { socket: '@virtiofs' }],
    ['socket,id=c,fd=7', { hidden: "QEMU's arguments give no path for its character device c" }],
    ['stdio,id=c', { hidden: "QEMU's arguments give no path for its character device c" }],
    ['socket,id=other,path=/x', { hidden: "QEMU's arguments give no path for its character device c" }],
  ])('the socket of -chardev %s', (chardev, told) => {
    expect(of(chardev)).toEqual([expect.objectContaining(told)]);
  });

  it.each([
    ['virtio-blk-pci,drive=d'],
    ['vhost-vsock-pci,guest-cid=3'],
    ['{"driver":'],
    ['{"driver":7}'],
    ['virtio-net-pci,netdev=vhost-user-fs'],
  ])('%s is none', (device) => {
    expect(of('socket,id=c,path=/a.sock', device)).toEqual([]);
  });

  it('are bounded', () => {
    const many = Array.from({ length: 200 }, () => ['-device', 'vhost-user-fs-pci,chardev=c,tag=t']);
    expect(vhostUsersOf(many.flat())).toHaveLength(64);
  });
});
