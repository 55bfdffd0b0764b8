/** Programs in the guest that answer for a filesystem or a disk. */
import type { Task, WaitKind } from '../model.js';
import { baseSymbol } from './layers.js';
import { whole } from './patterns.js';
import { SUBSYSTEMS } from '../subsystems.js';

const SERVED = SUBSYSTEMS.flatMap(({ server, programs, takesRequests }) =>
  (server ?? programs)
    ? [{ kind: server?.kind, programs, takes: takesRequests && whole(takesRequests) }]
    : [],
);

/** By its name, or by the function in which it takes its requests, even if that is only left over on its stack. */
const serves = ({ programs, takes }: (typeof SERVED)[number], { comm, frames }: Task): boolean =>
  programs?.test(comm) === true || frames.some(({ symbol }) => takes?.test(baseSymbol(symbol)) === true);

const DISK_SERVERS = SUBSYSTEMS.flatMap(({ layer, programs }) =>
  layer === 'block' && programs ? [programs] : [],
);

/** Whether a task is, by its name, a program that serves disks. */
export const servesDisks = ({ comm }: Pick<Task, 'comm'>): boolean =>
  DISK_SERVERS.some((programs) => programs.test(comm));

/** Whether a task is one that may have to answer such a wait; one for data may be for any of them. */
export function mayServe(task: Task, kind: WaitKind): boolean {
  const named = SERVED.filter((one) => one.kind === kind);
  return (named.length > 0 ? named : SERVED).some((one) => serves(one, task));
}
