/** Guests that are no unit of kdevops: of libvirt, of plain QEMU, of a microvm as virtme-ng starts it. Each is wedged once. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { hardware } from '../../src/guest/qemu-command.js';
import type { Incident } from '../../src/core/report/incident.js';
import { shareScenes, type SceneImage } from './scenes.js';
import { guestStatus, readIncident, startWatchdog } from './watchdog.js';
import { user, World } from './world.js';

const CONFIG = `
discover: {processes: true}
overrides:
  - {match: plain, detect: {silence: 4s}}
  - {match: typed, memory: off}
`;
const VMS = ['plain', 'virtme-ng', 'typed', 'domain'] as const;
type Vm = (typeof VMS)[number];

const at = (name: string) => join(user.home, name);
const log = (vm: Vm) => at(`${vm}.log`);
const share = (vm: Vm) => at(`${vm}.share`);

let world: World;
let scenes: SceneImage;

/** Runs it beside, as a shell of the user would: its output goes to the file, and no unit of ours knows it. */
const beside = (name: string, output: string, command: readonly string[]) =>
  world.dev([
    ...['systemd-run', '--user', '--quiet', `--unit=${name}`, `--property=StandardOutput=append:${output}`],
    ...['--property=StandardError=inherit', ...command],
  ]);

async function serve(vm: Vm): Promise<void> {
  const directory = join(world.image.directory, 'store');
  const words = [`--socket-path=${share(vm)}`, `--shared-dir=${directory}`, '--sandbox=none', '--cache=auto'];
  await beside(`store-${vm}`, at('virtiofsd.log'), ['/usr/libexec/virtiofsd', ...words]);
  await world.dev(['sh', '-c', `until [ -S ${share(vm)} ]; do sleep 0.1; done`]);
}

const memory = [
  '-m',
  '256M',
  '-object',
  'memory-backend-memfd,id=mem,size=256M,share=on',
  '-numa',
  'node,memdev=mem',
];
const store = (vm: Vm) => [
  ...['-chardev', `socket,id=store,path=${share(vm)}`],
  ...['-device', 'vhost-user-fs-pci,chardev=store,tag=store'],
];
const kernel = (words: string) => [
  ...['-kernel', scenes.kernel, '-initrd', scenes.initrd],
  ...['-append', `panic=0 no_timer_check loglevel=7 ${words}`],
];

const plain = () => [
  ...['qemu-system-x86_64', '-name', 'plain', '-M', 'q35', ...hardware, ...memory, ...store('plain')],
  ...['-nographic', '-vga', 'none', '-qmp', 'tcp:127.0.0.1:4477,server=on,wait=off'],
  ...['-netdev', 'user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:2751-:22'],
  ...['-device', 'virtio-net-pci,netdev=net,romfile=', ...kernel('console=ttyS0 wedge.mode=job')],
];

/** `dmesg`: the character device of the console that the kernel writes to. */
const microvm = (vm: 'virtme-ng' | 'typed', dmesg: string) => [
  ...[
    'qemu-system-x86_64',
    '-name',
    vm,
    '-M',
    'microvm,pcie=on,rtc=on',
    ...hardware,
    ...memory,
    ...store(vm),
  ],
  ...['-parallel', 'none', '-net', 'none', '-chardev', `${dmesg},id=dmesg`, '-device', 'virtio-serial-pci'],
  ...['-device', 'virtconsole,chardev=dmesg', '-chardev', 'stdio,id=console,signal=off,mux=on'],
  ...['-serial', 'chardev:console', '-mon', 'chardev=console', '-vga', 'none', '-display', 'none'],
  ...['-qmp', `unix:${at(`${vm}.qmp`)},server=on,wait=off`],
  ...kernel('console=hvc0 virtme_console=ttyS0 wedge.mode=boot-hvc0'),
];

const domain = () => `
<domain type='qemu'>
  <name>domain</name><memory unit='MiB'>256</memory><vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${scenes.kernel}</kernel><initrd>${scenes.initrd}</initrd>
    <cmdline>console=ttyS0 panic=0 no_timer_check loglevel=7 wedge.mode=job</cmdline>
  </os>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model><feature policy='require' name='rdrand'/></cpu>
  <devices>
    <serial type='file'><source path='${log('domain')}'/></serial>
    <filesystem type='mount'>
      <driver type='virtiofs'/><source socket='${share('domain')}'/><target dir='store'/>
    </filesystem>
    <memballoon model='none'/>
  </devices>
</domain>
`;

beforeAll(async () => {
  const image = await buildGuest(guestCache(), { log: () => undefined });
  world = await World.up(image);
  scenes = await shareScenes(image, world.share, 'scenes');
  await world.root(['chmod', '-R', 'a+rX', '/share/scenes']);
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), CONFIG);
  await startWatchdog(world);
  for (const vm of VMS) await serve(vm);
  await world.write(at('domain.xml'), domain());
  await beside('by-hand', log('plain'), plain());
  await beside('vng', log('virtme-ng'), microvm('virtme-ng', 'file,path=/proc/self/fd/2'));
  const socket = `socket,path=${at('typed.console')},server=on,wait=off,logfile=${log('typed')}`;
  await beside('typed', at('typed.out'), microvm('typed', socket));
  await world.dev(['virsh', '--connect', 'qemu:///session', 'create', at('domain.xml')]);
  for (const vm of VMS) {
    const says = vm === 'plain' || vm === 'domain' ? '^guest login:' : 'scene: reads the store';
    await world.dev(['sh', '-c', `until grep -q '${says}' ${log(vm)}; do sleep 0.2; done`], 90_000);
  }
});

afterAll(() => world.down());

async function caught(vm: Vm): Promise<Incident> {
  const id = async () => (await guestStatus(world, vm))?.lastIncident ?? null;
  await expect.poll(id, { timeout: 90_000, interval: 500 }).not.toBeNull();
  return readIncident(world, (await id()) ?? '');
}

test('all are found, with their consoles, and each that is wedged is caught', async () => {
  for (const vm of VMS) await world.dev(['systemctl', '--user', 'kill', '--signal=STOP', `store-${vm}`]);
  const found: Record<string, Incident> = {};
  for (const vm of VMS) found[vm] = await caught(vm);
  const stopped = /virtiofs:store.*virtiofsd is stopped/;
  for (const vm of VMS) expect(found[vm]?.verdict.title, vm).toMatch(stopped);
  // Its keyboard is asked first, and has none to answer; then its console is, which no other program reads.
  const rungs = (found['typed']?.capture ?? []).map(({ rung, outcome }) => `${rung} ${outcome}`);
  expect(rungs.slice(-2)).toEqual(['second-keyboard failed', 'console worked']);
  expect(found['typed']?.evidence).toMatchObject({ complete: true });
  // libvirt hands the keys on.
  expect(found['domain']?.capture).toMatchObject([{ rung: 'send-key', outcome: 'worked' }]);
  // Without a key: nobody can type into a file.
  expect(found['virtme-ng']?.dumps.map(({ key }) => key)).toContain('memory');
}, 150_000);
