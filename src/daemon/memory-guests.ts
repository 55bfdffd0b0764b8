/** What the reader's process knows of guests; see memory-reader.ts. */
import type { Closed, SampleAnswer, SnapshotAnswer } from '../core/memory/answers.js';
import { createBuilds } from '../core/memory/builds.js';
import { KnownGuest } from '../core/memory/known-guest.js';
import { parseRegisters } from '../core/memory/registers.js';
import { monotonicMs } from '../io/clock.js';
import { OtherMemory } from '../io/memory/file-ram.js';
import { type OpenedRam, openRam } from '../io/memory/open-ram.js';
import type { MemorySource } from '../io/memory/source.js';

export type MemoryQuestion =
  | { type: 'snapshot'; vm: string; source: MemorySource; registers: string | null }
  | { type: 'sample'; vm: string; source: MemorySource; registers: string | null; standingForSeconds: number }
  | { type: 'forget'; vm: string };

interface Known {
  pid: number;
  /** By QEMU's own word where its memory lies, or by guess. */
  told: boolean;
  opened: OpenedRam;
  guest: KnownGuest;
}

const MOST_GUESTS = 4_096;

export class MemoryGuests {
  private readonly builds = createBuilds();
  private readonly known = new Map<string, Known>();

  answer(question: MemoryQuestion): SnapshotAnswer | SampleAnswer | null {
    if (question.type === 'forget') {
      this.known.delete(question.vm);
      return null;
    }
    const { vm, source } = question;
    const registers = question.registers === null ? [] : parseRegisters(question.registers);
    return this.withRam(vm, source, (guest, { way }) => {
      const now = monotonicMs() / 1000;
      if (question.type === 'snapshot') {
        const taken = guest.snapshot(registers, now);
        return taken.ok ? { ...taken, way } : taken;
      }
      return guest.sample(registers, now, question.standingForSeconds);
    });
  }

  private withRam<T>(
    vm: string,
    source: MemorySource,
    read: (guest: KnownGuest, opened: OpenedRam) => T,
  ): T | Closed {
    for (const last of [false, true]) {
      const known = this.find(vm, source);
      if ('ok' in known) return known;
      const { ram } = known.opened;
      try {
        ram.open();
        return read(known.guest, known.opened);
      } catch (error) {
        // Its QEMU was started anew, or the number is another file's now.
        this.known.delete(vm);
        const moved = error instanceof OtherMemory || (error as NodeJS.ErrnoException).code !== undefined;
        if (last || !moved) throw error;
      } finally {
        ram.close();
      }
    }
    return { ok: false, why: 'its memory is another one each time', fix: null };
  }

  private find(vm: string, source: MemorySource): Known | Closed {
    const known = this.known.get(vm);
    const told = source.regions !== null;
    if (known !== undefined && known.pid === source.pid && (known.told || !told)) return known;
    const opened = openRam(source);
    if (!opened.ok) return opened;
    const made = { pid: source.pid, told, opened, guest: new KnownGuest(opened.ram, this.builds) };
    if (this.known.size >= MOST_GUESTS) this.known.clear();
    this.known.set(vm, made);
    return made;
  }
}
