import { printable } from '../../core/printable.js';
import { ARM_COMMAND } from '../../core/ssh/guest-facts.js';
import { loginArguments } from './probe.js';
import { noLogin, runSsh, type SshOptions } from './resolve.js';

/** Lets the guest print its dumps until its next boot. Resolves with why it could not, or null. Never throws. */
export async function armGuest(host: string, options: SshOptions): Promise<string | null> {
  const refused = await noLogin(host, options);
  if (refused !== null) return refused;
  const result = await runSsh([...loginArguments(host, options.timeoutMs), ARM_COMMAND], options);
  if (result.exitCode === 0) return null;
  if (result.stopped !== null || result.startFailure !== null) return 'no command ran over SSH in time';
  const said = printable(result.stderr.trim().split('\n').at(-1) ?? '', 160);
  return `${said === '' ? 'the command failed' : said}; log in as root, or allow sudo without a password`;
}
