/** Names a guest's registers by a System.map, or says why it cannot. */
import { readFile, stat } from 'node:fs/promises';
import type { GuestFacts, Look } from '../core/model.js';
import { parseSystemMap, relocation, type SystemMap, withSymbols } from '../core/qmp/system-map.js';

/** Those of distributions have 10 MiB. */
const MAX_BYTES = 64 << 20;
const KEPT = 4;

/** By path, size and time: guests of one kernel share it. */
const kept = new Map<string, SystemMap | string>();

async function read(path: string): Promise<SystemMap | string> {
  try {
    const { size, mtimeMs } = await stat(path);
    if (size > MAX_BYTES) return `${path} has ${size} bytes: it is not a System.map`;
    const key = `${path}\0${size}\0${mtimeMs}`;
    const parsed = kept.get(key) ?? parseSystemMap(await readFile(path, 'latin1'));
    if (kept.size >= KEPT) kept.clear();
    kept.set(key, parsed);
    return typeof parsed === 'string' ? `${path}: ${parsed}` : parsed;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Names the samples of a look if the names are certain, else says why not. Never throws. */
export async function symbolized(look: Look, path: string, facts: GuestFacts | null): Promise<Look> {
  if (!look.qmp.ok || look.qmp.vcpus.every(({ samples = [] }) => samples.length === 0)) return look;
  const map = await read(path);
  if (typeof map === 'string') return { ...look, noSymbols: map };
  const by = relocation(map, facts, look.kernelCommandLine);
  if (by !== null) return withSymbols(look, map, by);
  return { ...look, noSymbols: 'the kernel may be relocated (KASLR), by an unknown offset' };
}
