import { makeBtf, makeModuleBtf, type Btf } from './btf.js';
import type { Builds, Layouts } from './model.js';

/** Bytes up to which a layout is believed: none is larger than what a reader may ask for at once. */
const largestStruct = 1 << 20;

interface Member {
  offset: number;
  size: number | null;
}

/** The types of loaded modules. */
export interface ModuleTypes {
  /** Bytes of those that were loaded since the last time; mostly none. */
  loaded(): Uint8Array[];
}

/** A struct that the kernel lacks is a module's, or of none that is loaded yet. */
class BtfLayouts implements Layouts {
  readonly by = 'btf';
  private readonly members = new Map<string, Member | null>();
  private readonly sources: Btf[];
  private modules: ModuleTypes | null = null;

  constructor(private readonly kernel: Btf) {
    this.sources = [kernel];
  }

  /** Modules are found by the kernel's own types. */
  alsoOf(modules: ModuleTypes): void {
    this.modules = modules;
  }

  offset(struct: string, path: string): number | null {
    return this.find(struct, path)?.offset ?? null;
  }

  memberSize(struct: string, path: string): number | null {
    return this.find(struct, path)?.size ?? null;
  }

  size(struct: string): number | null {
    const { btf, ids } = this.structs(struct);
    const [id] = ids;
    const size = id === undefined ? null : btf.size(id);
    return size !== null && size <= largestStruct ? size : null;
  }

  private structs(name: string): { btf: Btf; ids: number[] } {
    const known = this.among(this.sources, name);
    if (known !== null) return known;
    const loaded = (this.modules?.loaded() ?? []).flatMap((bytes) => makeModuleBtf(bytes, this.kernel) ?? []);
    this.sources.push(...loaded);
    return this.among(loaded, name) ?? { btf: this.kernel, ids: [] };
  }

  private among(sources: readonly Btf[], name: string): { btf: Btf; ids: number[] } | null {
    for (const btf of sources) {
      const ids = btf.structs(name);
      if (ids.length > 0) return { btf, ids };
    }
    return null;
  }

  private find(struct: string, paths: string): Member | null {
    const key = `${struct} ${paths}`;
    const known = this.members.get(key);
    if (known !== undefined) return known;
    const { btf, ids } = this.structs(struct);
    const found = this.look(btf, ids, paths);
    const isOfNone = ids.length === 0 && this.modules !== null;
    if (!isOfNone && this.members.size < 4096) this.members.set(key, found);
    return found;
  }

  private look(btf: Btf, ids: readonly number[], paths: string): Member | null {
    for (const path of paths.split('|')) {
      for (const id of ids) {
        const member = btf.member(id, path);
        if (member === null) continue;
        const offset = member.bits >> 3;
        if (offset <= largestStruct) return { offset, size: btf.size(member.type) };
      }
    }
    return null;
  }
}

export type { BtfLayouts };

/** Null where the bytes are no BTF. */
export function btfLayouts(bytes: Uint8Array, builds: Builds): BtfLayouts | null {
  const btf = builds.share(makeBtf, [bytes]);
  return btf === null ? null : new BtfLayouts(btf);
}
