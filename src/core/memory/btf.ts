/** Structure layouts out of a kernel's own BTF. Documentation/bpf/btf.rst. */
import { stringAt, viewOf } from './reading.js';

const magic = 0xeb9f;
const headerSize = 24;
/** Of any BTF: the largest seen has 12 MB. */
export const largestBtf = 64 << 20;

const kinds = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  functionPrototype: 13,
  variable: 14,
  dataSection: 15,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Words that follow a type's three. */
function wordsBehind(kind: number, members: number): number {
  switch (kind) {
    case kinds.int:
    case kinds.variable:
    case kinds.declarationTag:
      return 1;
    case kinds.array:
      return 3;
    case kinds.struct:
    case kinds.union:
    case kinds.dataSection:
    case kinds.enum64:
      return members * 3;
    case kinds.enum:
    case kinds.functionPrototype:
      return members * 2;
    default:
      return 0;
  }
}

/** How deep types may nest, and how many members a search may look at: a forged struct may hold itself. */
const deepest = 24;
const mostMembers = 100_000;

interface Member {
  bits: number;
  type: number;
}

interface BtfHeader {
  /** Of the whole, from its first byte. */
  length: number;
  types: number;
  typesLength: number;
  strings: number;
  stringsLength: number;
}

/** Null where no BTF begins there, or not all of it is there. */
export function btfHeader(bytes: Uint8Array, at: number): BtfHeader | null {
  if (at + headerSize > bytes.length) return null;
  const view = viewOf(bytes);
  if (view.getUint16(at, true) !== magic || bytes[at + 2] !== 1) return null;
  const field = (index: number): number => view.getUint32(at + 4 * index, true);
  const size = field(1);
  const header = {
    types: size + field(2),
    typesLength: field(3),
    strings: size + field(4),
    stringsLength: field(5),
  };
  const length = header.strings + header.stringsLength;
  if (size < headerSize || size % 4 !== 0 || field(2) % 4 !== 0 || header.typesLength % 4 !== 0) return null;
  if (header.strings < header.types + header.typesLength || header.stringsLength === 0) return null;
  if (at + length > bytes.length) return null;
  return { ...header, length };
}

const hashBasis = 0x811c_9dc5;
const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x0100_0193);

function hashOf(text: string): number {
  let hash = hashBasis;
  for (let i = 0; i < text.length; i += 1) hash = hashStep(hash, text.charCodeAt(i));
  return hash;
}

/** The types of a build. Nothing is parsed but where each begins and what the structs are called. */
export class Btf {
  private readonly words: Uint32Array;
  private readonly strings: Uint8Array;
  /** Where each type begins, in words. */
  private readonly starts: Uint32Array;
  /** The numbers of its first type, and of its first string: a module's go on from the kernel's. */
  private readonly firstType: number;
  private readonly firstString: number;
  private count: number;
  private membersLeft = 0;
  /** Structs and unions by the hash of their name. */
  private readonly named = new Map<number, number[]>();

