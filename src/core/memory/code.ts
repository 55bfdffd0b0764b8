/** What is known of the code at an address: its symbol, how to unwind from it, and whether a call leads there. */
import type { Frame } from '../model.js';
import { CALL_BYTES, isCallBefore } from './calls.js';
import type { Kernel } from './model.js';
import type { Budget, Module, Modules } from './modules.js';
import type { OrcEntry, OrcFormat, OrcTable } from './orc.js';

export interface Place {
  frame: Frame;
  /** Null where no table covers it. */
  orc: OrcEntry | null;
  called: boolean | null;
}

/** The kernel's own table, and where it lies. */
export interface KernelOrc {
  table: OrcTable;
  at: bigint;
}

const MEMO_MAX = 50_000;
/** For the tables of modules; a desktop's two hundred modules have 20 MB. */
const MODULES_MAX = 64 * 1024 * 1024;
const SYMBOL_MAX = 200;

/** A wedge has a few hundred different return addresses: each is looked up once. */
export class Code {
  readonly #after = new Map<bigint, Place>();
  readonly #at = new Map<bigint, Place>();
  readonly #init: { first: bigint | null; end: bigint | null };
  #modules: readonly Module[] = [];
  readonly budget: Budget = { left: MODULES_MAX };

  constructor(
    readonly kernel: Kernel,
    readonly orc: KernelOrc | null,
  ) {
    const { symbols } = kernel;
    this.#init = { first: symbols.address('_sinittext'), end: symbols.address('_einittext') };
  }

  get modules(): readonly Module[] {
    return this.#modules;
  }

  /** What was looked up stays, unless a module came or went. */
  use({ list }: Modules): void {
    if (list.length === this.#modules.length && list.every((module, i) => module === this.#modules[i]))
      return;
    this.#modules = list;
    this.budget.left = list.reduce((left, { held }) => left - held, MODULES_MAX);
    this.#after.clear();
    this.#at.clear();
  }

  /** Of a return address: the symbol and the entry of the call before it. */
  after(ip: bigint): Place {
    return this.#memo(this.#after, ip, true);
  }

  /** Of an instruction that was interrupted. */
  at(ip: bigint): Place {
    return this.#memo(this.#at, ip, false);
  }

  #memo(memo: Map<bigint, Place>, ip: bigint, returns: boolean): Place {
    const known = memo.get(ip);
    if (known !== undefined) return known;
    if (memo.size >= MEMO_MAX) memo.clear();
    const place = this.#look(ip, returns);
    memo.set(ip, place);
    return place;
  }

  #look(ip: bigint, returns: boolean): Place {
    // %pB asks for the byte before: behind the last call of a function that does not return, another one begins.
    const back = returns && ip !== 0n && this.kernel.arch === 'x86-64' ? 1n : 0n;
    const module = this.#module(ip - back);
    const found = module?.at(ip - back) ?? (module === null ? this.#inImage(ip - back) : null);
    const frame: Frame =
      found === null
        ? {
            symbol: `0x${ip.toString(16)}`,
            offset: null,
            size: null,
            module: module?.name ?? null,
            reliable: true,
          }
        : {
            symbol: found.name.slice(0, SYMBOL_MAX).replace(/[^\w.$]/g, '?'),
            offset: found.offset + Number(back),
            size: found.size,
            module: module?.name ?? null,
            reliable: true,
          };
    const orc = this.#entry(ip - back, module);
    return { frame, orc, called: returns && this.#isProvable(ip, orc) ? this.#called(ip) : null };
  }

  /** Not where a stack ends, to which boot code jumps; and init code is gone after the boot. */
  #isProvable(ip: bigint, orc: OrcEntry | null): boolean {
    const { first, end } = this.#init;
    return orc?.kind !== 'end' && (first === null || end === null || ip < first || ip >= end);
  }

  #inImage(va: bigint) {
    const { text, symbols } = this.kernel;
    return va >= text.first && va < text.end ? symbols.at(va) : null;
  }

  #entry(va: bigint, module: Module | null): OrcEntry | null {
    const { text } = this.kernel;
    if (module !== null) return module.orc(va, this.#format());
    if (this.orc === null || va < text.first || va >= text.end) return null;
    return this.orc.table.find(Number(va - this.orc.at));
  }

  #format(): OrcFormat | null {
    return this.orc?.table.format ?? null;
  }

  #module(va: bigint): Module | null {
    const { text } = this.kernel;
    if (va >= text.first && va < text.end) return null;
    return this.#modules.find((module) => module.range(va) !== null) ?? null;
  }

  #called(ip: bigint): boolean | null {
    const { arch, space } = this.kernel;
    const before = new Uint8Array(CALL_BYTES);
    return space.read(ip - BigInt(CALL_BYTES), before) ? isCallBefore(arch, before) : false;
  }
}
