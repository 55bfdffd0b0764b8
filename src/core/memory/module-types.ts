/** BTF of loaded modules: the kernel keeps its own copy of each. kernel/bpf/btf.c, struct btf_module. */
import type { ModuleTypes } from './btf-layouts.js';
import type { AddressSpace, Layouts } from './model.js';
import { bytesOf, u32, u64 } from './reading.js';

const mostModules = 1000;
const largestTypes = 8 << 20;
const largestInAll = 32 << 20;

interface Offsets {
  list: number;
  btf: number;
  data: number;
  size: number;
}

function offsetsOf(layouts: Layouts): Offsets | null {
  const list = layouts.offset('btf_module', 'list');
  const btf = layouts.offset('btf_module', 'btf');
  const data = layouts.offset('btf', 'data');
  const size = layouts.offset('btf', 'data_size');
  return list === null || btf === null || data === null || size === null ? null : { list, btf, data, size };
}

/** Null where the kernel keeps none. `head`: its list of them. */
export function moduleTypes(space: AddressSpace, head: bigint, layouts: Layouts): ModuleTypes | null {
  const offsets = offsetsOf(layouts);
  if (offsets === null) return null;
  const known = new Set<bigint>();
  let last: bigint | null = null;
  let bytesLeft = largestInAll;

  const typesAt = (element: bigint): Uint8Array | null => {
    const btf = u64(space, element - BigInt(offsets.list) + BigInt(offsets.btf));
    if (btf === null || known.has(btf)) return null;
    known.add(btf);
    const data = u64(space, btf + BigInt(offsets.data));
    const size = u32(space, btf + BigInt(offsets.size)) ?? 0;
    const bytes = data === null ? null : bytesOf(space, data, size, Math.min(largestTypes, bytesLeft));
    bytesLeft -= bytes?.length ?? 0;
    return bytes;
  };

  return {
    loaded() {
      // New ones are put in front.
      const first = u64(space, head);
      if (first === last) return [];
      last = first;
      const found: Uint8Array[] = [];
      const seen = new Set<bigint>();
      let next = first;
      while (next !== null && next !== head && !seen.has(next) && seen.size < mostModules) {
        seen.add(next);
        const bytes = typesAt(next);
        if (bytes !== null) found.push(bytes);
        next = u64(space, next);
      }
      return found;
    },
  };
}
