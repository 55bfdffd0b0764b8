/** Where a guest's RAM lies: QEMU's memory tree (`info mtree -f`, softmmu/memory.c), or what its machines do by default. */
import { optionValues, parseOptions } from '../host/argv.js';

/** A stretch of guest-physical addresses, `end` behind its last, and where it begins in the memory `id`. */
export interface Region {
  id: string;
  first: number;
  end: number;
  offset: number;
}

const LINES_MAX = 20_000;
const REGIONS_MAX = 1_024;
/** Below it are option ROMs, the firmware and small framebuffers. */
export const RAM_MIN = 16 * 2 ** 20;
/** Those that are larger. */
const FRAMEBUFFER = /vram|vgamem/;
const ROW =
  /^ {2}([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d{1,10}, (?:nv-)?(?:ram|rom)\): ([^\s@]{1,200})(?: @([0-9a-f]{16}))?/;

/**
 * The RAM of the first view that has any, ascending; empty where there is none. The parts that the firmware made
 * read-only are RAM all the same.
 */
export function parseMemoryTree(text: string): Region[] {
  let found: Region[] = [];
  for (const line of text.split('\n', LINES_MAX)) {
    if (line.startsWith('FlatView') && (found = largeOnes(found)).length > 0) return found;
    const [, first, last, id, offset = '0'] = ROW.exec(line.trimEnd()) ?? [];
    if (first === undefined || last === undefined || id === undefined) continue;
    const region = { id, first: hex(first), end: hex(last) + 1, offset: hex(offset) };
    const sound = region.end > region.first && Number.isSafeInteger(region.end + region.offset);
    if (sound && found.length < REGIONS_MAX) join(found, region);
  }
  return largeOnes(found);
}

const hex = (digits: string): number => Number.parseInt(digits, 16);

function join(found: Region[], region: Region): void {
  const before = found.at(-1);
  if (before !== undefined && region.first < before.end) return;
  const continues =
    before?.id === region.id &&
    before.end === region.first &&
    before.offset + before.end - before.first === region.offset;
  if (continues) before.end = region.end;
  else found.push(region);
}

function largeOnes(found: readonly Region[]): Region[] {
  const sizes = new Map<string, number>();
  for (const { id, first, end } of found) sizes.set(id, (sizes.get(id) ?? 0) + end - first);
  return found.filter(({ id }) => (sizes.get(id) ?? 0) >= RAM_MIN && !FRAMEBUFFER.test(id));
}

const GIB = 2 ** 30;

/**
 * Where machines put so much RAM unless they are told otherwise (hw/i386/pc_q35.c, pc_piix.c, hw/arm/virt.c): below and
 * above a hole for devices, or from 1 GiB on.
 */
export function usualRegions(argv: readonly string[], size: number): Region[] {
  const machines = machineOptions(argv);
  const machine = machines.map(({ first, values }) => values['type'] ?? first).find((name) => name !== '');
  const id = 'ram';
  if (argv[0]?.includes('aarch64') === true) return [{ id, first: GIB, end: GIB + size, offset: 0 }];
  const limit = machines.map(({ values }) => bytesOf(values['max-ram-below-4g'])).find((one) => one > 0);
  const [usual, least] = /q35/.test(machine ?? '') ? [0xb000_0000, 2 * GIB] : [0xe000_0000, 3 * GIB];
  const most = Math.min(usual, limit ?? usual);
  const low = Math.min(least, most);
  if (size < most || size === low) return [{ id, first: 0, end: size, offset: 0 }];
  return [
    { id, first: 0, end: low, offset: 0 },
    { id, first: 4 * GIB, end: 4 * GIB + size - low, offset: low },
  ];
}

const machineOptions = (argv: readonly string[]) =>
  [...optionValues(argv, 'machine'), ...optionValues(argv, 'M')].map(parseOptions);

/** `128M`, as QEMU takes sizes; 0 where it is none. */
function bytesOf(text: string | undefined): number {
  const [, digits = '0', unit = ''] = /^(\d{1,15})([KMGT]?)$/i.exec(text ?? '') ?? [];
  const power = ['', 'K', 'M', 'G', 'T'].indexOf(unit.toUpperCase());
  return Number(digits) * 1024 ** power;
}

/** The ids of the memories that are RAM, node behind node: of `-numa`, else the machine's own; empty where none is named. */
export function memoriesOfNodes(argv: readonly string[]): string[] {
  const nodes = optionValues(argv, 'numa').map(parseOptions);
  const number = ({ values }: (typeof nodes)[number], index: number) => Number(values['nodeid'] ?? index);
  const named = nodes
    .filter(({ first, values }) => (values['type'] ?? first) === 'node')
    .map((node, index) => ({ id: node.values['memdev'], at: number(node, index) }))
    .toSorted((a, b) => a.at - b.at);
  const own = machineOptions(argv).map(({ values }) => values['memory-backend']);
  return [...(named.length > 0 ? named.map(({ id }) => id) : own)].filter((id) => id !== undefined);
}

/** `Host virtual address for 0x0 (mem) is 0x7f…`, of the monitor's gpa2hva; null where it is none. */
export function parseHostAddress(text: string): number | null {
  const digits = /^Host virtual address for 0x[0-9a-f]+ .{0,200} is 0x([0-9a-f]{1,13})\s*$/.exec(text)?.[1];
  return digits === undefined ? null : hex(digits);
}

/** Encrypted by its processor: what can be read then are ciphers. */
export function encryptedBy(argv: readonly string[]): string | null {
  const kinds = optionValues(argv, 'object').map(
    (text) => parseOptions(text).values['qom-type'] ?? parseOptions(text).first,
  );
  if (kinds.some((kind) => kind.startsWith('sev'))) return 'SEV';
  return kinds.some((kind) => kind.startsWith('tdx')) ? 'TDX' : null;
}
