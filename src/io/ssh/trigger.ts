import type { SysrqKey } from '../../core/model.js';
import { printable } from '../../core/printable.js';
import { triggerCommand } from '../../core/ssh/trigger.js';
import { loginArguments } from './probe.js';
import { runSsh, startFailure, type SshOptions } from './resolve.js';

/** Asks for a SysRq key over SSH. Resolves when its handler is done, with why it is not, or null. Never throws. */
export async function triggerSysrq(host: string, key: SysrqKey, options: SshOptions): Promise<string | null> {
  const result = await runSsh([...loginArguments(host, options.timeoutMs), triggerCommand(key)], options);
  const failed = startFailure(result);
  if (failed !== null) return failed;
  if (result.stopped !== null) return `no command ran over SSH within ${options.timeoutMs} ms`;
  if (result.exitCode === 0) return null;
  const said = printable(result.stderr.trim().split('\n').at(-1) ?? '', 160);
  if (result.exitCode === 255) return `SSH failed: ${said}`;
  return `/proc/sysrq-trigger was not written: ${said}; log in as root, or allow sudo without a password`;
}
