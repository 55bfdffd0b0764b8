/** The reader of guests' memory: one process for all of them, which knows their kernels. It needs no key, and stops no guest. */
import { fileURLToPath } from 'node:url';
import type { Closed, SampleAnswer, SnapshotAnswer } from '../core/memory/answers.js';
import { printable } from '../core/printable.js';
import { HelperFailed, HelperProcess } from '../io/helper-process.js';
import { askMap, askRegisters, findProcess, type MemorySource } from '../io/memory/source.js';
import type { MemoryQuestion } from './memory-guests.js';
import type { MemoryReader, MemoryTarget } from './memory-reader.js';

const ENTRY = fileURLToPath(new URL('./memory-process.js', import.meta.url));
/** The tables of several builds, and a snapshot of 10,000 tasks. */
const HEAP_MB = 768;
/** The first of a guest finds its kernel, which takes a second on a busy host. */
const SAMPLE_MS = 10_000;
/** QEMU answers in milliseconds, or does not. */
const QMP_MS = 700;
/** After a QEMU gave no answer it is not waited for again. */
const QMP_AGAIN_MS = 30_000;
/** Whose memory ended the process is left alone for a while: it would end it again. */
const HARMFUL_MS = 600_000;
/** Who is read too late may only have a busy host: not for so long, twice as long each time. */
const LATE_MS = 10_000;

interface Known {
  pid: number;
  /** What the process was told last: it has that yet, unless it says otherwise. Null where it is to be told anew. */
  told: MemorySource | null;
  map: Pick<MemorySource, 'regions' | 'hostAddresses'> | null;
  silentUntil: number;
  harmful: { until: number; why: string } | null;
  /** How often in a row it was read too late. */
  late: number;
}

interface Waiting {
  urgent: boolean;
  go: () => void;
}

type Order = { type: 'snapshot' } | { type: 'sample'; standingForSeconds: number };

/** Those who ran may have ended before their page tables were read. */
const isLost = (answer: unknown): boolean => (answer as Partial<Closed>).noKernel === true;

const closed = (why: string): Closed => ({ ok: false, why, fix: null });

const BUSY = closed('the reader was busy with other guests');
/** Of its time, for a question whose turn came late. */
const ENOUGH = 1 / 3;

/** A list that leads nowhere may lead to memory that was plugged in. */
function asksAgain(answer: SampleAnswer, known: Known): SampleAnswer {
  if (answer.ok && answer.broken) Object.assign(known, { told: null, map: null });
  return answer;
}

const isRead = (answer: unknown): boolean => (answer as Partial<SampleAnswer>).ok === true;

/** For so many milliseconds nobody reads the memory that ended the reader's process. */
function leftAlone(known: Known, error: unknown): number {
  if (!(error instanceof HelperFailed && error.late)) return HARMFUL_MS;
  known.late += 1;
  return Math.min(LATE_MS * 2 ** (known.late - 1), HARMFUL_MS);
}

export class ProcessMemoryReader implements MemoryReader {
  private readonly process = new HelperProcess(ENTRY, { heapMb: HEAP_MB });
  private readonly known = new Map<string, Known>();
  private readonly waiting: Waiting[] = [];
  private busy = false;

  snapshot(target: MemoryTarget, deadlineMs: number): Promise<SnapshotAnswer> {
    return this.ask(target, { type: 'snapshot' }, deadlineMs) as Promise<SnapshotAnswer>;
  }

  /** Who was read before is read again as long as that goes well: then nobody looks for its QEMU, nor asks it anything. */
  async sample(target: MemoryTarget, seconds: number): Promise<SampleAnswer> {
    const order = { type: 'sample', standingForSeconds: seconds } as const;
    const known = this.known.get(target.vm);
    if (this.process.running && known?.told?.qmpSocket === target.qmpSocket) {
      const { vm } = target;
      const answer = await this.send(
        { ...order, vm, source: null, registers: null },
        SAMPLE_MS,
        false,
        known,
      );
      if (answer === BUSY || isRead(answer)) return asksAgain(answer as SampleAnswer, known);
      known.told = null;
    }
    return (await this.ask(target, order, SAMPLE_MS)) as SampleAnswer;
  }

  forget(vm: string): void {
    this.known.delete(vm);
    if (this.process.running) void this.send({ type: 'forget', vm }, SAMPLE_MS, true).catch(() => undefined);
  }

