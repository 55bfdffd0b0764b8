import type { GuestClass } from '../../../src/core/watch/assess.js';
import type { KernelName } from '../../../src/guest/kernels.js';
import type { Act } from './actions.js';

/** What one real guest is put through, and what it must then be found to be. */
export interface Scenario {
  name: string;
  /** New for each run. */
  vm: string;
  /** The demo guest in a mode, or with a scene; or a Debian with a wedge of test/world/debian. */
  guest:
    | {
        demo: string;
        append?: string;
        extra?: readonly string[];
        kernel?: KernelName;
        ssh?: 'unknown';
        hvc?: 'alone';
      }
    | { debian: string; append?: string };
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
  /** No dump can be seen, and the incident says why. */
  unseen?: RegExp;
  /** QEMU cannot be asked for registers: what ran just then has no stack. */
  runs?: true;
  /** Its dumps of blocked tasks are empty. */
  nobodyBlocked?: true;
  /** It is watched for so long after that. */
  staysS?: number;
  /** Ends it: the guest must be healthy again. */
  undo?: Act;
  /** It lives on until the end, and must stay healthy. */
  stays?: true;
}
