import type { HostPressure } from '../core/host/now.js';
import { readFile } from 'node:fs/promises';
import { avg10 } from '../core/host/psi.js';

/** What the host's kernel says of its own load; null if it does not keep account (CONFIG_PSI, psi=1). */
export async function readPressure(directory = '/proc/pressure'): Promise<HostPressure | null> {
  const read = (name: string) => readFile(`${directory}/${name}`, 'utf8').catch(() => null);
  const [cpu, io, memory] = await Promise.all([read('cpu'), read('io'), read('memory')]);
  const pressure = { cpu: avg10(cpu, 'some'), io: avg10(io, 'full'), memory: avg10(memory, 'full') };
  return Object.values(pressure).every((value) => value === null) ? null : pressure;
}
