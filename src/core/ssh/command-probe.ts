/** A login and a command that must fork and read from a disk: what runs in the guest, and what its end says. */
import { printable } from '../printable.js';
import { sshOutcome, type SshOutcome } from './outcome.js';

/** The steps of being served, in their order. `command`: a shell is started, forks, and reads from a disk. */
export type SshStep = 'connect' | 'banner' | 'login' | 'command';

/** What came of a login and a command. `no-login`: the guest does not let this user in. */
export interface SshCommand {
  kind: SshOutcome | 'no-login';
  /** Where it ended. */
  step: SshStep;
  detail: string;
  /** Why an `ok` may say less than it seems. */
  doubt?: string;
  tookMs: number;
  /** It was given up while this host was late: it says nothing about the guest. */
  late?: true;
}

const BEGIN = 'wedgewatch-begin';
const END = /^wedgewatch-end (direct|cached|none)\s*$/m;
const READ = 'dd if=/bin/sh of=/dev/null bs=4096 count=1';

/**
 * For any login shell. A file of the root filesystem is read, never written: O_DIRECT goes past the page cache, which
 * would answer for a dead disk; a filesystem without O_DIRECT (ramfs, squashfs) is read through it, and that is said.
 */
export const COMMAND = [
  `exec /bin/sh -c 'echo ${BEGIN}`,
  `if ${READ} iflag=direct 2>/dev/null`,
  'then r=direct',
  `elif ${READ} 2>/dev/null`,
  'then r=cached',
  'else r=none',
  'fi',
  `echo wedgewatch-end $r'`,
].join('; ');

/** ssh's words at LogLevel DEBUG1: kex.c says what the peer's banner was, sshconnect2.c that it let the user in. */
const GREETED = /^debug1: Remote protocol version \S+, remote software version (.*)$/m;
const LET_IN = /^Authenticated to /m;

/**
 * Without a proxy ssh says the first; with one only that it has sent its own version, which it does once there is
 * somebody to send it to: a ProxyCommand that was started, or the descriptor that one passed (ssh's sshconnect.c, kex.c).
 */
const CONNECTED = /^debug1: (?:Connection established\.|Local version string )/m;

/** How far ssh came by its own words: the step that it is at. */
export function stepOf(stderr: string): SshStep {
  if (LET_IN.test(stderr)) return 'command';
  if (GREETED.test(stderr)) return 'login';
  return CONNECTED.test(stderr) ? 'banner' : 'connect';
}

/** The server's software, once it has greeted; null before. */
export const greetingOf = (stderr: string): string | null => GREETED.exec(stderr)?.[1]?.trim() ?? null;

/** Without the lines that only LogLevel DEBUG1 brings, and those on options that this build of ssh has left out. */
export const withoutDebug = (stderr: string): string =>
  stderr
    .split('\n')
    .filter(
      (line) =>
        !/^debug\d: |^(?:OpenSSH_|Authenticated to |Transferred: |Bytes per second: )/.test(line) &&
        !/^command-line(?: line)? 0: Unsupported option /.test(line),
    )
    .join('\n');

/** The keepalives of ssh: its peer, or the way to it, is gone. */
const GONE = /^Timeout, server .* not responding/m;
const NOT_LET_IN =
  /: Permission denied \(|Too many authentication failures|Unable to negotiate with|Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/;

/** What an ssh that ended by itself says. `exitCode` 255 is ssh's own, any other one the guest's. */
export function commandOutcome(exitCode: number, stdout: string, stderr: string): Omit<SshCommand, 'tookMs'> {
  const step = stepOf(stderr);
  if (exitCode !== 255) {
    const read = END.exec(stdout)?.[1];
    if (read === 'direct') return { kind: 'ok', step: 'command', detail: 'read past the page cache' };
    const doubt = read === 'cached' ? 'its disk may have been read from the page cache' : 'it read no disk';
    return { kind: 'ok', step: 'command', detail: read === undefined ? `exit code ${exitCode}` : '', doubt };
  }
  const said = withoutDebug(stderr);
  if (GONE.test(said)) return { kind: 'timed-out', step: 'connect', detail: 'the connection is dead' };
  const { kind, line } = sshOutcome(exitCode, said);
  const detail = printable(line, 200);
  if (NOT_LET_IN.test(said)) return { kind: 'no-login', step: 'login', detail };
  return { kind: kind === 'ok' ? 'refused' : kind, step, detail };
}
