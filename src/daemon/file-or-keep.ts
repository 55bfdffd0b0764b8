/** Files an incident in the archive or, where that fails, among those that wait for it. */
import type { KeptDump } from '../core/capture/series.js';
import { type Incident, incompleteBecause } from '../core/report/incident.js';
import type { Filed, IncidentParts } from '../io/archive/contents.js';
import { faultText } from '../io/archive/directory.js';
import type { MemoryTexts } from '../io/archive/memory-files.js';
import type { IncidentWriter } from '../io/archive/writer.js';
import type { ConsoleRing } from './console-ring.js';
import type { Services } from './guest-handle.js';

/** The evidence, as far as it is still in memory. */
interface Opened {
  writer: IncidentWriter;
  startedAtMs: number;
  /** Why it is kept outside the archive already. */
  problem: string | null;
  dumps: readonly KeptDump[];
  memory: MemoryTexts | null;
  before: ConsoleRing;
  since: ConsoleRing;
}

interface ToFile {
  vm: string;
  incident: Incident;
  parts: IncidentParts;
}

/** The problem is null if the archive has it. Throws ArchiveError where it could be kept nowhere. */
export async function fileOrKeep(
  opened: Opened,
  { vm, incident, parts }: ToFile,
  { pending }: Services,
): Promise<Filed & { problem: string | null }> {
  const { writer, startedAtMs, problem } = opened;
  if (problem !== null) return kept(await writer.file(incident, parts), problem);
  let why: string;
  try {
    const filed = await writer.file(incident, parts);
    pending.archiveWorks();
    return { ...filed, problem: null };
  } catch (error) {
    why = faultText(error);
  }
  const again = await pending.open({ vm, startedAtMs, id: writer.id }, why);
  await again.raw(opened.before.raw());
  await again.raw(opened.since.raw());
  for (const { name, lines } of opened.dumps) await again.dump(name, lines);
  if (opened.memory !== null) await again.memory(opened.memory);
  const cut = opened.since.isCut ? [`console.raw may lack rows of the capture: ${why}`] : [];
  return kept(await again.file(incompleteBecause(incident, cut), parts), why);

  function kept(filed: Filed, because: string) {
    pending.add(writer.id, because);
    return { ...filed, problem: `${because}; the incident waits in ${filed.path}` };
  }
}
