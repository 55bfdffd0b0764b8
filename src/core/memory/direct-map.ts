/** Where the direct map of all RAM begins, and the array of struct page. arch/x86/mm/kaslr.c, Documentation/arch/x86/x86_64/mm.rst. */
import type { Layouts } from './model.js';
import type { Parts } from './parts.js';
import { u64 } from './reading.js';

/** Without KASLR of memory regions, of four and five levels. */
const fixedMaps = [
  { pageOffset: 0xffff_8880_0000_0000n, vmemmap: 0xffff_ea00_0000_0000n },
  { pageOffset: 0xff11_0000_0000_0000n, vmemmap: 0xffd4_0000_0000_0000n },
];
const gigabyte = 1n << 30n;

interface DirectMap {
  pageOffset: bigint | null;
  vmemmap: bigint | null;
}

/** By the first task's place: it lies in the direct map, and the map begins at a gigabyte. */
function byTask({ space }: Parts, layouts: Layouts, initTask: bigint | null): bigint | null {
  const tasks = layouts.offset('task_struct', 'tasks');
  if (initTask === null || tasks === null) return null;
  const next = u64(space, initTask + BigInt(tasks));
  const gpa = next === null ? null : space.translate(next);
  if (next === null || gpa === null) return null;
  const begin = next - BigInt(gpa);
  return begin % gigabyte === 0n ? begin : null;
}

function variable({ space, symbols }: Parts, name: string): bigint | null {
  const at = symbols.address(name);
  return at === null ? null : u64(space, at);
}

/** Believed is a beginning from which the page tables lead to where the image lies. */
export function directMap(parts: Parts, layouts: Layouts, initTask: bigint | null): DirectMap {
  const { space, ram, arch, text } = { ...parts, text: parts.imageAt(parts.stext) };
  if (arch === 'arm64') return { pageOffset: parts.pageOffset, vmemmap: parts.vmemmap };
  const fits = (begin: bigint | null): begin is bigint =>
    begin !== null && begin > 0n && begin % gigabyte === 0n && space.translate(begin + BigInt(text)) === text;
  const candidates = [
    variable(parts, 'page_offset_base'),
    ...fixedMaps.map(({ pageOffset }) => pageOffset),
    byTask(parts, layouts, initTask),
  ];
  const pageOffset = candidates.find(fits) ?? null;
  if (pageOffset === null) return { pageOffset: null, vmemmap: null };
  const fixed = fixedMaps.find((one) => one.pageOffset === pageOffset)?.vmemmap ?? null;
  // Where the note names it, it tells the variable's value.
  const vmemmap = variable(parts, 'vmemmap_base') ?? parts.note.get('SYMBOL(vmemmap)') ?? fixed;
  const page = BigInt(layouts.size('page') ?? 64) * BigInt(Math.floor(text / 4096));
  const isMapped = vmemmap !== null && space.translate(vmemmap + page) !== null;
  const end = ram.ranges.at(-1)?.end ?? 0;
  space.mapLinearly(pageOffset, pageOffset + BigInt(end), 0);
  return { pageOffset, vmemmap: isMapped ? vmemmap : null };
}
