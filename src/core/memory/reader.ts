/** What a snapshot needs to know of a kernel, looked up once a boot. */
import { Code, type KernelOrc } from './code.js';
import { type Trampolines, trampolinesOf } from './kept-returns.js';
import type { Kernel } from './model.js';
import { allKnown, objectAt } from './known.js';
import { readModules } from './modules.js';
import { OrcTable, orcFormat } from './orc.js';
import { stackSize, taskLayout, type TaskLayout } from './task-layout.js';

export interface Reader {
  kernel: Kernel;
  layout: TaskLayout;
  stackSize: number;
  code: Code;
  /** Where a task begins that never ran: no call leads there. */
  forkReturns: readonly bigint[];
  trampolines: Trampolines;
}

const readers = new WeakMap<Kernel, Reader | null>();

/** Null where the kernel's types do not even tell its tasks. */
export function readerOf(kernel: Kernel): Reader | null {
  const known = readers.get(kernel);
  if (known !== undefined) return known;
  const reader = makeReader(kernel);
  readers.set(kernel, reader);
  return reader;
}

function makeReader(kernel: Kernel): Reader | null {
  const layout = taskLayout(kernel);
  if (layout === null) return null;
  const forkReturns = ['ret_from_fork_asm', 'ret_from_fork'].map((name) => kernel.symbols.address(name));
  return {
    ...{ kernel, layout, stackSize: stackSize(kernel) },
    code: new Code(kernel, kernel.arch === 'x86-64' ? kernelOrc(kernel) : null),
    forkReturns: forkReturns.filter((address) => address !== null),
    trampolines: trampolinesOf(kernel),
  };
}

/** The same for all guests of a build: the addresses are relative to their own places. */
function makeTable(parts: readonly Uint8Array[]): OrcTable {
  const [places = new Uint8Array(), entries = new Uint8Array()] = parts;
  const words = new Int32Array(places.buffer, places.byteOffset, Math.floor(places.length / 4));
  return new OrcTable(words, entries, orcFormat(entries));
}

/** Ten times what a distribution's kernel has. */
const ENTRIES_MAX = 4_000_000;

function kernelOrc(kernel: Kernel): KernelOrc | null {
  const table = allKnown({
    at: objectAt(kernel, '__start_orc_unwind_ip'),
    stop: objectAt(kernel, '__stop_orc_unwind_ip'),
    entries: objectAt(kernel, '__start_orc_unwind'),
  });
  if (table === null) return null;
  const { at, stop, entries } = table;
  const count = Math.floor(Number(stop - at) / 4);
  if (!(count > 0 && count <= ENTRIES_MAX)) return null;
  const places = new Uint8Array(count * 4);
  const read = new Uint8Array(count * 6);
  if (!kernel.space.read(at, places) || !kernel.space.read(entries, read)) return null;
  return { table: kernel.builds.share(makeTable, [places, read]), at };
}

/** Before each look: page tables and modules may have changed. Says why the list of modules did not close. */
export function refresh({ kernel, code }: Reader): string | null {
  kernel.space.forget();
  const modules = readModules(kernel, code.modules, code.budget);
  code.use(modules);
  return modules.broken;
}