  constructor(
    bytes: Uint8Array,
    header: BtfHeader,
    private readonly kernel: Btf | null,
  ) {
    this.firstType = kernel === null ? 1 : kernel.count;
    this.firstString = kernel === null ? 0 : kernel.strings.length;
    this.count = this.firstType;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset + header.types, header.typesLength >> 2);
    this.strings = bytes.subarray(header.strings, header.strings + header.stringsLength);
    this.starts = new Uint32Array(Math.ceil(this.words.length / 3) + 1);
    this.index();
  }

  /** All structs and unions of a name. */
  structs(name: string): number[] {
    return (this.named.get(hashOf(name)) ?? []).filter((id) => this.nameIs(this.word(id, 0), name));
  }

  /** Of a dotted path, through anonymous members and typedefs. */
  member(id: number, path: string): Member | null {
    let found: Member = { bits: 0, type: id };
    this.membersLeft = mostMembers;
    for (const part of path.split('.')) {
      const next = this.memberOf(this.resolve(found.type), part, 0);
      if (next === null) return null;
      found = { bits: found.bits + next.bits, type: next.type };
    }
    return found;
  }

  /** In bytes; null where it is no type with a size. */
  size(type: number, depth = 0): number | null {
    const id = this.resolve(type);
    if (depth > deepest || id <= 0 || id >= this.count) return null;
    switch (this.kind(id)) {
      case kinds.pointer:
        return 8;
      case kinds.array: {
        const one = this.size(this.word(id, 3), depth + 1);
        return one === null ? null : one * this.word(id, 5);
      }
      case kinds.int:
      case kinds.struct:
      case kinds.union:
      case kinds.enum:
      case kinds.enum64:
        return this.word(id, 2);
      default:
        return null;
    }
  }

  private index(): void {
    const { words, starts } = this;
    let at = 0;
    while (at + 3 <= words.length) {
      const info = words[at + 1] ?? 0;
      const kind = (info >>> 24) & 31;
      const members = info & 0xffff;
      // A kind of the future: what comes behind it cannot be found.
      if (kind === 0 || kind > kinds.enum64) break;
      starts[this.count - this.firstType] = at;
      const isStruct = kind === kinds.struct || kind === kinds.union;
      const name = words[at] ?? 0;
      if (isStruct && name !== 0 && name >= this.firstString) this.name(this.count, name - this.firstString);
      this.count += 1;
      at += 3 + wordsBehind(kind, members);
    }
  }

  private name(id: number, offset: number): void {
    let hash = hashBasis;
    const { strings } = this;
    const end = Math.min(strings.length, offset + 128);
    for (let at = offset; at < end && strings[at] !== 0; at += 1) hash = hashStep(hash, strings[at] ?? 0);
    const same = this.named.get(hash);
    if (same === undefined) this.named.set(hash, [id]);
    else if (same.length < 64) same.push(id);
  }

  private nameIs(offset: number, name: string): boolean {
    if (this.kernel !== null && offset < this.firstString) return this.kernel.nameIs(offset, name);
    const at = offset - this.firstString;
    return at < this.strings.length && stringAt(this.strings, at, name.length + 1) === name;
  }

  private word(id: number, index: number): number {
    if (this.kernel !== null && id < this.firstType) return this.kernel.word(id, index);
    return this.words[(this.starts[id - this.firstType] ?? 0) + index] ?? 0;
  }

  private kind(id: number): number {
    return id > 0 && id < this.count ? (this.word(id, 1) >>> 24) & 31 : 0;
  }

  private resolve(type: number): number {
    for (let step = 0; step < deepest; step += 1) {
      const kind = this.kind(type);
      const isName = (kind >= kinds.typedef && kind <= kinds.restrict) || kind === kinds.typeTag;
      if (!isName) return type;
      type = this.word(type, 2);
    }
    return 0;
  }

  private memberOf(id: number, name: string, depth: number): Member | null {
    const kind = this.kind(id);
    if (depth > deepest) return null;
    if (kind === kinds.array) return this.memberOf(this.resolve(this.word(id, 3)), name, depth + 1);
    if (kind !== kinds.struct && kind !== kinds.union) return null;
    const info = this.word(id, 1);
    const hasBitfields = info >>> 31 === 1;
    for (let index = 0; index < (info & 0xffff) && this.membersLeft > 0; index += 1) {
      this.membersLeft -= 1;
      const nameAt = this.word(id, 3 + index * 3);
      const type = this.word(id, 4 + index * 3);
      const place = this.word(id, 5 + index * 3);
      const bits = hasBitfields ? place & 0xff_ffff : place;
      if (nameAt !== 0) {
        if (this.nameIs(nameAt, name)) return { bits, type };
        continue;
      }
      const inner = this.memberOf(this.resolve(type), name, depth + 1);
      if (inner !== null) return { bits: bits + inner.bits, type: inner.type };
    }
    return null;
  }
}

/** Part: the bytes of the whole, four-aligned. Null where they are no BTF. */
export function makeBtf([bytes]: readonly Uint8Array[]): Btf | null {
  const header = bytes === undefined ? null : btfHeader(bytes, 0);
  return bytes === undefined || header === null ? null : new Btf(bytes, header, null);
}

/** That of a module, whose types and strings go on where those of the kernel end. */
export function makeModuleBtf(bytes: Uint8Array, kernel: Btf): Btf | null {
  const header = btfHeader(bytes, 0);
  return header === null ? null : new Btf(bytes, header, kernel);
}
