/** Who reads the dumps of a case: a process of its own for each guest that is captured, and few at once. */
import { fileURLToPath } from 'node:url';
import type { Answer, Question } from '../core/watch/analyst.js';
import { HelperProcess } from '../io/helper-process.js';

export interface Analyst {
  /** It will be asked soon. */
  warm(): void;
  /** Never rejects. After a failure the rest of the case fails at once: what killed it once would again. */
  answer(question: Question): Promise<Answer>;
  /** The case is over. */
  close(): void;
}

const ENTRY = fileURLToPath(new URL('./analyst-process.js', import.meta.url));
/** 10,000 tasks with their stacks and their report need about 200 MB. */
const HEAP_MB = 512;
const DEADLINE_MS = 20_000;

export class ProcessAnalyst implements Analyst {
  private readonly process = new HelperProcess(ENTRY, { heapMb: HEAP_MB });
  private failed: Answer | null = null;

  warm(): void {
    if (this.failed === null) this.process.start();
  }

  async answer(question: Question): Promise<Answer> {
    if (this.failed !== null) return this.failed;
    try {
      return (await this.process.ask(question, DEADLINE_MS)) as Answer;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.failed = { type: 'failed', why };
      return this.failed;
    }
  }

  close(): void {
    this.failed = null;
    this.process.close();
  }
}
