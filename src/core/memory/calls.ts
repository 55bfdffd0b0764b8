/** Whether the instruction before a return address is a call: a cheap proof that a word of a stack is a frame. */

/** Bytes before the return address that are looked at. */
export const CALL_BYTES = 8;

/** `before`: the last eight bytes before the address. */
export function isCallBefore(arch: 'x86-64' | 'arm64', before: Uint8Array): boolean {
  return arch === 'arm64' ? armCall(before) : x86Call(before);
}

/** Opcode E8, or FF /2 with any way to name its target; a prefix before FF changes its length only. */
function x86Call(before: Uint8Array): boolean {
  if (before[3] === 0xe8) return true;
  for (let length = 2; length <= 7; length++) {
    const at = CALL_BYTES - length;
    if (before[at] === 0xff && indirectLength(before[at + 1] ?? 0, before[at + 2] ?? 0) === length)
      return true;
  }
  return false;
}

/** Of FF with this ModRM byte, in all; 0 where it is no near call. */
function indirectLength(modrm: number, sib: number): number {
  if (((modrm >> 3) & 7) !== 2) return 0;
  const mode = modrm >> 6;
  const memory = modrm & 7;
  if (mode === 3) return 2;
  const base = memory === 4 ? 3 : 2;
  if (mode === 0) return memory === 5 || (memory === 4 && (sib & 7) === 5) ? base + 4 : base;
  return base + (mode === 1 ? 1 : 4);
}

/** BL, BLR, and BLRAA and its like. */
function armCall(before: Uint8Array): boolean {
  const word = new DataView(before.buffer, before.byteOffset).getUint32(4, true);
  if (word >>> 26 === 0b100101) return true;
  return (word & 0xfffffc1f) >>> 0 === 0xd63f0000 || (word & 0xfefff800) >>> 0 === 0xd63f0800;
}
