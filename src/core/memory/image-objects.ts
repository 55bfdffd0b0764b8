/** Objects of a kernel whose symbol table names functions only, by their shape in a copy of its image. */
import { findText, type Image } from './image.js';
import type { AddressSpace, Layouts } from './model.js';
import { u64, viewOf } from './reading.js';

interface Shaped {
  image: Image;
  space: AddressSpace;
  layouts: Layouts;
  /** Where data may begin in the image, in bytes: behind the text. */
  data: number;
}

/** Whether the upper half of a pointer is that of a kernel address. */
const isHigh = (word: number): boolean => word >>> 0 >= 0xff00_0000;

/** The idle task of the first CPU: its name, process number 0, and a list of tasks that leads back to it. */
export function initTaskIn({ image, space, layouts }: Shaped): bigint | null {
  const comm = layouts.offset('task_struct', 'comm');
  const tasks = layouts.offset('task_struct', 'tasks');
  const pid = layouts.offset('task_struct', 'pid');
  if (comm === null || tasks === null || pid === null) return null;
  const view = viewOf(image.bytes);
  for (const name of ['swapper/0\0', 'swapper\0']) {
    for (const at of findText(image.bytes, name, name.startsWith('swapper/') ? 7 : 1)) {
      const task = at - comm;
      if (task < 0 || task % 8 !== 0 || task + tasks + 8 > image.bytes.length) continue;
      if (task + pid + 4 > image.bytes.length || view.getUint32(task + pid, true) !== 0) continue;
      const own = image.first + BigInt(task + tasks);
      const next = view.getBigUint64(task + tasks, true);
      if (next !== own && u64(space, next + 8n) === own) return image.first + BigInt(task);
    }
  }
  return null;
}

/** A list of the image whose first element lies outside it and leads back: the first module knows its own address. */
export function modulesIn({ image, space, layouts, data }: Shaped): bigint | null {
  const list = layouts.offset('module', 'list');
  const own = layouts.offset('module', 'mkobj.mod');
  if (list === null || own === null) return null;
  const { words } = image;
  const view = viewOf(image.bytes);
  for (let word = (data >> 3) * 2; word + 4 <= words.length; word += 2) {
    const low = words[word] ?? 0;
    if (words[word + 1] !== -1 || words[word + 3] !== -1 || (low & 7) !== 0 || low === 0) continue;
    const next = view.getBigUint64(word * 4, true);
    const head = image.first + BigInt(word * 4);
    if (next >= image.first && next < image.end) continue;
    if (u64(space, next + 8n) !== head) continue;
    const module = next - BigInt(list);
    if (u64(space, module + BigInt(own)) === module) return head;
  }
  return null;
}

const idBits = (1n << 62n) - 1n;

interface RingOffsets {
  size: number;
  countBits: number;
  sizeBits: number;
  headId: number;
  descriptors: number;
  pointers: number[];
  stateOfDescriptor: number;
  descriptorSize: number;
}

function ringOffsets(layouts: Layouts): RingOffsets | null {
  const ring = (path: string): number => layouts.offset('printk_ringbuffer', path) ?? Number.NaN;
  const descriptors = ring('desc_ring.descs');
  const offsets = {
    size: layouts.size('printk_ringbuffer') ?? Number.NaN,
    countBits: ring('desc_ring.count_bits'),
    sizeBits: ring('text_data_ring.size_bits'),
    headId: ring('desc_ring.head_id'),
    descriptors,
    pointers: [descriptors, ring('desc_ring.infos'), ring('text_data_ring.data')],
    stateOfDescriptor: layouts.offset('prb_desc', 'state_var') ?? Number.NaN,
    descriptorSize: layouts.size('prb_desc') ?? Number.NaN,
  };
  const all = Object.values(offsets).flat();
  return all.every(Number.isFinite) ? offsets : null;
}

/** Whether the words at a place may be a ring: how many descriptors and bytes it has, and where they lie. */
function mayBeRing({ words }: Image, at: number, offsets: RingOffsets): boolean {
  const count = words[(at + offsets.countBits) >> 2] ?? 0;
  const size = words[(at + offsets.sizeBits) >> 2] ?? 0;
  if (count < 5 || count > 24 || size < 10 || size > 28 || size < count) return false;
  return offsets.pointers.every((pointer) => isHigh(words[((at + pointer) >> 2) + 1] ?? 0));
}

/** The printk ring: the live one is where the newest descriptor carries the ring's newest number. */
export function ringIn({ image, space, layouts, data }: Shaped): bigint | null {
  const offsets = ringOffsets(layouts);
  if (offsets === null) return null;
  const view = viewOf(image.bytes);
  let best: { at: bigint; head: bigint } | null = null;
  for (let at = data & ~7; at + offsets.size <= image.bytes.length; at += 8) {
    if (!mayBeRing(image, at, offsets)) continue;
    const head = view.getBigUint64(at + offsets.headId, true) & idBits;
    const number = head & ((1n << BigInt(view.getUint32(at + offsets.countBits, true))) - 1n);
    const descriptors = view.getBigUint64(at + offsets.descriptors, true);
    const descriptor = descriptors + BigInt(offsets.descriptorSize) * number;
    const state = u64(space, descriptor + BigInt(offsets.stateOfDescriptor));
    if (state === null || (state & idBits) !== head) continue;
    // The static ring of the early boot stays as it was when a larger one took over.
    if (best === null || head > best.head) best = { at: image.first + BigInt(at), head };
  }
  return best?.at ?? null;
}
