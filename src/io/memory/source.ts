/** Finds the QEMU of a guest, and what it says of its memory: all that opening it needs. */
import { encryptedBy, parseHostAddress, parseMemoryTree, type Region } from '../../core/memory/memory-map.js';
import type { Closed } from '../../core/memory/answers.js';
import { findQemu, type Whose } from '../qemu-process.js';
import { withQmp, type QmpSession } from '../qmp/with-qmp.js';

/** Plain data: it goes to the reader's process. */
export interface MemorySource {
  pid: number;
  argv: string[];
  qmpSocket: string;
  /** By QEMU's memory tree; null where QEMU could not be asked: its machine's usual ones are tried. */
  regions: Region[] | null;
  /** Where a memory (an `id` of the regions) begins in QEMU's own address space, as far as QEMU tells. */
  hostAddresses: Record<string, number>;
}

interface AskLimits {
  /** Deadline of QMP in milliseconds; 0: not asked. */
  qmpMs: number;
  signal: AbortSignal;
}

const MEMORIES_MAX = 8;

/** The process, or why there is none that may be read. */
export async function findProcess(
  whose: Whose,
  signal: AbortSignal,
): Promise<{ ok: true; pid: number; argv: string[] } | Closed> {
  const found = await findQemu(whose, signal);
  if (found === null) return { ok: false, why: 'no QEMU of this guest is running', fix: 'start the guest' };
  const cipher = encryptedBy(found.argv);
  if (cipher !== null) return { ok: false, why: `its memory is encrypted (${cipher})`, fix: null };
  return { ok: true, ...found };
}

/** Where QEMU says that the guest's memory lies; null where it does not answer. Never throws but for the signal. */
export async function askMap(
  qmpSocket: string,
  { qmpMs, signal }: AskLimits,
): Promise<Pick<MemorySource, 'regions' | 'hostAddresses'>> {
  const unknown = { regions: null, hostAddresses: {} };
  if (qmpMs <= 0) return unknown;
  try {
    return await withQmp(qmpSocket, { timeoutMs: qmpMs, signal }, mapOf);
  } catch {
    signal.throwIfAborted();
    return unknown;
  }
}

async function mapOf(session: QmpSession) {
  const regions = parseMemoryTree(await monitor(session, 'info mtree -f'));
  const hostAddresses: Record<string, number> = {};
  const starts = new Map(regions.map((region) => [region.id, region]));
  for (const { id, first, offset } of [...starts.values()].slice(0, MEMORIES_MAX)) {
    const address = parseHostAddress(
      await monitor(session, `gpa2hva 0x${first.toString(16)}`).catch(() => ''),
    );
    if (address !== null) hostAddresses[id] = address - offset;
  }
  return { regions: regions.length === 0 ? null : regions, hostAddresses };
}

/** `info registers -a`, null where QEMU does not answer in time. Never throws but for the signal. */
export async function askRegisters(qmpSocket: string, { qmpMs, signal }: AskLimits): Promise<string | null> {
  if (qmpMs <= 0) return null;
  try {
    return await withQmp(qmpSocket, { timeoutMs: qmpMs, signal }, (session) =>
      monitor(session, 'info registers -a'),
    );
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

async function monitor(session: QmpSession, line: string): Promise<string> {
  const answer = await session.execute('human-monitor-command', { 'command-line': line });
  return typeof answer === 'string' ? answer.replaceAll('\r', '') : '';
}
