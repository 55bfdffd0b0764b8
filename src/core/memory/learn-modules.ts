/** Offsets in struct module, learned by a majority of the loaded ones. x86-64: by their ORC tables. */
import { sampleAt, type Sample } from './learn-sample.js';
import { listSize, type LearnedLayouts } from './learned-layouts.js';
import { half, word } from './learn-tasks.js';
import type { AddressSpace } from './model.js';
import { bytesOf, u32, u64, viewOf } from './reading.js';

/** Fixed in every kernel: state, list, name. */
const listAt = 8;
const nameAt = 24;
const membersFrom = 80;
/** It may lie at the end of what is mapped. */
const smallestModule = 512;
const moduleLimit = 2048;
const mostModules = 60;
const largestText = 64 << 20;
/** Behind the base of a section: until 7.x, and since. */
const sizePlaces = [8, 12];

const isSize = (value: number): boolean => value > 0 && value % 4096 === 0 && value < largestText;

/** x86-64: modules lie between the kernel's image and the fixmap. */
const isOfModules = (value: bigint): boolean =>
  value >= 0xffff_ffff_a000_0000n && value < 0xffff_ffff_ff00_0000n;

function sampleModules(space: AddressSpace, head: bigint): Sample[] {
  const modules: Sample[] = [];
  const seen = new Set<bigint>();
  let next = u64(space, head);
  while (next !== null && next !== head && !seen.has(next) && modules.length < mostModules) {
    seen.add(next);
    const sample = sampleAt(space, next - BigInt(listAt), smallestModule, moduleLimit);
    if (sample === null) break;
    modules.push(sample);
    next = word(sample, listAt);
  }
  return modules;
}

/** The offset at which most modules fit, and at least half of them. */
function voted(modules: readonly Sample[], fits: (module: Sample, offset: number) => boolean): number | null {
  let best = { offset: null as number | null, votes: Math.floor((modules.length - 1) / 2) };
  for (let offset = membersFrom; offset + 32 <= moduleLimit; offset += 8) {
    const votes = modules.filter((module) => module.length >= offset + 32 && fits(module, offset)).length;
    if (votes > best.votes) best = { offset, votes };
  }
  return best.offset;
}

class ModuleLearner {
  constructor(
    private readonly space: AddressSpace,
    readonly modules: readonly Sample[],
  ) {}

  /** How many, the places, and the entries: the places ascend, relative to themselves. */
  orc(): number | null {
    return voted(this.modules, (module, offset) => {
      const entries = half(module, offset);
      const places = word(module, offset + 8);
      if (entries < 4 || entries > 1e6 || !isOfModules(places) || !isOfModules(word(module, offset + 16)))
        return false;
      const first = bytesOf(this.space, places, 16, 16);
      if (first === null) return false;
      const targets = [0, 4, 8, 12].map((at) => places + BigInt(at + viewOf(first).getInt32(at, true)));
      return targets.every((target, index) => isOfModules(target) && target >= (targets[index - 1] ?? 0n));
    });
  }

  /** A pointer to {symtab, count, strtab}, and the first symbol is empty. */
  kallsyms(): number | null {
    return voted(this.modules, (module, offset) => {
      const at = word(module, offset);
      const table = isOfModules(at) ? bytesOf(this.space, at, 24, 24) : null;
      if (table === null) return false;
      const view = viewOf(table);
      const symbols = view.getUint32(8, true);
      const symtab = view.getBigUint64(0, true);
      if (symbols < 2 || symbols > 1e6 || !isOfModules(symtab) || !isOfModules(view.getBigUint64(16, true)))
        return false;
      return bytesOf(this.space, symtab, 24, 24)?.every((byte) => byte === 0) ?? false;
    });
  }

  /** A page, with a size behind it, in which the middle one of the places lies that ORC knows: the first may be init's. */
  base(orc: number): number | null {
    return voted(this.modules, (module, offset) => {
      const base = word(module, offset);
      const size = sizePlaces.map((place) => half(module, offset + place)).find(isSize);
      if (!isOfModules(base) || base % 4096n !== 0n || size === undefined) return false;
      const at = word(module, orc + 8) + BigInt((half(module, orc) >> 1) * 4);
      const middle = u32(this.space, at);
      const place = middle === null ? 0n : at + BigInt(middle | 0);
      return place >= base && place < base + BigInt(size);
    });
  }

  /** The first of the places behind a base where all modules have a size. */
  size(base: number, places: readonly number[]): number | null {
    return places.find((place) => this.modules.every((module) => isSize(half(module, base + place)))) ?? null;
  }
}

/** `hasSections`: since 6.4 a module has an array of memories, before it had a layout for its core. */
export function learnModules(
  space: AddressSpace,
  head: bigint | null,
  hasSections: boolean,
  layouts: LearnedLayouts,
): void {
  layouts.add('module', 'state', 0, 4);
  layouts.add('module', 'list', listAt, listSize);
  layouts.add('module', 'name', nameAt, 56);
  const learner = head === null ? null : new ModuleLearner(space, sampleModules(space, head));
  if (learner === null || learner.modules.length === 0) return;
  layouts.add('module', 'kallsyms', learner.kallsyms(), 8);
  const orc = learner.orc();
  if (orc === null) return;
  layouts.add('module', 'arch.num_orcs', orc, 4);
  layouts.add('module', 'arch.orc_unwind_ip', orc + 8, 8);
  layouts.add('module', 'arch.orc_unwind', orc + 16, 8);
  const base = learner.base(orc);
  if (base === null) return;
  if (hasSections) {
    layouts.add('module', 'mem', base, null);
    layouts.add('module_memory', 'base', 0, 8);
    layouts.add('module_memory', 'size', learner.size(base, sizePlaces), 4);
  } else {
    layouts.add('module', 'core_layout', base, null);
    layouts.add('module', 'core_layout.base', base, 8);
    const size = learner.size(base, [12]);
    layouts.add('module', 'core_layout.text_size', size === null ? null : base + size, 4);
  }
}
