/** Page tables of x86-64, of four and five levels. Intel SDM volume 3, 5.5. */
import { PagedSpace, TableCache, type PageTables } from './address-space.js';
import type { Ram, VcpuRegisters } from './model.js';

const present = 1;
const large = 0x80;
/** Of CR4. */
const la57 = 1n << 12n;
/** What CR3 says beside the table: the PCID, and bit 63. */
const tableOfCr3 = 0x000f_ffff_ffff_f000n;
/** Page-table isolation: the user's table lies one page above the kernel's. */
const userTable = 0x1000n;

class X86Tables implements PageTables {
  readonly floor: bigint;
  private readonly tables: TableCache;

  constructor(
    ram: Ram,
    private readonly root: number,
    private readonly levels: 4 | 5,
  ) {
    this.floor = levels === 5 ? 0xff00_0000_0000_0000n : 0xffff_8000_0000_0000n;
    this.tables = new TableCache(ram, 4096);
  }

  walk(page: number): number {
    let table = this.root;
    for (let level = this.levels as number; level >= 1; level -= 1) {
      const span = 512 ** (level - 1);
      const index = Math.floor(page / span) % 512;
      const view = this.tables.at(table);
      if (view === null) return -1;
      const low = view.getUint32(index * 8, true);
      if ((low & present) === 0) return -1;
      const next = (view.getUint32(index * 8 + 4, true) & 0xf_ffff) * 0x1_0000_0000 + ((low & ~0xfff) >>> 0);
      if (level === 1) return next;
      if ((low & large) !== 0 && level <= 3) return next - (next % (span * 4096)) + (page % span) * 4096;
      table = next;
    }
    return -1;
  }

  forget(): void {
    this.tables.forget();
  }
}

export const x86Space = (ram: Ram, root: number, levels: 4 | 5): PagedSpace =>
  new PagedSpace(ram, new X86Tables(ram, root, levels));

export interface X86Root {
  root: number;
  levels: 4 | 5;
  space: PagedSpace;
}

/** The tables that a vCPU's CR3 may mean: with page-table isolation, user mode has one without the kernel. */
export function spacesOf(ram: Ram, { cr3, cr4 }: VcpuRegisters): X86Root[] {
  if (cr3 === null || cr4 === null) return [];
  const table = cr3 & tableOfCr3;
  const levels = (cr4 & la57) === 0n ? 4 : 5;
  const roots = new Set([table & ~userTable, table]);
  return [...roots].map((at) => ({ root: Number(at), levels, space: x86Space(ram, Number(at), levels) }));
}
