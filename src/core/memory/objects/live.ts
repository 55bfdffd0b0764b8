import type { MemoryFrame, MemoryTask } from '../model.js';

const WORDS_MAX = 2048;
const FRAMES_MAX = 64;

/** Pointers of a task's copied stack, by address. */
export function stackWord({ stack }: Pick<MemoryTask, 'stack'>, address: bigint): bigint | null {
  if (!stack) return null;
  const offset = Number(address - stack.base);
  if (offset < 0 || offset + 8 > stack.bytes.length || offset % 8 !== 0) return null;
  return viewOf(stack.bytes).getBigUint64(offset, true);
}

const views = new WeakMap<Uint8Array, DataView>();

function viewOf(bytes: Uint8Array): DataView {
  const known = views.get(bytes);
  if (known) return known;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  views.set(bytes, view);
  return view;
}

/** Where the words of one live frame lie; what lies elsewhere on the stack is left over from calls that returned. */
export function frameRange(task: MemoryTask, index: number): [from: bigint, to: bigint] | null {
  const { stack, frames } = task;
  const from = frames[index]?.sp;
  if (!stack || from === undefined) return null;
  const end = stack.base + BigInt(stack.bytes.length);
  const next = frames[index + 1]?.sp ?? end;
  const to = next < end ? next : end;
  const first = from > stack.base ? from : stack.base;
  return first < to ? [first, to] : null;
}

/** The words of live frames, innermost first. */
export function* liveWords(task: MemoryTask): Generator<bigint> {
  let left = WORDS_MAX;
  const count = Math.min(task.frames.length, FRAMES_MAX);
  for (let index = 0; index < count; index += 1) {
    const [from, to] = frameRange(task, index) ?? [0n, 0n];
    for (let at = from; at < to && left > 0; at += 8n, left -= 1) {
      const word = stackWord(task, at);
      if (word !== null) yield word;
    }
  }
}

/** The first frame of a function of this name. */
export const frameOf = (frames: readonly MemoryFrame[], name: RegExp): number =>
  frames.slice(0, FRAMES_MAX).findIndex(({ symbol }) => name.test(symbol));
