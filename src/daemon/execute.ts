/** What each effect of a decision does to the world. Every answer comes back as an event; every call has a deadline. */
import type { CaptureRung } from '../core/capture/rungs.js';
import type { Mono } from '../core/time.js';
import type { Effect } from '../core/watch/events.js';
import { sampledOf } from '../core/watch/memory-view.js';
import { monotonicMs } from '../io/clock.js';
import { look } from '../io/look.js';
import { identify } from '../io/qemu-process.js';
import { dumpMemory } from '../io/qmp/memory.js';
import { injectNmi } from '../io/qmp/nmi.js';
import { symbolized } from '../io/register-names.js';
import { armGuest } from '../io/ssh/set-sysrq.js';
import { runCommand } from '../io/ssh/run-command.js';
import { readGuestFacts } from '../io/ssh/read-facts.js';
import { probeSsh } from '../io/ssh/probe.js';
import { readTestTime } from '../io/test-times.js';
import type { CaseFile } from './case-file.js';
import type { CaptureResult } from './control.js';
import type { GuestHandle } from './guest-handle.js';
import { type MemoryReader, type MemoryTarget, OFF_READER } from './memory-reader.js';
import { press } from './press.js';

interface ExecutingGuest extends GuestHandle {
  readonly caseFile: CaseFile;
  /** Effects under way, with the time they began. */
  readonly underWay: Map<string, Mono>;
  memory(): MemoryTarget;
  tellWaiting(result: CaptureResult): void;
}

/** What the guest does by itself. */
type Internal = 'note' | 'analyse';

type Handlers = {
  [Type in Exclude<Effect['type'], Internal>]: (
    guest: ExecutingGuest,
    effect: Extract<Effect, { type: Type }>,
  ) => Promise<void>;
};

/** A command that hangs is left to end: that it does tells slow from stuck, and none beside it is sent. */
const COMMAND_MS = 180_000;

/** A kernel is found in less than a second, its tasks are read in milliseconds; a host may be busy. */
const SNAPSHOT_MS = 5_000;

const readerOf = ({ settings, services }: ExecutingGuest): MemoryReader =>
  settings.memory === 'off' ? OFF_READER : services.memory;

