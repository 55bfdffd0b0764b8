/** A recorded guest's RAM as a file that QEMU loads: `-device loader,file=…,addr=LOADED,force-raw=on`. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE, unpack } from './recording.mjs';

/** QEMU's own ROMs are below. */
export const LOADED = 2 ** 20;

/** Writes it, with holes. Returns its pages. */
export function writeRecordedRam(path: string, name: string, mebibytes: number): Map<number, Uint8Array> {
  const { ram } = unpack(readFileSync(join(import.meta.dirname, `${name}.memory.br`)));
  const fd = openSync(path, 'w', 0o644);
  ftruncateSync(fd, mebibytes * 2 ** 20 - LOADED);
  for (const [page, bytes] of ram.pages)
    if (page * PAGE >= LOADED) writeSync(fd, bytes, 0, PAGE, page * PAGE - LOADED);
  closeSync(fd);
  return ram.pages;
}
