/** A memory image on disk; see core/memory/elf-image.ts. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import {
  ELF_HEADER_BYTES,
  isElf,
  parseElfHeader,
  parseElfNotes,
  parseElfPrograms,
} from '../../core/memory/elf-image.js';
import type { VcpuRegisters } from '../../core/memory/model.js';
import { FileRam, openFile } from './file-ram.js';

interface Image {
  ok: true;
  /** Open; the caller closes it. */
  ram: FileRam;
  registers: VcpuRegisters[];
  /** What a file that was cut lacks; null where nothing is missing. */
  cut: string | null;
}

const PROGRAM_BYTES = 56;

/** Whether the file begins as an ELF file does; false also for what cannot be opened, and for pipes. */
export function isElfFile(path: string): boolean {
  try {
    const fd = openFile(path);
    try {
      return fstatSync(fd).isFile() && isElf(bytesAt(fd, 0, ELF_HEADER_BYTES));
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** @throws an error of the system */
export function openImage(path: string): Image | { ok: false; why: string } {
  const fd = openFile(path);
  try {
    const header = parseElfHeader(bytesAt(fd, 0, ELF_HEADER_BYTES));
    if (typeof header === 'string') return { ok: false, why: header };
    const { at, count } = header.programs;
    const programs = bytesAt(fd, at, count * PROGRAM_BYTES);
    const { segments, notes, ram: size } = parseElfPrograms(programs, fstatSync(fd).size);
    const cut = cutText(size);
    if (segments.length === 0) return { ok: false, why: cut ?? 'the image holds no memory' };
    const registers = notes.flatMap((note) => parseElfNotes(bytesAt(fd, note.at, note.size), header.arch));
    const ram = new FileRam(
      [{ path, identity: null }],
      segments.map((segment) => ({ ...segment, file: 0 })),
    );
    ram.open();
    return { ok: true, ram, registers, cut };
  } finally {
    closeSync(fd);
  }
}

const MB = 2 ** 20;

const cutText = ({ promised, missing }: { promised: number; missing: number }): string | null =>
  missing === 0
    ? null
    : `the image was cut: it lacks ${Math.ceil(missing / MB)} of ${Math.ceil(promised / MB)} MB of memory`;

/** What is there of them. */
function bytesAt(fd: number, at: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const read = readSync(fd, bytes, done, size - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}
