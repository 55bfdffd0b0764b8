/** A recorded guest's RAM as the ELF file of a crash dump, with holes. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE, unpack } from './recording.mjs';

const [HEADER, PROGRAM] = [64, 56];

/** Writes it, without notes. Returns its size in bytes. */
export function writeElfFile(path: string, name: string): number {
  const { ram } = unpack(readFileSync(join(import.meta.dirname, `${name}.memory.br`)));
  const head = new DataView(new ArrayBuffer(HEADER + PROGRAM * ram.ranges.length));
  new Uint8Array(head.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  for (const [at, value] of [
    [16, 4], // ET_CORE
    [18, 62], // EM_X86_64
    [54, PROGRAM],
    [56, ram.ranges.length],
  ] as const)
    head.setUint16(at, value, true);
  head.setBigUint64(32, BigInt(HEADER), true);
  const fd = openSync(path, 'w', 0o644);
  let size = PAGE;
  for (const [index, { first, end }] of ram.ranges.entries()) {
    const program = HEADER + PROGRAM * index;
    head.setUint32(program, 1, true); // PT_LOAD
    for (const [at, value] of [
      [8, size],
      [24, first],
      [32, end - first],
    ] as const)
      head.setBigUint64(program + at, BigInt(value), true);
    for (const [page, bytes] of ram.pages)
      if (page * PAGE >= first && page * PAGE < end)
        writeSync(fd, bytes, 0, PAGE, size + page * PAGE - first);
    size += end - first;
  }
  ftruncateSync(fd, size);
  writeSync(fd, new Uint8Array(head.buffer), 0, head.byteLength, 0);
  closeSync(fd);
  return size;
}
