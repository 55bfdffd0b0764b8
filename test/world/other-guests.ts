/** Guests that no unit runs: each is started as its own tools would, and found by its process. */
import { join } from 'node:path';
import { hardware } from '../../src/guest/qemu-command.js';
import { storeUnit } from './guest-units.js';
import { waitForPrompt } from './guests.js';
import type { SceneImage } from './scenes.js';
import { user, type World } from './world.js';

interface OtherGuest {
  vm: string;
  /** Port of the world's loopback for the guest's SSH. */
  port: number;
}

const MEMORY = '256M';
const BOOT_MS = 120_000;
const inHome = (name: string) => join(user.home, name);
const storeSocket = (vm: string) => inHome(`${vm}.share`);

/** The file that has the console of its kernel. */
const consoleLog = (vm: string) => inHome(`${vm}.log`);

/** Serves its store; `stopStore` wedges the guest. */
async function serveStore(world: World, vm: string): Promise<void> {
  const serve = [`--socket-path=${storeSocket(vm)}`, `--shared-dir=${world.image.store}`, '--sandbox=none'];
  const run = ['systemd-run', '--user', '--quiet', `--unit=${storeUnit(vm)}`, '/usr/libexec/virtiofsd'];
  await world.dev([...run, ...serve]);
  await world.dev(['sh', '-c', `until [ -S ${storeSocket(vm)} ]; do sleep 0.1; done`]);
}

/** As a shell of the user starts it, with its output in files. */
async function startBeside(
  world: World,
  { vm }: Pick<OtherGuest, 'vm'>,
  args: string[],
  output: string,
): Promise<void> {
  const errors = inHome(`${vm}.errors`);
  const start = `exec "$@" </dev/null >${output} 2>${output === consoleLog(vm) ? errors : consoleLog(vm)}`;
  await world.dev(['setsid', '--fork', 'sh', '-c', start, 'sh', 'qemu-system-x86_64', '-name', vm, ...args]);
}

/** Waits for its login prompt. @throws Error with what it and its QEMU said */
export async function waitUntilUp(world: World, vm: string): Promise<void> {
  await waitForPrompt(world, consoleLog(vm), BOOT_MS).catch(async (error: unknown) => {
    const said = await world.dev(['sh', '-c', `tail --lines=20 ${inHome(vm)}.*[gts]`]);
    throw new Error(`${vm}: no prompt:\n${said}`, { cause: error });
  });
}

const sharedMemory = [
  ['-m', MEMORY, '-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
  ['-machine', 'memory-backend=mem'],
].flat();

const devices = ({ vm, port }: OtherGuest, bus: 'pci' | 'device') => [
  ...['-chardev', `socket,id=store,path=${storeSocket(vm)}`],
  ...['-device', `vhost-user-fs-${bus},chardev=store,tag=store`],
  ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
  ...['-device', `virtio-net-${bus},netdev=net`],
];

const kernel = ({ kernel, initrd }: SceneImage, words: string) => [
  ...['-kernel', kernel, '-initrd', initrd],
  ...['-append', `panic=0 no_timer_check loglevel=7 ${words}`],
];

/** By hand: QMP over TCP, the console in QEMU's own output; its one keyboard is a virtio device. */
export async function startPlain(
  world: World,
  image: SceneImage,
  guest: OtherGuest & { qmpPort: number },
): Promise<void> {
  await serveStore(world, guest.vm);
  await startBeside(
    world,
    guest,
    [
      ...['-M', 'q35,i8042=off', '-device', 'virtio-keyboard-pci', ...hardware, '-smp', '2', ...sharedMemory],
      ...[
        '-nographic',
        '-vga',
        'none',
        '-qmp',
        `tcp:127.0.0.1:${guest.qmpPort},server=on,wait=off`,
        ...devices(guest, 'pci'),
      ],
      ...kernel(image, 'console=ttyS0 wedge.mode=job'),
    ],
    consoleLog(guest.vm),
  );
}

/** Without a PS/2 keyboard. */
const microvm = ['-M', 'microvm,pcie=on,rtc=on', ...hardware, '-nodefaults', '-display', 'none'];

/** KVM has a clock for a microvm's kernel. The emulator has none: the kernel is told how fast its TSC is, this host's. */
async function tsc(world: World): Promise<string> {
  const mhz = await world.root(['sed', '-n', '0,/^cpu MHz/s/^cpu MHz[^:]*: *//p', '/proc/cpuinfo']);
  return `tsc_early_khz=${Math.round(Number(mhz) * 1_000)}`;
}

/** As virtme-ng starts it: its kernel writes to hvc0, and QEMU that to its standard error. */
export async function startMicrovm(world: World, image: SceneImage, guest: OtherGuest): Promise<void> {
  const args = [
    ...microvm,
    ...['-smp', '2', ...sharedMemory, '-chardev', 'file,path=/proc/self/fd/2,id=dmesg'],
    ...['-device', 'virtio-serial-device', '-device', 'virtconsole,chardev=dmesg'],
    ...['-chardev', 'stdio,id=console,signal=off,mux=on', '-serial', 'chardev:console', '-mon', 'console'],
    ...['-qmp', `unix:${inHome(`${guest.vm}.qmp`)},server=on,wait=off`, ...devices(guest, 'device')],
    ...kernel(image, `${await tsc(world)} console=ttyS0 console=hvc0 wedge.mode=boot-hvc-job`),
  ];
  await serveStore(world, guest.vm);
  await startBeside(world, guest, args, inHome(`${guest.vm}.output`));
}

/** A domain of the user's libvirt, which starts its QEMU, and keeps its QMP. */
export async function startDomain(world: World, image: SceneImage, guest: OtherGuest): Promise<void> {
  const { vm, port } = guest;
  await serveStore(world, vm);
  const xml = `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${vm}</name><memory unit='MiB'>256</memory><vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type><kernel>${image.kernel}</kernel><initrd>${image.initrd}</initrd>
    <cmdline>console=ttyS0 panic=0 no_timer_check loglevel=7 wedge.mode=job</cmdline>
  </os>
  <features><acpi/></features>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model><feature policy='require' name='rdrand'/></cpu>
  <devices>
    <serial type='file'><source path='${consoleLog(vm)}'/></serial>
    <filesystem type='mount'>
      <driver type='virtiofs'/><source socket='${storeSocket(vm)}'/><target dir='store'/>
    </filesystem>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-netdev'/><qemu:arg value='user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22'/>
    <qemu:arg value='-device'/><qemu:arg value='virtio-net-pci,netdev=net,romfile=,bus=pcie.0,addr=0x10'/>
  </qemu:commandline>
</domain>
`;
  await world.write(inHome(`${vm}.xml`), xml);
  await world.dev(['virsh', '--connect', 'qemu:///session', 'create', inHome(`${vm}.xml`)]);
}