  close(): void {
    this.process.close();
  }

  private async ask(target: MemoryTarget, order: Order, deadlineMs: number): Promise<unknown> {
    const end = performance.now() + deadlineMs;
    const left = () => Math.max(1, end - performance.now());
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      const found = await findProcess(target, signal);
      if (!found.ok) return found;
      const known = this.of(target.vm, found.pid);
      if (known.harmful !== null && performance.now() < known.harmful.until) return closed(known.harmful.why);
      const urgent = order.type === 'snapshot';
      const source = await this.sourceOf(target, found, known, { urgent, ms: left() / 2 });
      const { vm } = target;
      // Registers grow old while a process starts: the page tables that they name may be gone by then.
      if (!this.process.running) await this.send({ type: 'forget', vm }, left(), urgent);
      for (const last of [!urgent, true]) {
        const registers = await this.registersOf(target, known, left() / 2);
        const answer = await this.send({ ...order, vm, source, registers }, left(), urgent, known);
        known.told = isRead(answer) && source.regions !== null ? source : null;
        if (last || registers === null || !isLost(answer)) return answer;
        // By registers of another moment, as if it had never been seen.
        await this.send({ type: 'forget', vm }, left(), urgent);
      }
      return closed('no kernel found');
    } catch (error) {
      return closed(printable(error instanceof Error ? error.message : String(error), 400));
    }
  }

  private of(vm: string, pid: number): Known {
    const before = this.known.get(vm);
    if (before?.pid === pid) return before;
    const known: Known = { pid, told: null, map: null, silentUntil: 0, harmful: null, late: 0 };
    this.known.set(vm, known);
    return known;
  }

  /** Memory may have been plugged in since the last look. Through libvirt each question would be some runs of virsh. */
  private async sourceOf(
    { qmpSocket }: MemoryTarget,
    { pid, argv }: { pid: number; argv: string[] },
    known: Known,
    { urgent, ms }: { urgent: boolean; ms: number },
  ): Promise<MemorySource> {
    const again = urgent && !qmpSocket.startsWith('libvirt:');
    if (known.map === null || again) {
      const qmpMs = performance.now() < known.silentUntil ? 0 : Math.min(QMP_MS, ms);
      const map = await askMap(qmpSocket, { qmpMs, signal: AbortSignal.timeout(SAMPLE_MS) });
      if (map.regions !== null) known.map = map;
      else if (qmpMs > 0) known.silentUntil = performance.now() + QMP_AGAIN_MS;
    }
    return { pid, argv, qmpSocket, ...(known.map ?? { regions: null, hostAddresses: {} }) };
  }

  private async registersOf({ qmpSocket }: MemoryTarget, known: Known, ms: number): Promise<string | null> {
    if (performance.now() < known.silentUntil) return null;
    const qmpMs = Math.min(QMP_MS, ms);
    const text = await askRegisters(qmpSocket, { qmpMs, signal: AbortSignal.timeout(SAMPLE_MS) });
    if (text === null) known.silentUntil = performance.now() + QMP_AGAIN_MS;
    return text;
  }

  /** One question at a time; those of a suspicion go first. */
  private async send(question: MemoryQuestion, ms: number, urgent: boolean, known?: Known): Promise<unknown> {
    const end = performance.now() + ms;
    await this.turn(urgent);
    try {
      const left = end - performance.now();
      // A deadline that passes ends the process, and with it all that it knows.
      if (left < ms * ENOUGH) return BUSY;
      const answer = await this.process.ask(question, left);
      if (known !== undefined) known.late = 0;
      return answer;
    } catch (error) {
      const why = `reading its memory failed: ${error instanceof Error ? error.message : String(error)}`;
      if (known !== undefined && !this.process.running)
        known.harmful = { until: performance.now() + leftAlone(known, error), why };
      return closed(printable(why, 400));
    } finally {
      this.next();
    }
  }

  private async turn(urgent: boolean): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      return;
    }
    await new Promise<void>((go) => this.waiting.push({ urgent, go }));
  }

  private next(): void {
    const first = Math.max(
      0,
      this.waiting.findIndex(({ urgent }) => urgent),
    );
    const [one] = this.waiting.splice(first, 1);
    if (one === undefined) this.busy = false;
    else one.go();
  }
}
