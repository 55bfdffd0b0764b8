import type { Ram, VcpuRegisters } from '../../src/core/memory/model.js';

export const PAGE: number;

interface Pages {
  ranges: readonly { first: number; end: number }[];
  pages: Map<number, Uint8Array>;
}

export class RecordingRam implements Ram, Pages {
  constructor(ram: Ram);
  readonly ranges: readonly { first: number; end: number }[];
  readonly pages: Map<number, Uint8Array>;
  readonly small: Set<number>;
  read(gpa: number, into: Uint8Array): boolean;
}

export class RecordedRam implements Ram, Pages {
  constructor(ranges: readonly { first: number; end: number }[], pages: Map<number, Uint8Array>);
  readonly ranges: readonly { first: number; end: number }[];
  readonly pages: Map<number, Uint8Array>;
  read(gpa: number, into: Uint8Array): boolean;
}

export function pack(pages: Pages, registers: readonly VcpuRegisters[]): Uint8Array;
export function unpack(file: Uint8Array): { ram: RecordedRam; registers: VcpuRegisters[] };
