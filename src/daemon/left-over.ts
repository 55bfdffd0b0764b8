/** Which guests have a capture of an earlier daemon that is not completed yet. */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseIncidentName } from '../core/report/incident.js';
import { incidentsIn } from '../io/archive/directory.js';
import { parsePartial } from '../io/archive/partial.js';

const POLL_MS = 250;

/** Resolves once nothing that an earlier daemon left of this guest is read any more; at once where there is nothing. */
export type LeftOver = (vm: string) => Promise<void>;

export const nothingLeft: LeftOver = () => Promise.resolve();

/**
 * Notes what is there now, before anything of it is completed. A capture must not begin in a guest whose console is still
 * read for an earlier one: the end of that would be the beginning of this. Other guests have nothing to wait for.
 * `completed` resolves once all that can be completed is; it must not reject.
 */
export async function leftOver(root: string, completed: () => Promise<void>): Promise<LeftOver> {
  const before = await partials(root);
  let over = false;
  const all = completed().finally(() => (over = true));
  return async (vm) => {
    const left = [...before.keys()].filter((id) => before.get(id) === vm);
    const gone = async () => {
      while (!over && left.length > 0) {
        const now = await partials(root);
        if (!left.some((id) => now.has(id))) return;
        await delay(POLL_MS, undefined, { ref: false });
      }
    };
    await Promise.race([all, gone()]);
  };
}

/** VMs by the ids of their partial incidents. */
async function partials(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(incidentsIn(root)).catch(() => [])) {
    const id = parsePartial(name)?.id;
    const vm = id === undefined ? undefined : parseIncidentName(id)?.vm;
    if (id !== undefined && vm !== undefined) found.set(id, vm);
  }
  return found;
}
