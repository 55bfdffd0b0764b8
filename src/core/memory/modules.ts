/** The modules that are loaded: where their code lies, their symbols and their unwind tables. */
import { allKnown, objectAt } from './known.js';
import type { Kernel, Located } from './model.js';
import { OrcTable, orcFormat, type OrcEntry, type OrcFormat } from './orc.js';
import { ModuleSymbols } from './module-symbols.js';
import { isKernelAddress, u64, Words } from './reading.js';

const MODULES_MAX = 4096;
const NAME_MAX = 64;
/** Of one module's text; the largest known, a GPU driver's, has 10 MB. */
const TEXT_MAX = 64 * 1024 * 1024;
const ORC_MAX = 1_000_000;
/** MODULE_STATE_UNFORMED: not linked yet. */
const UNFORMED = 3;
/** MOD_INIT_TEXT of enum mod_mem_type. */
const INIT_TEXT = 4;

/** Offsets in struct module. */
interface ModuleLayout {
  span: number;
  list: number;
  name: number;
  state: number | null;
  kallsyms: number | null;
  orcs: { count: number; places: number; entries: number } | null;
  /** Base and size of its text, and of the text of its init functions. */
  text: Place;
  init: Place | null;
}

interface Place {
  base: number;
  /** Null where nobody told: then the unwind table says how far the text reaches. */
  size: number | null;
}

interface Range {
  base: bigint;
  size: number;
}

/** Bytes that the tables of all modules together may still take: a guest says how long they are. */
export interface Budget {
  left: number;
}

export class Module {
  #orc: { table: OrcTable; at: bigint } | null | undefined;
  #symbols: ModuleSymbols | undefined;
  /** Bytes that its tables take. */
  held = 0;

  constructor(
    private readonly kernel: Kernel,
    readonly address: bigint,
    readonly name: string,
    readonly ranges: readonly Range[],
    readonly kallsyms: bigint | null,
    readonly orcs: { count: number; places: bigint; entries: bigint } | null,
    private readonly budget: Budget,
  ) {}

  #take(bytes: number): boolean {
    if (bytes > this.budget.left) return false;
    this.budget.left -= bytes;
    this.held += bytes;
    return true;
  }

  range(va: bigint): Range | null {
    return this.ranges.find(({ base, size }) => va >= base && va < base + BigInt(size)) ?? null;
  }

  at(va: bigint): Located | null {
    const range = this.range(va);
    if (range === null) return null;
    this.#symbols ??= new ModuleSymbols(this.kernel, this.kallsyms, (bytes) => this.#take(bytes));
    return this.#symbols.at(va, range.base + BigInt(range.size));
  }

  /** Its unwind entry for the address; null where it has no table. */
  orc(va: bigint, format: OrcFormat | null): OrcEntry | null {
    if (this.#orc === undefined) this.#orc = this.#readOrc(format);
    return this.#orc?.table.find(Number(va - this.#orc.at)) ?? null;
  }

  #readOrc(format: OrcFormat | null): { table: OrcTable; at: bigint } | null {
    if (this.orcs === null) return null;
    const { count, places, entries } = this.orcs;
    if (!this.#take(count * 10)) return null;
    const ips = new Int32Array(count);
    const read = new Uint8Array(count * 6);
    const { space } = this.kernel;
    if (!space.read(places, new Uint8Array(ips.buffer)) || !space.read(entries, read)) return null;
    return { table: new OrcTable(ips, read, format ?? orcFormat(read)), at: places };
  }

  same(other: Module): boolean {
    const [mine, its] = [this, other].map((module) => [
      ...[module.address, module.kallsyms, module.orcs?.places, module.name],
      ...module.ranges.flatMap(({ base, size }) => [base, size]),
    ]);
    return mine?.length === its?.length && mine?.every((value, i) => value === its?.[i]) === true;
  }
}

/** In the order of the kernel's list. `broken` says why the list did not close. */
export interface Modules {
  list: readonly Module[];
  broken: string | null;
}

/** Those of `known` that are loaded still are kept, with what was read of them. */
export function readModules(kernel: Kernel, known: readonly Module[], budget: Budget): Modules {
  const head = objectAt(kernel, 'modules');
  const layout = moduleLayout(kernel);
  // An empty list has no shape. Were it not empty, each stack with a module's code would be in doubt, and say so.
  if (head === null) return { list: [], broken: null };
  if (layout !== null) return walkModules(kernel, head, layout, known, budget);
  const empty = u64(kernel.space, head) === head;
  return { list: [], broken: empty ? null : 'the types of its modules are not known' };
}

