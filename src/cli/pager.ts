/** Long output in a terminal goes through a pager, as git's does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** less: ends by itself where it fits, passes our colours only, and leaves the text on the screen. */
const LESS = 'FRX';
const NOT_FOUND = 127;
const NOT_RUN = 126;

/** The user's own command, for a shell; null where none is wanted. */
export function pagerOf(env: NodeJS.ProcessEnv): string | null {
  const pager = env['WEDGEWATCH_PAGER'] ?? env['PAGER'] ?? 'less';
  return pager === '' || pager === 'cat' ? null : pager;
}

/** Shows the text; false if the pager could not be run. The text must be fit for a terminal. */
export async function page(text: string, pager: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  // What a guest said is only ever its input.
  const child = spawn('/bin/sh', ['-c', pager], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...env, LESS: env['LESS'] ?? LESS },
  });
  // Whoever leaves before the end closes the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(text);
  // It is the pager's to answer.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code !== NOT_FOUND && code !== NOT_RUN;
  } catch {
    return false;
  } finally {
    process.off('SIGINT', ignore);
  }
}
