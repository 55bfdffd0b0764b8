import type { Mono } from '../core/time.js';

/** A guest with its effects under way, and when each began. */
interface Busy {
  vm: string;
  underWay: ReadonlyMap<string, Mono>;
}

/** What is under way, by name: what does not end in time is told by it. */
export class UnderWay {
  private readonly tasks = new Set<{ name: string }>();
  private guests: ReadonlyMap<string, Busy> = new Map();

  async of<T>(name: string, work: Promise<T>): Promise<T> {
    const task = { name };
    this.tasks.add(task);
    try {
      return await work;
    } finally {
      this.tasks.delete(task);
    }
  }

  /** What is under way for these guests counts as well. */
  also({ guests }: { guests: ReadonlyMap<string, Busy> }): void {
    this.guests = guests;
  }

  names(): string[] {
    const effects = [...this.guests.values()].flatMap(({ vm, underWay }) =>
      [...underWay.keys()].map((effect) => `${vm}: ${effect}`),
    );
    return [...[...this.tasks].map(({ name }) => name), ...effects];
  }
}
