import { join } from 'node:path';
import { hardware } from '../../src/guest/qemu-command.js';
import type { Machine } from './guest-units.js';

/** What the units of a guest read: QEMU's arguments, and the kernel's beside them. */
interface KdevopsArguments {
  args: string[];
  kernelArgs: string;
}

/**
 * QEMU's arguments in the form in which kdevops gives them: its defaults stay, memory that can be shared comes through
 * `-machine`, the serial console and a virtio console are beside each other, the share's server has a socket of systemd.
 * Emulated instead of KVM, without a vsock, which takes a device of the host.
 * @param runtime directory of the user's sockets
 */
export function kdevopsArguments(machine: Machine, runtime: string): KdevopsArguments {
  const { vm, port, image, memory = '384M', log, hvc = true } = machine;
  const own = join(runtime, 'qemu-system', vm);
  const share = join(runtime, 'virtiofsd', `${vm}-store`, 'virtiofsd.sock');
  const copied = ['-chardev', `stdio,id=console,mux=on,signal=off,logfile=${log ?? ''}`];
  const args = [
    ['-machine', 'type=q35'],
    hardware,
    ['-m', memory],
    ['-smp', '2'],
    ['-nic', `user,id=net,model=virtio-net-pci-non-transitional,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ['-nographic'],
    log === undefined
      ? ['-serial', 'mon:stdio']
      : [...copied, '-serial', 'chardev:console', '-mon', 'console'],
    ['-qmp', `unix:${own}/qmp.sock,server=on,wait=off`],
    ['-object', `memory-backend-memfd,id=mem,size=${memory},share=on`],
    ['-machine', 'memory-backend=mem'],
    ['-chardev', `socket,id=virtiofs_store,path=${share}`],
    ['-device', 'vhost-user-fs-pci,queue-size=1024,chardev=virtiofs_store,tag=store'],
    ['-device', 'virtio-serial-pci'],
    ['-chardev', `socket,id=hvc0,path=${own}/console.sock,server=on,wait=off`],
    ['-device', 'virtconsole,chardev=hvc0'],
    machine.extra ?? [],
    ['-kernel', image.kernel],
    image.initrd === null ? [] : ['-initrd', image.initrd],
  ].flat();
  const consoles = [
    ...(hvc === 'alone' ? [] : ['console=ttyS0,115200']),
    ...(hvc === false ? [] : ['console=hvc0']),
  ].join(' ');
  return { args, kernelArgs: `${consoles} panic=0 no_timer_check ${machine.append}` };
}
