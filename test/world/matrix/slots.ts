/** How many guests may load the host at once: first come, first served. */
export class Slots {
  #free: number;
  readonly #queue: { wanted: number; enter: () => void }[] = [];

  constructor(readonly all: number) {
    this.#free = all;
  }

  /** Resolves once so many are free; call what it resolves with to give them back, once or more often. */
  async take(wanted: number): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.#queue.push({ wanted, enter });
      this.#admit();
    });
    let taken = wanted;
    return () => {
      this.#free += taken;
      taken = 0;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined && next.wanted <= this.#free; next = this.#queue[0]) {
      this.#queue.shift();
      this.#free -= next.wanted;
      next.enter();
    }
  }
}
