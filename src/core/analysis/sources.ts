/** From function+offset to file:line, by a kernel image's symbol table and what addr2line says of its addresses. */
import type { Analysis, Dump, Frame, Task } from '../model.js';
import { firmText, sourcesOf } from './groups.js';

/** A function of the symbol table. */
interface Place {
  address: bigint;
  /** Up to the next symbol, which is how the kernel counts as well. Null for the last. */
  size: number | null;
}

/** Addresses that are asked for at most. */
const ADDRESSES_MAX = 4000;
/** Of the same build all functions have the size that the stacks say; of a later one every tenth differs. */
const OTHERS_MAX = 0.02;
const LINE_MAX = 400;

/** Frames of the kernel itself, each once: a module's addresses are in its own file. */
function kernelFrames(dumps: readonly Dump[]): Frame[] {
  const frames = new Map<string, Frame>();
  for (const { tasks, cpus } of dumps)
    for (const stack of [...tasks, ...cpus])
      for (const frame of stack.frames)
        if (frame.module === null && frame.offset !== null) frames.set(keyOf(frame), frame);
  return [...frames.values()];
}

const keyOf = ({ symbol, offset, size }: Frame): string => `${symbol}+${offset ?? '?'}/${size ?? '?'}`;

const SYMBOL = /^([0-9a-f]{8,16}) [tTwW] (\S+)$/;

/** Reads the output of `nm -n`: the functions of these names, of which there may be several. */
function readSymbolTable(text: string, names: ReadonlySet<string>): Map<string, Place[]> {
  const table = new Map<string, Place[]>();
  let open: Place[] = [];
  for (const line of text.split('\n')) {
    const [, hex, name] = SYMBOL.exec(line) ?? [];
    if (hex === undefined || name === undefined) continue;
    const wanted = names.has(name);
    if (!wanted && open.length === 0) continue;
    const address = BigInt(`0x${hex}`);
    if (open[0] && open[0].address !== address) {
      for (const place of open) place.size = Number(address - place.address);
      open = [];
    }
    if (!wanted) continue;
    const place = { address, size: null };
    open.push(place);
    table.set(name, [...(table.get(name) ?? []), place]);
  }
  return table;
}

const fits = (place: Place, { size }: Frame): boolean =>
  size === null || place.size === null || place.size === size;

/** The addresses of the frames, by their keys, or why there are none. */
export function addressesOf(
  dumps: readonly Dump[],
  symbolTable: string,
): { ok: true; addresses: Map<string, string> } | { ok: false; why: string } {
  const frames = kernelFrames(dumps);
  const table = readSymbolTable(symbolTable, new Set(frames.map(({ symbol }) => symbol)));
  const known = frames.filter(({ symbol }) => table.has(symbol));
  if (frames.length > 0 && known.length === 0)
    return { ok: false, why: 'it has none of the functions in the stacks: it is stripped, or no kernel' };
  const same = known.filter((frame) => table.get(frame.symbol)?.some((place) => fits(place, frame)));
  if (known.length - same.length > known.length * OTHERS_MAX)
    return {
      ok: false,
      why: `it is of another build: ${known.length - same.length} of ${known.length} functions have another size there`,
    };
  const addresses = new Map<string, string>();
  for (const frame of same.slice(0, ADDRESSES_MAX)) {
    const places = table.get(frame.symbol)?.filter((place) => fits(place, frame)) ?? [];
    const [place] = places;
    // Of static functions with one name and one size the right one cannot be told.
    if (!place || places.length > 1) continue;
    // Where it returns to is behind the call, which may be the next line already.
    const offset = frame.offset === null || frame.offset === 0 ? 0 : frame.offset - 1;
    addresses.set(keyOf(frame), `0x${(place.address + BigInt(offset)).toString(16)}`);
  }
  return { ok: true, addresses };
}

const ADDRESS = /^0x0*([0-9a-f]+)$/;

/** Reads the output of `addr2line -a -i`: for each address its line, and behind it those it was inlined into. */
export function readSourceLines(text: string): Map<string, string> {
  const found = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const line of text.split('\n')) {
    const address = ADDRESS.exec(line)?.[1];
    if (address !== undefined) {
      lines = [];
      found.set(`0x${address}`, lines);
    } else if (line !== '' && !line.startsWith('??') && !line.endsWith(':?') && !line.endsWith(':0'))
      lines?.push(line.replace(/ \(discriminator \d+\)$/, ''));
  }
  const sources = new Map<string, string>();
  for (const [address, all] of found)
    if (all.length > 0)
      sources.set(
        address,
        all
          .map((one) => one.replace(BUILT_IN, ''))
          .join(' ')
          .slice(0, LINE_MAX),
      );
  return sources;
}

/** Directories of the kernel's sources, behind those of where it was built. */
const BUILT_IN =
  /^\.\/|^\/?(?:[^/ ]+\/)+?(?=(?:arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt)\/)/;

/** The analysis with `source` in its frames and groups. Verdict and fingerprint stay as they are. */
export function withSources(
  analysis: Analysis,
  addresses: ReadonlyMap<string, string>,
  lines: ReadonlyMap<string, string>,
): Analysis {
  const told = new Map<Frame, Frame>();
  const stacks = new Map<readonly Frame[], Frame[]>();
  const frameWith = (frame: Frame): Frame => {
    const kept = told.get(frame);
    if (kept) return kept;
    const address = frame.module === null ? addresses.get(keyOf(frame)) : undefined;
    const source = address === undefined ? undefined : lines.get(address);
    const made = source === undefined ? frame : { ...frame, source };
    told.set(frame, made);
    return made;
  };
  const stackWith = (frames: Frame[]): Frame[] => {
    const made = stacks.get(frames) ?? frames.map(frameWith);
    stacks.set(frames, made);
    return made;
  };
  const dumps = analysis.dumps.map((dump) => ({
    ...dump,
    tasks: dump.tasks.map((task): Task => ({ ...task, frames: stackWith(task.frames) })),
    cpus: dump.cpus.map((cpu) => ({ ...cpu, frames: stackWith(cpu.frames) })),
  }));
  const known = new Map(
    dumps.flatMap(({ tasks }) => tasks.map((task) => [textOf(task.state, task.frames), sourcesOf(task)])),
  );
  const groups = analysis.groups.map((group) => ({
    ...group,
    ...known.get(`${group.state}\n${group.frames.join('\n')}`),
  }));
  return { ...analysis, dumps, groups };
}

const textOf = (state: string, frames: readonly Frame[]): string => `${state}\n${firmText(frames).text}`;
