/** wedgewatch as the world's user calls it. */
import { join } from 'node:path';
import { user, type World } from './world.js';

/** The command, as words. */
export const mainOf = ({ host }: World) => [host.node, join(import.meta.dirname, '../../dist/cli/main.js')];

export const archive = join(user.home, '.local/state/wedgewatch/incidents');

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs a verb to its end, whatever its exit code. @throws CallError at the deadline, in milliseconds */
export async function verb(world: World, args: string, timeoutMs = 60_000): Promise<Ended> {
  const both = `said=$(mktemp); ${mainOf(world).join(' ')} ${args} 2>$said; echo "exit $?"; cat $said`;
  const said = await world.dev(['sh', '-c', both], timeoutMs);
  const [, out = '', code = '', err = ''] = /^([^]*?)\n?exit (\d+)\n?([^]*)$/.exec(said) ?? [];
  return { code: Number(code), out, err };
}
