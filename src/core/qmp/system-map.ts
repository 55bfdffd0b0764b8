/** Names for register values from the System.map of a guest's kernel (kernel/kallsyms.c prints the same lines). */
import type { GuestFacts, Look } from '../model.js';

/** The functions of a kernel in the order of their addresses, as they were linked. */
export interface SystemMap {
  addresses: BigUint64Array;
  names: string[];
  /** Where its text begins and ends. */
  text: bigint;
  end: bigint;
}

const LINE = /^([0-9a-f]{8,16}) [tTwW] (\S{1,200})$/gm;
const TEXT = '_text';
const END = '_etext';

/** Reads the text of a System.map, or says in one phrase why it is none. */
export function parseSystemMap(text: string): SystemMap | string {
  const found = [...text.matchAll(LINE)].flatMap(([, address, name]) =>
    address === undefined || name === undefined ? [] : [{ address: BigInt(`0x${address}`), name }],
  );
  found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const begin = found.find(({ name }) => name === TEXT)?.address;
  const end = found.find(({ name }) => name === END)?.address ?? found.at(-1)?.address;
  if (begin === undefined || end === undefined) return `it has no ${TEXT}: it is no System.map`;
  if (begin === 0n)
    return `its addresses are 0: it was read from /proc/kallsyms by a user who may not see them`;
  const names = found.map(({ name }) => name);
  return { addresses: BigUint64Array.from(found, ({ address }) => address), names, text: begin, end };
}

/**
 * By how much the kernel is relocated (KASLR), from where the guest itself said that its text is; null where it is not
 * known. The kernel's command line rules it out.
 */
export function relocation(
  map: SystemMap,
  facts: Pick<GuestFacts, 'textAddress'> | null,
  commandLine: string | null,
): bigint | null {
  const said = facts?.textAddress ?? null;
  if (said !== null) return BigInt(`0x${said}`) - map.text;
  return /(?:^|\s)nokaslr(?:\s|$)/.test(commandLine ?? '') ? 0n : null;
}

/** `function+0xoffset/0xsize`, as the kernel writes it; null for what is not in the kernel's own text. */
export function symbolAt(map: SystemMap, relocatedBy: bigint, pc: string): string | null {
  const address = BigInt(`0x${pc}`) - relocatedBy;
  if (address < map.text || address >= map.end) return null;
  let [low, high] = [0, map.addresses.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((map.addresses[middle] ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  const start = map.addresses[low - 1];
  const size = (map.addresses[low] ?? map.end) - (start ?? 0n);
  const name = map.names[low - 1];
  return start === undefined || name === undefined
    ? null
    : `${name}+0x${(address - start).toString(16)}/0x${size.toString(16)}`;
}

/** The look with names beside its samples, as far as the map tells. */
export function withSymbols(look: Look, map: SystemMap, relocatedBy: bigint): Look {
  const { qmp } = look;
  if (!qmp.ok) return look;
  const vcpus = qmp.vcpus.map((vcpu) => {
    if (vcpu.samples === undefined) return vcpu;
    const samples = vcpu.samples.map((sample) => {
      const symbol = sample.user === true ? null : symbolAt(map, relocatedBy, sample.pc);
      return symbol === null ? sample : { ...sample, symbol };
    });
    return { ...vcpu, samples };
  });
  return { ...look, qmp: { ...qmp, vcpus } };
}
