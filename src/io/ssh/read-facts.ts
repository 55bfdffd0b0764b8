import type { GuestFacts } from '../../core/model.js';
import { factsOf, FACTS_COMMAND, NO_FACTS } from '../../core/ssh/guest-facts.js';
import { loginArguments } from './probe.js';
import { noLogin, runSsh, type SshOptions } from './resolve.js';

/** Reads over SSH what a healthy guest allows and prints on SysRq. Never throws; what cannot be read is null. */
export async function readGuestFacts(host: string, options: SshOptions): Promise<GuestFacts> {
  if ((await noLogin(host, options)) !== null) return NO_FACTS;
  const result = await runSsh([...loginArguments(host, options.timeoutMs), FACTS_COMMAND], options);
  // cat fails where the kernel has no SysRq, and has then still printed the other file.
  return result.stopped === null && result.exitCode !== 255 ? factsOf(result.stdout) : NO_FACTS;
}