function walkModules(
  kernel: Kernel,
  head: bigint,
  layout: ModuleLayout,
  known: readonly Module[],
  budget: Budget,
): Modules {
  const list: Module[] = [];
  const broken = (why: string | null): Modules => ({ list, broken: why });
  const byAddress = new Map(known.map((module) => [module.address, module]));
  const words = new Words(layout.span);
  const seen = new Set<bigint>();
  let next = u64(kernel.space, head);
  while (next !== head) {
    if (next === null || !isKernelAddress(next)) return broken('the list of modules leads nowhere');
    if (seen.has(next) || list.length >= MODULES_MAX) return broken('the list of modules does not end');
    seen.add(next);
    const address = next - BigInt(layout.list);
    if (!kernel.space.read(address, words.bytes)) return broken('the list of modules leads nowhere');
    const unformed = layout.state !== null && words.u32(layout.state) === UNFORMED;
    const module = unformed ? null : decodeModule(kernel, layout, words, address, budget);
    const before = byAddress.get(address);
    if (module !== null) list.push(before?.same(module) === true ? before : module);
    next = words.u64(layout.list);
  }
  return broken(null);
}

function decodeModule(
  kernel: Kernel,
  layout: ModuleLayout,
  words: Words,
  address: bigint,
  budget: Budget,
): Module {
  const { orcs } = layout;
  const count = orcs === null ? 0 : words.u32(orcs.count);
  const table =
    orcs === null || count === 0 || count > ORC_MAX
      ? null
      : { count, places: words.u64(orcs.places), entries: words.u64(orcs.entries) };
  const range = (place: Place | null): Range[] => {
    if (place === null) return [];
    const base = words.u64(place.base);
    const size = place.size === null ? reach(kernel, base, table) : words.u32(place.size);
    return isKernelAddress(base) && size > 0 && size <= TEXT_MAX ? [{ base, size }] : [];
  };
  return new Module(
    kernel,
    address,
    words.string(layout.name, NAME_MAX).replace(/[^\w-]/g, '?'),
    [...range(layout.text), ...range(layout.init)],
    layout.kallsyms === null ? null : words.u64(layout.kallsyms),
    table,
    budget,
  );
}

/** How far a text reaches whose size nobody told: to the page that the last unwind entry lies in. */
function reach(kernel: Kernel, base: bigint, table: { count: number; places: bigint } | null): number {
  if (table === null) return 0;
  const at = table.places + BigInt(4 * (table.count - 1));
  const last = new Words(4);
  if (!kernel.space.read(at, last.bytes)) return 0;
  const end = Number(at + BigInt(last.view.getInt32(0, true)) - base);
  return end < 0 || end > TEXT_MAX ? 0 : (Math.floor(end / 4096) + 1) * 4096;
}

const SPAN_MAX = 64 * 1024;

function moduleLayout({ layouts }: Kernel): ModuleLayout | null {
  const offset = (path: string) => layouts.offset('module', path);
  const needed = allKnown({ list: offset('list.next|list'), name: offset('name') });
  const text = textPlace(layouts, 'core_layout', 0);
  if (needed === null || text === null) return null;
  const init = textPlace(layouts, 'init_layout', INIT_TEXT);
  const orcs = allKnown({
    count: offset('arch.num_orcs'),
    places: offset('arch.orc_unwind_ip'),
    entries: offset('arch.orc_unwind'),
  });
  const layout = { ...needed, state: offset('state'), kallsyms: offset('kallsyms'), orcs, text, init };
  const places = [text.base, text.size, init?.base, init?.size, ...Object.values(orcs ?? {})];
  const members = [needed.list, needed.name, layout.state, layout.kallsyms, ...places];
  const span = NAME_MAX + Math.max(...members.map((at) => at ?? 0));
  return span > SPAN_MAX ? null : { ...layout, span };
}

/** Up to 6.3 a layout of its own; since 6.4 one of an array. */
function textPlace(layouts: Kernel['layouts'], old: string, index: number): Place | null {
  const base = layouts.offset('module', `${old}.base`);
  if (base !== null) return { base, size: layouts.offset('module', `${old}.text_size`) };
  const parts = allKnown({
    array: layouts.offset('module', 'mem'),
    first: layouts.offset('module_memory', 'base'),
  });
  const element = index === 0 ? 0 : layouts.size('module_memory');
  if (parts === null || element === null) return null;
  const at = parts.array + index * element;
  const size = layouts.offset('module_memory', 'size');
  return { base: at + parts.first, size: size === null ? null : at + size };
}
