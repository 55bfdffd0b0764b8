/** All that is known of one guest: a slice a source, each written by its own file only. Owned by step(). */
import type { Mono } from '../time.js';
import type { Case } from './case/case.js';
import { type ArmingState, unproven } from './slices/arming.js';
import { type BootState, noBoot } from './slices/boot.js';
import { type ClaimsState, noClaims } from './slices/claims.js';
import { type CommandState, noCommand } from './slices/command.js';
import { type ConsoleState, newConsole } from './slices/console.js';
import { type FilingsState, nothingFiled } from './slices/filings.js';
import { type HostState, unknownHost } from './slices/host.js';
import { type MemoryState, unreadMemory } from './slices/memory.js';
import { type QemuState, unknownQemu } from './slices/qemu.js';
import { type Restraint, unrestrained } from './slices/restraint.js';
import { notAsked, type SshState } from './slices/ssh.js';
import { noTests, type TestsState } from './slices/tests.js';
import type { TimedLook } from './looks.js';
import type { StateName } from './state-name.js';

export interface GuestState {
  vm: string;
  name: StateName;
  since: Mono;
  why: string[];
  boot: BootState;
  qemu: QemuState;
  console: ConsoleState;
  ssh: SshState;
  command: CommandState;
  arming: ArmingState;
  host: HostState;
  /** The newest two looks, be it that a case or somebody who watches asked for them. */
  looks: TimedLook[];
  case: Case | null;
  restraint: Restraint;
  filings: FilingsState;
  claims: ClaimsState;
  memory: MemoryState;
  tests: TestsState;
}

export function initialState(vm: string, at: Mono): GuestState {
  return {
    vm,
    name: 'unknown',
    since: at,
    why: ['nothing is known yet'],
    boot: noBoot(at),
    qemu: unknownQemu(),
    console: newConsole(at),
    ssh: notAsked(),
    command: noCommand(),
    arming: unproven(),
    host: unknownHost(),
    looks: [],
    case: null,
    restraint: unrestrained(),
    filings: nothingFiled(),
    claims: noClaims(),
    memory: unreadMemory(),
    tests: noTests(),
  };
}
