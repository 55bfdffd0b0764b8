/** What a guest printed of a capture while its watchdog was dead, appended to what that had archived. */
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptureTail, type TailLimits } from '../core/capture/cut-short.js';
import { cleanRow } from '../core/console/clean.js';
import type { ConsolePosition } from '../core/console/position.js';
import { AppendFile } from '../io/archive/append-file.js';
import type { Interrupted } from '../io/archive/finish.js';
import { rowsAgain } from '../io/reread-rows.js';

const POLL_MS = 300;
/** Reading the journal ends after this, with what came until then. */
const DEADLINE_MS = 120_000;
const NEWLINE = Uint8Array.of(10);

/**
 * Reads the rows behind the position noted at the start of the capture, and appends those that are not in console.raw
 * yet, up to the capture's end. It appends nothing unless the bytes already there equal the source's: so no row is there
 * twice, even if this is killed and repeated. Returns why it could read nothing, or not all, or null.
 */
export async function recover(
  cut: Interrupted,
  limits: TailLimits,
  signal: AbortSignal = new AbortController().signal,
): Promise<string | null> {
  signal.throwIfAborted();
  if (cut.position === null) return 'the position up to which its console was read is unknown';
  const archived = await readFile(cut.raw).catch(() => Buffer.alloc(0));
  if (archived.length < cut.contextBytes) return 'the disk did not store its first bytes';
  const recovery = new Recovery(cut, limits, archived.subarray(cut.contextBytes), signal);
  try {
    const lost = await recovery.run(cut.position);
    signal.throwIfAborted();
    return lost;
  } catch (error) {
    // Half of it must not be filed as all there is.
    signal.throwIfAborted();
    return `could not read its console again: ${error instanceof Error ? error.message : String(error)}`;
  }
}

class Recovery {
  private readonly tail: CaptureTail;
  private readonly file: AppendFile;
  private readonly deadline: AbortSignal;
  private compared = 0;

  constructor(
    private readonly cut: Interrupted,
    limits: TailLimits,
    private readonly archived: Uint8Array,
    signal: AbortSignal,
  ) {
    this.deadline = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), signal]);
    this.tail = new CaptureTail(cut.startedAtMs, limits);
    this.file = new AppendFile(cut.raw);
  }

  async run(from: ConsolePosition): Promise<string | null> {
    let fault: string | null;
    try {
      await this.readOn(from);
    } finally {
      fault = await this.file.close();
    }
    if (fault !== null) return `console.raw: ${fault}`;
    if (this.compared < this.archived.length)
      return 'its console no longer reaches back to the start of the capture';
    return null;
  }

  private async readOn(from: ConsolePosition): Promise<void> {
    let position = await this.readToEnd(from);
    while (position !== null && !this.deadline.aborted && (await this.mayGrow(position))) {
      await delay(POLL_MS, undefined, { signal: this.deadline }).catch(() => undefined);
      position = await this.readToEnd(position);
    }
  }

  /** The position behind the last row; null if the capture ends before the source does. */
  private async readToEnd(from: ConsolePosition): Promise<ConsolePosition | null> {
    let reached = from;
    for await (const { bytes, at, position } of rowsAgain(from, this.cut.accusation, this.deadline)) {
      const row = Buffer.concat([bytes, NEWLINE]);
      const held = this.archived.subarray(this.compared, this.compared + row.length);
      if (!row.subarray(0, held.length).equals(held))
        throw new Error('it does not contain what was archived from it');
      if (!this.tail.take(cleanRow(bytes), at, held.length > 0)) return null;
      this.compared += held.length;
      await this.file.append(row.subarray(held.length));
      reached = position;
    }
    return reached;
  }

  private async mayGrow(position: ConsolePosition): Promise<boolean> {
    if (position.kind === 'file') this.tail.printedAt((await stat(position.path)).mtimeMs);
    return this.tail.reaches(Date.now());
  }
}
