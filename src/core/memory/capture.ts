/** Reads a task and its stack so that they belong together, although the task may run meanwhile. */
import type { Reader } from './reader.js';
import { StackCopy } from './stack-words.js';
import type { TaskLayout } from './task-layout.js';
import { decodeTask, type RawTask } from './tasks.js';
import { Words } from './reading.js';

export interface Captured {
  raw: RawTask;
  /** Null where it has none, is on a CPU, or there is no room for more. */
  stack: StackCopy | null;
  tries: number;
  torn: boolean;
}

const TRIES = 3;

export class Capturer {
  readonly #task: Words;
  readonly #again: Words;
  readonly #from: number;

  /** `room`: bytes that the copies of all stacks may take together. */
  constructor(
    private readonly reader: Reader,
    private room: number,
  ) {
    const { layout } = reader;
    const [first, end] = steadyRange(layout);
    this.#task = new Words(layout.span);
    this.#again = new Words(end - first);
    this.#from = first;
  }

  get full(): boolean {
    return this.room <= 0;
  }

  /** `words` holds the task as it was just read. */
  capture(address: bigint, words: Words): Captured {
    let raw = decodeTask(this.reader.layout, words, address);
    for (let tries = 1; ; tries++) {
      const stack = raw.onCpu ? null : this.#copy(raw);
      const torn = stack !== null && !this.#steady(raw, stack);
      if (!torn || tries === TRIES) return { raw, stack: torn ? null : stack, tries, torn };
      if (!this.reader.kernel.space.read(address, this.#task.bytes)) return { raw, stack: null, tries, torn };
      raw = decodeTask(this.reader.layout, this.#task, address);
    }
  }

  /** From its saved stack pointer to the top. */
  #copy({ stack, sp }: RawTask): StackCopy | null {
    const length = Number(stack + BigInt(this.reader.stackSize) - sp);
    if (stack === 0n || sp < stack || length <= 0 || length > this.room) return null;
    const bytes = new Uint8Array(length);
    if (!this.reader.kernel.space.read(sp, bytes)) return null;
    this.room -= length;
    return new StackCopy(sp, bytes);
  }

  /** It has not run since: the same count of switches, and on no CPU. */
  #steady(raw: RawTask, stack: StackCopy): boolean {
    const { kernel, layout } = this.reader;
    if (layout.switches === null) return this.#same(raw, stack);
    const { space } = kernel;
    if (!space.read(raw.address + BigInt(this.#from), this.#again.bytes)) return false;
    const shifted = (at: number) => at - this.#from;
    const { voluntary, forced } = layout.switches;
    const switches = this.#again.counter(shifted(voluntary)) + this.#again.counter(shifted(forced));
    const { onCpu } = layout;
    return (
      switches === raw.switches &&
      (onCpu === null || this.#again.integer(shifted(onCpu.at), onCpu.size) === 0)
    );
  }

  /** Where no count of switches is known: what was copied has not changed. */
  #same({ address, sp }: RawTask, { bytes }: StackCopy): boolean {
    const { kernel, layout } = this.reader;
    const pointer = new Words(8);
    if (!kernel.space.read(address + BigInt(layout.sp), pointer.bytes) || pointer.u64(0) !== sp) return false;
    const again = new Uint8Array(bytes.length);
    return kernel.space.read(sp, again) && again.every((byte, i) => byte === bytes[i]);
  }
}

function steadyRange({ switches, onCpu }: TaskLayout): [number, number] {
  if (switches === null) return [0, 8];
  const { voluntary, forced } = switches;
  const members = [voluntary, forced, ...(onCpu === null ? [] : [onCpu.at])];
  return [Math.min(...members), Math.max(...members) + 8];
}
