/** Turns the way journalctl failed into a sentence with its fix. */
import { printable } from '../core/printable.js';

export interface JournalctlEnd {
  /** As spawn(2) failed, `ENOENT` above all. */
  code: string | undefined;
  exitCode: number | undefined;
  signal: string | undefined;
  stderr: string;
}

const PERSIST =
  'sudo mkdir -p /var/log/journal && sudo systemd-tmpfiles --create --prefix /var/log/journal && sudo journalctl --flush';

const MISSING =
  'journalctl was not found. Fix: install systemd, or read the consoles from files (console: file:/path)';
const FORBIDDEN = `this user may not read the journal: a user's own journal exists only if the journal is persistent. Fix: ${PERSIST}; or sudo usermod -aG systemd-journal $USER, and log in again`;

/** Why journalctl ended: cause, and the fix where there is a known one. Its words are those of systemd 247 to 257. */
export function faultSentence(end: JournalctlEnd): string {
  const { code, exitCode, signal, stderr } = end;
  // The second is stdbuf's word for it.
  if (code === 'ENOENT' || /failed to run command.*No such file/.test(stderr)) return MISSING;
  if (stderr.includes('insufficient permissions')) return FORBIDDEN;
  const how =
    signal !== undefined
      ? `was killed by ${signal}`
      : exitCode === undefined
        ? `could not be started (${code ?? 'unknown error'})`
        : `ended with exit code ${exitCode}`;
  const words = stderr.trim().split('\n').join('; ');
  return `journalctl ${how}${words === '' ? '' : `: ${printable(words, 500)}`}`;
}
