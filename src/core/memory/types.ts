/** Structure layouts of a kernel: by its BTF, else learned from its tasks. */
import { btfLayouts, type BtfLayouts } from './btf-layouts.js';
import { btfHeader, largestBtf } from './btf.js';
import { moduleTypes } from './module-types.js';
import type { Image } from './image.js';
import type { AddressSpace, Builds, Layouts, Symbols } from './model.js';
import { bytesOf } from './reading.js';

/** As a signed word: magic, version 1, no flags. */
const btfStart = 0x0001_eb9f;
/** Of a kernel. Modules and tests carry smaller ones. */
const smallestTypes = 100_000;

function btfInImage({ bytes, words }: Image): Uint8Array | null {
  for (let word = words.indexOf(btfStart); word >= 0; word = words.indexOf(btfStart, word + 1)) {
    const header = btfHeader(bytes, word * 4);
    if (
      header !== null &&
      bytes[word * 4 + header.strings] === 0 &&
      header.typesLength > smallestTypes &&
      header.length <= largestBtf
    ) {
      return bytes.slice(word * 4, word * 4 + header.length);
    }
  }
  return null;
}

export interface WhereTypesLie {
  space: AddressSpace;
  symbols: Symbols;
  builds: Builds;
  /** Whether the symbol table names data: what it does not name is not there then. */
  namesData: boolean;
  image: () => Image | null;
}

function kernelTypes({ space, symbols, builds, namesData, image }: WhereTypesLie): BtfLayouts | null {
  const start = symbols.address('__start_BTF');
  const stop = symbols.address('__stop_BTF');
  const named =
    start !== null && stop !== null ? bytesOf(space, start, Number(stop - start), largestBtf) : null;
  const byName = named === null ? null : btfLayouts(named, builds);
  if (byName !== null || namesData) return byName;
  const copy = image();
  const found = copy === null ? null : btfInImage(copy);
  return found === null ? null : btfLayouts(found, builds);
}

/** Null where the kernel has no BTF. */
export function typesByBtf(where: WhereTypesLie): Layouts | null {
  const layouts = kernelTypes(where);
  const head = where.symbols.address('btf_modules');
  const modules = layouts === null || head === null ? null : moduleTypes(where.space, head, layouts);
  if (modules !== null) layouts?.alsoOf(modules);
  return layouts;
}
