/** `wait VM`: for scripts that start a guest, or a test in it, and must not wait for ever. */
import { setTimeout as delay } from 'node:timers/promises';
import { durationMs } from '../core/config/duration.js';
import { didYouMean } from '../core/nearest.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { isHung } from '../core/watch/state-name.js';
import type { GuestStatus } from '../core/watch/status.js';
import { askStatus, controlSocket } from '../daemon/control.js';
import { monotonicMs } from '../io/clock.js';
import { runtimeDirectory } from '../io/paths.js';
import { EXIT, type Globals } from './globals.js';
import { noDaemon } from './status.js';

interface WaitOptions {
  until: string;
  timeout: string;
  json?: boolean | undefined;
}

const POLL_MS = 500;
/** A restarting daemon is away for a moment. */
const AWAY_MS = 10_000;

/**
 * Waits until the guest is up, or until a hang of it is filed. Returns 0 (it is up; or it
 * was stopped without the hang that was waited for), 1 (a hang was found), 2 usage, 5 if no daemon runs, 124 at the timeout.
 */
export async function waitFor(vm: string, options: WaitOptions, globals: Globals): Promise<number> {
  const { terminal } = globals;
  const { until } = options;
  const timeoutMs = durationMs(options.timeout);
  if (until !== 'hang' && until !== 'up')
    return refuse(globals, `--until ${printable(until, 40)}: expected hang or up`);
  if (typeof timeoutMs !== 'number') return refuse(globals, `--timeout: ${timeoutMs.problem}`);
  const end = monotonicMs() + timeoutMs;
  let seenAt = monotonicMs();
  let last: GuestStatus | null = null;
  let known: string[] = [];
  for (;;) {
    const asked = await askStatus(controlSocket(runtimeDirectory())).catch(() => null);
    if (asked !== null) {
      seenAt = monotonicMs();
      known = asked.guests.map((guest) => guest.vm);
    } else if (monotonicMs() - seenAt > AWAY_MS || last === null) {
      terminal.err(`wedgewatch: ${noDaemon()}\n`);
      return EXIT.environment;
    }
    last = asked?.guests.find((guest) => guest.vm === vm) ?? last;
    const code = last === null ? null : reached(last, until);
    if (code !== null && last !== null) return tell(last, code, options, globals);
    if (monotonicMs() >= end) {
      const now =
        last === null
          ? `no such guest was seen${didYouMean(vm, known)}`
          : `${last.state}: ${last.reasons.join('; ')}`;
      terminal.err(
        `wedgewatch: ${printable(`${vm}: not ${until} within ${options.timeout}; ${now}`, 400)}\n`,
      );
      return EXIT.timeout;
    }
    await delay(Math.min(POLL_MS, Math.max(1, end - monotonicMs())));
  }
}

/** The exit code once the wait is over, or null. */
function reached({ state, busy }: GuestStatus, until: 'hang' | 'up'): number | null {
  // Not before its incident is on disk.
  if (isHung(state) && !busy) return EXIT.hang;
  if (until === 'up') return state === 'up' || state === 'recovered' ? EXIT.ok : null;
  return state === 'gone' ? EXIT.ok : null;
}

function tell(guest: GuestStatus, code: number, options: WaitOptions, { terminal, quiet }: Globals): number {
  if (options.json === true) terminal.out(`${safeJson(guest, 2)}\n`);
  else if (!quiet) {
    const incident = code === EXIT.hang && guest.incident !== null ? ` (${guest.incident})` : '';
    terminal.out(`${printable(`${guest.vm}: ${guest.state}: ${guest.why.join('; ')}${incident}`, 400)}\n`);
  }
  return code;
}

function refuse({ terminal }: Globals, message: string): number {
  terminal.err(`wedgewatch: ${message}\n`);
  return EXIT.usage;
}
