import type { Channel } from '../../src/core/capture/ladder.js';
import type { Machine } from '../../src/core/host/machine.js';
import type { HostPressure } from '../../src/core/host/now.js';
import type { Dump, Look, PressFault, SshProbe, SshWay, SysrqKey } from '../../src/core/model.js';
import type { Answer } from '../../src/core/watch/analyst.js';
import type { Unread } from '../../src/core/watch/slices/console.js';

/** What a virtual guest would answer. Times in milliseconds since its watchdog began. */
interface PressFailure {
  fault: PressFault;
  detail: string;
}

export interface Script {
  ssh?: (at: number) => SshProbe['kind'];
  /** By which way, where ssh does not know the guest. */
  way?: (at: number) => SshWay | null;
  look?: (at: number) => Look;
  /** How long a command over SSH takes, in milliseconds; Infinity for one that hangs, null where nobody may log in. */
  command?: (at: number) => number | null;
  /** Console lines that a chord brings about, or why it fails; null: as on a QMP socket that is busy. */
  press?: (key: SysrqKey, at: number, via: Channel) => string[] | PressFailure | null;
  /** What the analyst answers instead of reading the dumps. */
  analyst?: () => Answer | null;
  /** Why the archive keeps nothing, or null. */
  archive?: (at: number) => string | null;
  sysrqMask?: number | null;
  /** The host's pressure, in percent. */
  host?: (at: number) => Partial<HostPressure>;
  /** Its host is late: what fails then fails at deadlines that passed meanwhile. */
  late?: (at: number) => boolean;
  /** What its memory shows; null where that cannot be read. */
  memory?: (at: number) => Dump | null;
  config?: string;
  /** Why nothing of its console is read. */
  unread?: (at: number) => Unread | null;
  /** What its suite's record says of a test, in milliseconds. */
  testTook?: (name: string) => number | null;
  /** What the arguments of its QEMU tell. */
  machine?: (at: number) => Machine | null;
}

/** The answer to who asks how long a test took. */
export const recordedTime = ({ testTook }: Script, name: string) => ({
  type: 'test-recalled' as const,
  name,
  ms: testTook?.(name) ?? null,
});
