/** What each effect of a decision does to the world. Every answer comes back as an event; every call has a deadline. */
import type { ConsolePosition } from '../core/console/position.js';
import type { SysrqKey } from '../core/model.js';
import type { Effect } from '../core/watch/events.js';
import { monotonicMs } from '../io/clock.js';
import type { LearnedBoots } from '../io/learned.js';
import type { Log } from '../io/log.js';
import { look } from '../io/look.js';
import { QmpError } from '../io/qmp/error.js';
import { pressChord } from '../io/qmp/press.js';
import { readGuestFacts } from '../io/ssh/facts.js';
import { probeSsh } from '../io/ssh/probe.js';
import type { Guest } from './guest.js';
import type { Slots } from './slots.js';

/** What guests share. */
export interface Services {
  log: Log;
  slots: Slots;
  /** Root of the archive. */
  archive: string;
  consoleLines: number;
  /** Where a guest's console has been read up to. */
  position: (guest: Guest) => ConsolePosition | null;
  /** Resolves once what an earlier daemon left half captured is finished. */
  finished: Promise<void>;
  learned: Pick<LearnedBoots, 'of' | 'keep'>;
  /** The finished directory, or null where nothing could be filed. */
  onFiled?: (guest: Guest, directory: string | null, title: string) => void;
}

type Handlers = {
  [Type in Exclude<Effect['type'], 'note'>]: (
    guest: Guest,
    effect: Extract<Effect, { type: Type }>,
  ) => Promise<void>;
};

/** Another client that holds QMP leaves soon, as a rule. */
const BUSY_MS = 3_000;
const BUSY_PAUSE_MS = 200;

const handlers: Handlers = {
  'probe-ssh': async (guest) => {
    const { host, timeout, configFile: config } = guest.settings.ssh;
    const probe = await probeSsh(host, { timeoutMs: timeout, config, signal: guest.stopping.signal });
    guest.now({ type: 'ssh', probe });
  },
  'read-facts': async (guest) => {
    const { host, timeout, configFile: config } = guest.settings.ssh;
    // A login does more than a banner: give it the time of three probes.
    const facts = await readGuestFacts(host, {
      timeoutMs: 3 * timeout,
      config,
      signal: guest.stopping.signal,
    });
    guest.now({ type: 'facts', facts });
  },
  look: async (guest) => {
    const { qmpSocket, qmp } = guest.settings;
    const seen = await look(
      { qmpSocket, pid: guest.pid, samples: guest.state.case !== null },
      { timeoutMs: qmp.timeout, signal: guest.stopping.signal },
    );
    guest.now({ type: 'look', look: seen });
  },
  open: (guest) => guest.caseFile.open(),
  press: async (guest, { id, key, slow }) => {
    const failed = await press(guest, key, slow);
    guest.now({ type: 'pressed', id, fault: failed?.fault ?? null, detail: failed?.message ?? '' });
  },
  learned: (guest, { learned }) => guest.services.learned.keep(guest.vm, learned),
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
export function execute(guest: Guest, effect: Exclude<Effect, { type: 'note' }>): void {
  const handler = handlers[effect.type] as (guest: Guest, effect: Effect) => Promise<void>;
  // A slow probe has a second one beside it.
  const name = guest.underWay.has(effect.type) ? `${effect.type} (2)` : effect.type;
  guest.underWay.set(name, monotonicMs());
  void handler(guest, effect)
    .catch((error: unknown) => {
      if (!guest.stopping.signal.aborted) guest.log('error', `${effect.type}: ${String(error)}`);
    })
    .finally(() => guest.underWay.delete(name));
}

/** Presses a chord; where another client holds QMP, again until it leaves. */
async function press(guest: Guest, key: SysrqKey, slow: boolean): Promise<QmpError | null> {
  const { qmpSocket, qmp } = guest.settings;
  const started = monotonicMs();
  for (;;) {
    try {
      await pressChord(qmpSocket, key, { timeoutMs: qmp.timeout, slow, signal: guest.stopping.signal });
      return null;
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      if (error.fault !== 'busy' || monotonicMs() - started > BUSY_MS) return error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}
