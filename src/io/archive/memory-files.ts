/** What a snapshot of a guest's memory said, beside the other evidence of an incident: replaced as a whole by a newer one. */
import { join } from 'node:path';
import { DMESG_TEXT, MEMORY_TEXT } from '../../core/report/text.js';
import { printable } from '../../core/printable.js';
import { counted } from '../../core/words.js';
import { putFile } from '../files.js';
import { faultText, isFull } from './directory.js';

export interface MemoryTexts {
  /** memory.txt */
  text: string;
  /** dmesg.txt; null where the guest's log could not be read. */
  log: { text: string; leftOut: number } | null;
}

const LINE_MAX = 8192;
/** 50,000 tasks take about 100 MB. */
const FILE_MAX = 128 << 20;

export class MemoryFiles {
  private last: Promise<void> = Promise.resolve();
  private readonly faults = new Map<string, string>();

  /** `max`: bytes of a file, about. `makeRoom` returns false if it could make none on a full disk. */
  constructor(
    private readonly directory: string,
    private readonly makeRoom: () => Promise<boolean>,
    private readonly max = FILE_MAX,
  ) {}

  /** Resolves once both are on disk, or cannot be. Never rejects: what went wrong is told by `settle`. */
  put({ text, log }: MemoryTexts): Promise<void> {
    this.last = this.last.then(async () => {
      await this.write(MEMORY_TEXT, text);
      if (log === null) return;
      const head = log.leftOut > 0 ? `(${counted(log.leftOut, 'older record')} left out)\n` : '';
      await this.write(DMESG_TEXT, `${head}${log.text}`);
    });
    return this.last;
  }

  /** Waits for what is under way. Returns the files that are not there in full. */
  async settle(): Promise<{ file: string; why: string }[]> {
    await this.last;
    return [...this.faults].map(([file, why]) => ({ file, why }));
  }

  private async write(file: string, text: string): Promise<void> {
    this.faults.delete(file);
    if (text.length > this.max) this.faults.set(file, `cut after ${this.max} characters`);
    for (;;) {
      try {
        await putFile(join(this.directory, file), lines(text.slice(0, this.max)));
        return;
      } catch (error) {
        if (isFull(error) && (await this.makeRoom().catch(() => false))) continue;
        this.faults.set(file, faultText(error));
        return;
      }
    }
  }
}

/** Whoever prints them has cleaned them; a file that people cat is worth a second check. */
function* lines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    yield `${printable(text.slice(start, stop), LINE_MAX)}\n`;
    start = stop + 1;
  }
}