const handlers: Handlers = {
  'probe-ssh': async (guest) => {
    const { host, timeout } = guest.settings.ssh;
    const startedAt = monotonicMs();
    const probe = await probeSsh(host, guest.ssh(timeout));
    guest.now({ type: 'ssh', probe, startedAt });
  },
  'run-command': async (guest) => {
    const { host, timeout } = guest.settings.ssh;
    await guest.services.logins.turn(guest.stopping.signal);
    guest.now({ type: 'command-step', step: 'connect' });
    const options = { ...guest.ssh(COMMAND_MS), connectMs: timeout };
    const result = await runCommand(host, options, (step) => guest.now({ type: 'command-step', step }));
    guest.now({ type: 'command', result });
  },
  'read-facts': async (guest) => {
    const { host, timeout } = guest.settings.ssh;
    // A login does more than a banner: give it the time of three probes.
    const facts = await readGuestFacts(host, guest.ssh(3 * timeout));
    guest.now({ type: 'facts', facts });
  },
  'prove-keys': async (guest) => {
    const { fault, detail } = await press(guest, { key: 'h', slow: false, via: 'send-key' });
    guest.now({ type: 'proof', problem: fault === null ? null : detail });
  },
  'arm-guest': async (guest) => {
    const { host, timeout } = guest.settings.ssh;
    guest.now({ type: 'armed', problem: await armGuest(host, guest.ssh(3 * timeout)) });
  },
  look: async (guest, { patient }) => {
    const { qmp, symbols } = guest.settings;
    const seen = await look(
      { ...guest.whose(), samples: guest.state.case !== null },
      {
        timeoutMs: qmp.timeout,
        signal: guest.stopping.signal,
        ...(patient === true && { holdMs: qmp.timeout }),
      },
    );
    const named =
      symbols.systemMap === null ? seen : await symbolized(seen, symbols.systemMap, guest.state.arming.facts);
    guest.now({ type: 'look', look: named });
  },
  open: (guest) => guest.caseFile.open(),
  press: async (guest, { id, ...order }) => {
    guest.now({ type: 'pressed', id, ...(await press(guest, order)) });
  },
  'inject-nmi': async (guest) => {
    const { qmpSocket, qmp } = guest.settings;
    const options = { timeoutMs: qmp.timeout, signal: guest.stopping.signal };
    guest.now({ type: 'nmi-injected', problem: await injectNmi(qmpSocket, options) });
  },
  'dump-memory': async (guest) => {
    const { qmpSocket, qmp } = guest.settings;
    const file = guest.caseFile.memoryFile();
    const options = { timeoutMs: qmp.timeout, signal: guest.stopping.signal };
    const end: Pick<CaptureRung, 'outcome' | 'detail'> =
      file === null
        ? { outcome: 'skipped', detail: 'there is no incident to write it to' }
        : await dumpMemory(qmpSocket, file, options);
    guest.now({ type: 'memory-dumped', ...end });
  },
  snapshot: async (guest, { keep }) => {
    const answer = readerOf(guest).snapshot(guest.memory(), SNAPSHOT_MS);
    await guest.caseFile.snapshots.read(answer, keep);
  },
  sample: async (guest, { seconds }) => {
    const answer = await readerOf(guest).sample(guest.memory(), seconds);
    guest.now({ type: 'sampled', seen: answer.ok ? sampledOf(answer) : answer });
  },
  identify: async (guest) => {
    guest.now({ type: 'machine', machine: await identify(guest.whose(), guest.stopping.signal) });
  },
  recall: (guest, { key }) => {
    guest.now({ type: 'recalled', key, learned: guest.services.learned.of(key) });
    return Promise.resolve();
  },
  'recall-test': async (guest, { name }) => {
    const path = guest.settings.detect.testTimes;
    guest.now({ type: 'test-recalled', name, ms: path === null ? null : await readTestTime(path, name) });
  },
  learned: (guest, { key, quiet }) => guest.services.learned.add(key, quiet),
  'keep-dump': (guest, { dump }) => guest.caseFile.dump(dump),
  file: (guest, { finding }) => guest.caseFile.file(finding),
  drop: async (guest, { why }) => {
    // Before anything is awaited: whoever asks later waits for another case.
    guest.tellWaiting({ directory: null, problem: why });
    await guest.caseFile.drop();
  },
  recovered: (guest) => guest.caseFile.recovered(),
};

/** Starts what the effect asks for and returns at once. */
export function execute(guest: ExecutingGuest, effect: Exclude<Effect, { type: Internal }>): void {
  const handler = handlers[effect.type] as (guest: ExecutingGuest, effect: Effect) => Promise<void>;
  // A slow probe has a second one beside it.
  const name = guest.underWay.has(effect.type) ? `${effect.type} (2)` : effect.type;
  guest.underWay.set(name, monotonicMs());
  // Async, so that what it throws at once is caught as well.
  (async () => handler(guest, effect))()
    .catch((error: unknown) => {
      if (!guest.stopping.signal.aborted) guest.log('error', `${effect.type}: ${String(error)}`);
    })
    .finally(() => guest.underWay.delete(name));
}

/** Between two looks at a guest whose load somebody watches. */
const WATCHED_MS = 4_000;

/** Looks at the guest, unless it was looked at a moment ago. */
export function lookNow(guest: ExecutingGuest): void {
  const { name, looks, case: current } = guest.state;
  const fresh = monotonicMs() - (looks.at(-1)?.at ?? -Infinity) < WATCHED_MS;
  if (!fresh && current === null && name !== 'gone' && !guest.underWay.has('look'))
    execute(guest, { type: 'look' });
}
