import type { GuestImage } from './build.js';

export interface QemuOptions {
  vm: string;
  /** Without an initrd, `append` names a root that the kernel can mount by itself. */
  image: Pick<GuestImage, 'kernel'> & { initrd: string | null };
  qmpSocket: string;
  virtiofsdSocket: string;
  /** Port of 127.0.0.1 that leads to the guest's SSH. */
  sshPort: number;
  /** More of the kernel command line, e.g. `quiet wedge.mode=job`. */
  append: string;
  /** More of QEMU's arguments, e.g. another device. */
  extra?: readonly string[] | undefined;
  /** The serial console: QEMU's standard output, for the journal, perhaps with a copy in a file; or a file alone. */
  console: 'stdio' | { log: string } | { file: string };
  /** Default: 384M. */
  memory?: string | undefined;
}

function consoleArguments(output: QemuOptions['console']): string[] {
  if (output === 'stdio') return ['-serial', 'mon:stdio'];
  if ('file' in output) return ['-serial', `file:${output.file}`];
  const chardev = `stdio,id=console,mux=on,signal=off,logfile=${output.log}`;
  return ['-chardev', chardev, '-serial', 'chardev:console', '-mon', 'console'];
}

/** What a guest runs on, so that it boots in seconds on any host. */
export const hardware: readonly string[] = [
  // Emulated, although KVM were faster: a boot takes seconds either way, and /dev/kvm may open and yet hang.
  ...['-accel', 'tcg,thread=multi'],
  // Without it the guest's first SSH answer waits seconds for entropy.
  ...['-cpu', 'qemu64,+rdrand'],
];

/** Arguments of qemu-system-x86_64 for a guest of two processors, without a display. */
export function qemuArguments(options: QemuOptions): string[] {
  const { vm, image, memory = '384M' } = options;
  return [
    ['-name', vm],
    ['-M', 'q35'],
    hardware,
    ['-m', memory],
    ['-smp', '2'],
    ['-nodefaults'],
    ['-display', 'none'],
    consoleArguments(options.console),
    ['-qmp', `unix:${options.qmpSocket},server=on,wait=off`],
    ['-kernel', image.kernel],
    image.initrd === null ? [] : ['-initrd', image.initrd],
    // On a busy host the emulated timer ticks late, and the kernel's check of it panics: "IO-APIC + timer doesn't work!"
    ['-append', `console=ttyS0 panic=0 no_timer_check ${options.append}`],
    // vhost-user devices need memory that another process can map.
    ['-object', `memory-backend-memfd,id=mem,size=${memory},share=on`],
    ['-numa', 'node,memdev=mem'],
    ['-chardev', `socket,id=store,path=${options.virtiofsdSocket}`],
    ['-device', 'vhost-user-fs-pci,chardev=store,tag=store'],
    ['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${options.sshPort}-:22`],
    ['-device', 'virtio-net-pci,netdev=net,romfile='],
    options.extra ?? [],
  ].flat();
}
