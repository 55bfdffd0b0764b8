/** A capture by hand, through a running daemon: only one of us presses keys. */
import type { CaptureResult } from './control.js';
import type { Daemon } from './daemon.js';

const WAIT_MS = 150_000;

/** Asks for a dump of this guest and resolves when it is filed, or says why it cannot be. */
export async function captureNow(daemon: Daemon, vm: string, note: string | null): Promise<CaptureResult> {
  const guest = daemon.guests.get(vm);
  if (guest === undefined) {
    const known = [...daemon.guests.keys()].join(', ');
    return {
      directory: null,
      problem: `no guest ${vm}; there ${known === '' ? 'are none' : `are: ${known}`}`,
    };
  }
  if (guest.state.name === 'gone')
    return { directory: null, problem: `${vm} does not run: ${guest.state.why.join('; ')}` };
  if (guest.state.case !== null)
    return { directory: null, problem: `${vm} is being captured already: ${guest.state.why.join('; ')}` };
  const filed = guest.nextFiled(WAIT_MS);
  guest.now({ type: 'capture-asked', note });
  return filed;
}
