/** What real guests are put through, what each must then be found to be, and how soon. */
import { newVm } from '../guests.js';
import { away, both, cable, machine, process, scene, store } from './actions.js';
import type { Scenario } from './scenario.js';

const oneCpu = ['-smp', '1'];
/** Three minutes of silence, and then some: it reads all of a disk that gives it 2 MiB a second. */
const MIB_A_SECOND = 2;
const CHECKED_MIB = 195 * MIB_A_SECOND;
const disk = [
  '-drive',
  `if=none,id=disk,driver=null-co,size=${CHECKED_MIB}M,read-zeroes=on,throttling.bps-total=${MIB_A_SECOND << 20}`,
  '-device',
  'nvme,drive=disk,serial=disk',
];

/** A page-in on a dead virtiofs of a guest whose memory tells what no key does. */
const toldByMemory = {
  ready: 'ssh',
  act: store.stop,
  class: 'blocked',
  orClass: 'waiting', // those who come by SSH wait for the same server
  withinS: 60,
  incident: /(?:page-in|FUSE request) .*virtiofs:store \(\/mnt\/store\).*\(virtiofsd is stopped\)/,
} as const satisfies Partial<Scenario>;

const starvedByLoops = {
  ready: 'ssh',
  alone: true,
  act: scene('real-time'),
  class: 'starved',
  withinS: 120, // a loop that is young yet is looked at twice
  incident: /at real-time priority|want to run on 1 busy vCPU/,
} as const satisfies Partial<Scenario>;

