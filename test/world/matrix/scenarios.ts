/** What real guests are put through, what each must then be found to be, and how soon. */
import type { GuestClass } from '../../../src/core/watch/assess.js';
import { newVm } from '../guests.js';
import { type Act, both, cable, machine, process, scene, store } from './actions.js';

export interface Scenario {
  name: string;
  /** New for each run. */
  vm: string;
  /** The demo guest in a mode, or with a scene; or a Debian with a wedge of test/world/debian. */
  guest: { demo: string; append?: string; extra?: readonly string[] } | { debian: string; append?: string };
  /** When it has booted: SSH answers; its console says this; or so many seconds have passed. */
  ready: 'ssh' | RegExp | { afterS: number };
  /** It takes the time of a whole CPU: nothing else boots meanwhile. */
  alone?: true;
  /** What happens then. Without, it is judged from its start. */
  act?: Act;
  /** What it must be found to be, and within which time; or what as well, depending on where it is caught. */
  class: GuestClass;
  orClass?: GuestClass;
  withinS: number;
  /** The incident that must be filed within that time, by its title; null for none at all. */
  incident: RegExp | null;
  /** What its incident says that systemd was waiting for. */
  awaiting?: RegExp;
  /** Its dumps of blocked tasks are empty. */
  nobodyBlocked?: true;
  /** It is watched for so long after that. */
  staysS?: number;
  /** Ends it: the guest must be healthy again. */
  undo?: Act;
  /** It lives on until the end, and must stay healthy. */
  stays?: true;
}

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
    incident: /^cat:\d+ (?:stuck|waiting) .*virtiofs:store \(inferred; virtiofsd stopped\)/,
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
    incident: /page-in .*\(filemap_fault\).*virtiofs:store \(inferred; virtiofsd stopped\)/,
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
    incident: /page-in .*\(filemap_fault\).*virtiofs:store \(inferred; virtiofsd stopped\)/,
  },
  {
    name: 'page-in on a dead virtiofs, before SSH, behind an initrd that is silent since hvc0 is the console',
    vm: newVm(),
    guest: { demo: 'boot-hvc0' },
    ready: /console \[hvc0\] enabled/,
    act: store.stop,
    class: 'blocked',
    withinS: 90,
    incident: /page-in .*\(filemap_fault\).*virtiofs:store \(inferred; virtiofsd stopped\)/,
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
    incident: /(?:FUSE request|page-in) .*virtiofs:store \(inferred; virtiofsd stopped\)/,
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
    withinS: 40,
    incident: null,
    staysS: 20,
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
    ready: 'ssh',
    alone: true,
    act: scene('real-time'),
    class: 'starved',
    withinS: 120, // a loop that is young yet is looked at twice
    incident: /at real-time priority|want to run on 1 busy vCPU/,
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
