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

/** journalctl's words (systemd 247 to 257) on the left. */
const KNOWN: readonly (readonly [words: RegExp, sentence: string])[] = [
  [
    /insufficient permissions/,
    `this user may not read the journal: a user's own journal exists only where the journal is persistent. Fix: ${PERSIST}; or sudo usermod -aG systemd-journal $USER, and log in again`,
  ],
  [
    /No journal files were found/,
    `no journal files were found: journald is not running or stores nothing. Fix: systemctl status systemd-journald; to store it, ${PERSIST}`,
  ],
  [
    /failed to run command|No such file or directory.*journalctl/,
    'journalctl was not found. Fix: install systemd, or read the consoles from files (console: file:/path)',
  ],
];

/** A sentence for words of journalctl that mean that nothing can be read, or null for all its other words. */
export function knownFault(stderr: string): string | null {
  return KNOWN.find(([words]) => words.test(stderr))?.[1] ?? null;
}

/** Why journalctl ended: cause, and the fix where there is a known one. */
export function faultSentence(end: JournalctlEnd): string {
  if (end.code === 'ENOENT') return knownFault('failed to run command') ?? '';
  const known = knownFault(end.stderr);
  if (known !== null) return known;
  const how =
    end.signal !== undefined
      ? `was killed by ${end.signal}`
      : end.exitCode === undefined
        ? `could not be started (${end.code ?? 'unknown error'})`
        : `ended with exit code ${end.exitCode}`;
  const words = end.stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(?:Hint:| {6}|Users in groups)/.test(line))
    .join('; ');
  return `journalctl ${how}${words === '' ? '' : `: ${printable(words, 500)}`}`;
}