/** In the order in which they boot, two at a time: first those that take long and load nothing. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'idle: nothing to do, and silent at its login prompt',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    class: 'healthy',
    withinS: 60,
    incident: null,
    stays: true,
  },
  {
    name: 'Debian: a boot with `quiet` that is silent for two minutes and comes good',
    vm: newVm(),
    guest: { debian: 'slow-boot', append: 'quiet systemd.show_status=no' },
    ready: { afterS: 40 },
    class: 'healthy',
    withinS: 260,
    incident: null,
    stays: true,
  },
  {
    name: 'a boot that checks a disk for three minutes, without a word',
    vm: newVm(),
    guest: { demo: 'boot-check', extra: [...oneCpu, ...disk] },
    ready: { afterS: 10 },
    class: 'healthy',
    withinS: 300,
    incident: null,
  },
  {
    name: 'Debian: a start job reads from a dead virtiofs, its spinner goes on',
    vm: newVm(),
    guest: { debian: 'start-job' },
    ready: /wedge: ready/,
    act: store.stop,
    class: 'blocked',
    orClass: 'waiting', // it opens the file, or reads it
    withinS: 90,
    incident:
      /^cat:\d+ (?:stuck|waiting) .*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
    awaiting: /^(?:Reader of the store|wedge-start-job\.service).* no limit\)$/,
  },
  {
    name: 'network cable pulled, the console goes on',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: both(scene('news'), cable.pull),
    class: 'network-only',
    withinS: 45,
    incident: null,
    staysS: 85, // after a minute it is looked at although its console goes on
    undo: cable.plug,
  },
  {
    name: 'network cable pulled, the console is silent',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: cable.pull,
    class: 'network-only',
    withinS: 45,
    incident: null,
    staysS: 60,
    undo: cable.plug,
  },
  {
    name: 'reboot loop',
    vm: newVm(),
    guest: { demo: 'boot-reboot', extra: oneCpu },
    ready: { afterS: 5 },
    class: 'booting',
    withinS: 20,
    incident: null,
    staysS: 90,
  },
  {
    name: 'Debian: a boot with `quiet` ends in the emergency shell',
    vm: newVm(),
    guest: { debian: 'emergency', append: 'quiet' },
    ready: /You are in emergency mode/,
    class: 'userspace',
    withinS: 30,
    incident: /^the boot gave up \(You are in emergency mode/,
  },
  {
    name: 'page-in on a dead virtiofs',
    vm: newVm(),
    guest: { demo: 'job' },
    ready: 'ssh',
    act: store.stop,
    class: 'blocked',
    withinS: 25,
    incident:
      /page-in .*\(filemap_fault\).*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
    undo: store.goOn,
  },
  {
    name: 'page-in on a dead virtiofs, before SSH',
    vm: newVm(),
    guest: { demo: 'boot-page-in' },
    ready: /scene: reads the store/,
    act: store.stop,
    class: 'blocked',
    withinS: 45,
    incident:
      /page-in .*\(filemap_fault\).*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
  },
  {
    name: 'page-in on a dead virtiofs, before SSH, behind an initrd that is silent since hvc0 is the console',
    vm: newVm(),
    guest: { demo: 'boot-hvc0' },
    ready: /console \[hvc0\] enabled/,
    act: store.stop,
    class: 'blocked',
    // Where its shell is when the server stops is a matter of milliseconds: it reads its pages, or looks up the next program.
    orClass: 'waiting',
    withinS: 90,
    incident:
      /(?:page-in .*\(filemap_fault\)|FUSE request).*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
  },
  ...(['6.12', 'newest', 'newest-rt'] as const).map((kernel): Scenario => ({
    name: `page-in on a dead virtiofs, Debian's kernel ${kernel}`,
    vm: newVm(),
    guest: { demo: 'job', kernel },
    ready: 'ssh',
    act: store.stop,
    class: 'blocked',
    withinS: 40,
    incident:
      /page-in .*\(filemap_fault\).*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
  })),
  {
    name: 'page-in on a dead virtiofs of a guest that ssh does not know',
    vm: newVm(),
    guest: { demo: 'job', ssh: 'unknown' },
    ready: 'ssh',
    act: store.stop,
    class: 'blocked',
    withinS: 25,
    incident:
      /page-in .*\(filemap_fault\).*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
  },
  {
    name: 'page-in on a dead virtiofs, kernel.sysrq=16: the guest refuses its dumps, its memory tells',
    vm: newVm(),
    guest: { demo: 'job', append: 'loglevel=4 wedge.sysrq=16' },
    ...toldByMemory,
  },
  {
    name: 'page-in on a dead virtiofs, a machine without a PS/2 keyboard',
    vm: newVm(),
    guest: { demo: 'job', append: 'quiet', extra: ['-M', 'q35,i8042=off'] },
    ...toldByMemory,
  },
  {
    name: 'page-in on a dead virtiofs, its one console is hvc0, which no journal has, and kernel.sysrq=0',
    vm: newVm(),
    guest: { demo: 'hvc0', append: 'loglevel=4 wedge.sysrq=0', hvc: 'alone' },
    ...toldByMemory,
  },
  {
    name: 'page-in on a dead virtiofs, `quiet`, kernel.sysrq=0, and ssh does not know it',
    vm: newVm(),
    guest: { demo: 'job', append: 'quiet wedge.sysrq=0', ssh: 'unknown' },
    ...toldByMemory,
    withinS: 90,
  },
  {
    name: 'interrupts off on every CPU: two wait for each other’s spinlock, and no key is heard',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    alone: true,
    act: scene('abba-spin'),
    class: 'deadlock',
    orClass: 'spinning',
    withinS: 90,
    incident: /abba_(?:take|forwards|backwards)/,
  },
  {
    name: 'a slow server of its share, and slow commands',
    vm: newVm(),
    guest: { demo: 'shell' },
    ready: 'ssh',
    act: store.slow,
    class: 'healthy',
    withinS: 90,
    incident: null,
    staysS: 20,
  },
  {
    name: 'SSH away for 13 s',
    vm: newVm(),
    guest: { demo: 'exec' },
    ready: 'ssh',
    act: away(13),
    class: 'healthy',
    withinS: 60,
    incident: null,
    staysS: 30,
  },
  {
    name: 'the server of its share restarted, and its guest with it',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: store.restart,
    class: 'healthy',
    withinS: 60,
    incident: null,
    staysS: 45,
  },
  {
    name: 'exec on a dead virtiofs: it waits in S, w is empty',
    vm: newVm(),
    guest: { demo: 'exec' },
    ready: 'ssh',
    act: store.stop,
    class: 'waiting',
    orClass: 'blocked', // where it was caught behind the exec, in its first page
    withinS: 25,
    nobodyBlocked: true,
    incident: /(?:FUSE request|page-in) .*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
    undo: store.goOn,
  },
  {
    name: 'paused through QMP',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: machine.pause,
    class: 'paused',
    withinS: 30,
    incident: null,
    staysS: 20,
    undo: machine.goOn,
  },
  {
    name: 'QEMU stopped with SIGSTOP',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: process.stop,
    class: 'paused',
    withinS: 110, // a minute is given to whoever stopped it
    runs: true,
    incident: /^QEMU itself \(pid \d+\) has been stopped by a signal for \d+ s: kill -CONT/,
    undo: process.goOn,
  },
  {
    name: 'panic',
    vm: newVm(),
    guest: { demo: 'none' },
    ready: 'ssh',
    act: scene('panic'),
    class: 'panicked',
    withinS: 15,
    incident: /^kernel panicked: sysrq triggered crash/,
  },
  {
    name: 'every CPU taken by real-time loops',
    vm: newVm(),
    guest: { demo: 'none', extra: oneCpu },
    ...starvedByLoops,
  },
  {
    name: 'every CPU taken by real-time loops, Debian’s kernel newest-rt, which then hears no key',
    vm: newVm(),
    guest: { demo: 'none', kernel: 'newest-rt', extra: oneCpu },
    ...starvedByLoops,
  },
  {
    name: 'userspace livelock: programs count on the console, SSH is dead',
    vm: newVm(),
    guest: { demo: 'none', extra: oneCpu },
    ready: 'ssh',
    alone: true,
    act: scene('livelock'),
    class: 'userspace',
    orClass: 'spinning', // where a sample of the registers falls into a system call
    withinS: 110,
    incident: /programs keep every vCPU busy while the console goes on|every vCPU is busy/,
  },
];
