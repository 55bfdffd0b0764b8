/**
 * Recordings of guests' memory: the pages that one snapshot needs, in a brotli file. A line of JSON, then the pages one
 * after the other. What is no page of it reads as zeroes.
 */
import { Buffer } from 'node:buffer';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

export const PAGE = 4_096;

/** Remembers which pages were read, and which of them by small reads: those are more than tables. */
export class RecordingRam {
  pages = new Map();
  small = new Set();

  constructor(ram) {
    this.ram = ram;
    this.ranges = ram.ranges;
  }

  read(gpa, into) {
    for (let page = Math.floor(gpa / PAGE); page * PAGE < gpa + into.length; page += 1) {
      if (into.length <= 4 * PAGE) this.small.add(page);
      if (this.pages.has(page)) continue;
      const bytes = new Uint8Array(PAGE);
      if (this.ram.read(page * PAGE, bytes)) this.pages.set(page, bytes);
    }
    return this.ram.read(gpa, into);
  }
}

/** A recording as RAM. */
export class RecordedRam {
  constructor(ranges, pages) {
    this.ranges = ranges;
    this.pages = pages;
  }

  read(gpa, into) {
    if (!this.ranges.some(({ first, end }) => gpa >= first && gpa + into.length <= end)) return false;
    for (let done = 0; done < into.length;) {
      const page = Math.floor((gpa + done) / PAGE);
      const from = gpa + done - page * PAGE;
      const count = Math.min(PAGE - from, into.length - done);
      const bytes = this.pages.get(page);
      if (bytes === undefined) into.fill(0, done, done + count);
      else into.set(bytes.subarray(from, from + count), done);
      done += count;
    }
    return true;
  }
}

const ADDRESSES = ['cr3', 'cr4', 'gdt', 'gs'];

const mapped = (registers, one) => ({
  ...registers,
  general: Object.fromEntries(Object.entries(registers.general).map(([name, value]) => [name, one(value)])),
  ...Object.fromEntries(
    ADDRESSES.map((name) => [name, registers[name] === null ? null : one(registers[name])]),
  ),
});

/** `registers`: as parseRegisters gives them. */
export function pack({ ranges, pages }, registers) {
  const kept = [...pages].filter(([, bytes]) => bytes.some((byte) => byte !== 0)).sort(([a], [b]) => a - b);
  const head = {
    ranges: ranges.map(({ first, end }) => ({ first, end })),
    registers: registers.map((one) => mapped(one, (value) => value.toString(16))),
    pages: kept.map(([page], index) => page - (kept[index - 1]?.[0] ?? 0)),
  };
  const raw = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...kept.map(([, bytes]) => bytes)]);
  return brotliCompressSync(raw, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  });
}

export function unpack(file) {
  const raw = brotliDecompressSync(file);
  const end = raw.indexOf('\n');
  const head = JSON.parse(raw.toString('utf8', 0, end));
  const pages = new Map();
  let page = 0;
  for (const [index, step] of head.pages.entries()) {
    page += step;
    pages.set(page, raw.subarray(end + 1 + index * PAGE, end + 1 + (index + 1) * PAGE));
  }
  const registers = head.registers.map((one) => mapped(one, (text) => BigInt(`0x${text}`)));
  return { ram: new RecordedRam(head.ranges, pages), registers };
}
