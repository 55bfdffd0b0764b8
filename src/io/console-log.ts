/** Reads console logs from anywhere: a file or a pipe, gzipped or not, as a stream. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { analyze } from '../core/analysis/analysis.js';
import { LogPlaces } from '../core/analysis/log-places.js';
import { kernelCommandLine, kernelRelease } from '../core/console/markers.js';
import { RowSplitter } from '../core/console/rows.js';
import { DumpParser } from '../core/dump/parse-dumps.js';
import type { Analysis } from '../core/model.js';
import { isElfFile } from './memory/elf-file.js';
import { readImage } from './memory/read-image.js';
import { pasteLines } from './paste-lines.js';

export interface ReadLog {
  analysis: Analysis;
  /** Release of the kernel that printed it last, null if no line tells. */
  kernel: string | null;
  /** Why the input ended early: the analysis covers what came until then. */
  cutShort: string | null;
}

/** The log cannot be read. The message is one sentence with the cause and the fix, without the file's name. */
export class LogError extends Error {
  override readonly name = 'LogError';
}

/** Enough to tell text from anything else. */
const PEEK = 4096;
/** The share of bytes that no console prints, beyond which a file is no text. */
const BINARY_SHARE = 0.15;

interface Kind {
  magic: readonly number[];
  is: string;
  fix: string;
}

const GZIP: readonly number[] = [0x1f, 0x8b];
const AS_ELF =
  'dump-guest-memory without a format, virsh dump --memory-only --format=elf, makedumpfile -E, or cp /proc/vmcore';
const KINDS: readonly Kind[] = [
  {
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    is: 'compressed with xz',
    fix: 'xz -dc FILE | wedgewatch analyze',
  },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], is: 'compressed with zstd', fix: 'zstd -dc FILE | wedgewatch analyze' },
  { magic: [0x42, 0x5a, 0x68], is: 'compressed with bzip2', fix: 'bzip2 -dc FILE | wedgewatch analyze' },
  { magic: [0x50, 0x4b, 0x03, 0x04], is: 'a zip archive', fix: 'unzip -p FILE | wedgewatch analyze' },
  {
    magic: [...Buffer.from('LPKSHHRH')],
    is: 'a journal',
    fix: 'journalctl --file=FILE -o cat | wedgewatch analyze',
  },
  {
    magic: [0x7f, 0x45, 0x4c, 0x46],
    is: 'an ELF file',
    fix: 'name it as a file, unpacked: wedgewatch analyze FILE',
  },
  {
    magic: [...Buffer.from('KDUMP   ')],
    is: 'a crash dump in makedumpfile’s compressed format',
    fix: `dump as ELF: ${AS_ELF}`,
  },
  {
    magic: [...Buffer.from('makedumpfile\0')],
    is: 'a crash dump in makedumpfile’s flattened format',
    fix: `makedumpfile -R vmcore < FILE; dump as ELF: ${AS_ELF}`,
  },
  {
    magic: [...Buffer.from('QEVM')],
    is: 'a migration stream of QEMU',
    fix: 'virsh dump --memory-only DOMAIN FILE',
  },
  {
    magic: [...Buffer.from('LibvirtQemudSave')],
    is: 'a state that virsh saved',
    fix: 'virsh dump --memory-only DOMAIN FILE',
  },
];

const MAGIC_MAX = KINDS.reduce((most, { magic }) => Math.max(most, magic.length), 0);

/**
 * Analyses a console log, or a memory image; memory grows with the dumps in it, not with the log. Throws LogError for
 * anything else: a missing file, a directory, a device, other formats.
 */
export async function readLogFile(path: string, onBegin?: () => void): Promise<ReadLog> {
  try {
    if (isElfFile(path)) return ofImage(path, onBegin);
    return await readLog(await opened(path), { path, ...(onBegin && { onBegin }) });
  } catch (error) {
    throw error instanceof LogError ? error : new LogError(reason(error));
  }
}

function ofImage(path: string, onBegin: (() => void) | undefined): ReadLog {
  onBegin?.();
  const read = readImage(path);
  if (!read.ok) throw new LogError(read.why);
  return { analysis: read.analysis, kernel: read.release, cutShort: read.cut };
}

/** The lines of a console log, cleaned and put together, oldest first. Throws LogError as `readLogFile` does. */
export async function* logLines(path: string): AsyncGenerator<string> {
  const ignored = () => undefined;
  try {
    yield* pasteLines(rows(unpacked(await opened(path), ignored)), path, ignored);
  } catch (error) {
    throw error instanceof LogError ? error : new LogError(reason(error));
  }
}

async function opened(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await stat(path);
  if (file.isDirectory()) throw new LogError('it is a directory; name the log file in it');
  if (file.isCharacterDevice() || file.isBlockDevice() || file.isSocket())
    throw new LogError('it is a device or a socket, not a log; pipe its text in: … | wedgewatch analyze');
  return createReadStream(path);
}

interface ReadOptions {
  /** Of the file that the bytes come from. */
  path?: string;
  /** Called with the first of them, or at the end. */
  onBegin?: () => void;
}

/** The same of bytes that arrive, such as standard input. */
export async function readLog(
  chunks: AsyncIterable<Uint8Array | string>,
  { path, onBegin = () => undefined }: ReadOptions = {},
): Promise<ReadLog> {
  const parser = new DumpParser({ pasted: true });
  const places = new LogPlaces();
  let commandLine: string | null = null;
  let kernel: string | null = null;
  let cutShort: string | null = null;
  const cut = (why: string) => void (cutShort = why);
  const input = unpacked(begun(chunks, onBegin), cut);
  for await (const line of pasteLines(rows(input), path ?? null, cut)) {
    parser.push(line);
    commandLine = kernelCommandLine(line) ?? commandLine;
    kernel = kernelRelease(line) ?? kernel;
    places.push(line, parser);
  }
  const analysis = analyze(parser.finish(), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: commandLine,
    bootPlaces: places.bootPlaces,
    troubles: places.troubles,
  });
  return { analysis, kernel, cutShort };
}

async function* begun(
  chunks: AsyncIterable<Uint8Array | string>,
  onBegin: () => void,
): AsyncGenerator<Uint8Array | string> {
  let first = true;
  for await (const chunk of chunks) {
    if (first) onBegin();
    first = false;
    yield chunk;
  }
  if (first) onBegin();
}

async function* unpacked(
  chunks: AsyncIterable<Uint8Array | string>,
  cut: (why: string) => void,
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  const { head, done } = await peek(source);
  const whole = resumed(head, done ? null : source);
  if (!startsWith(head, GZIP)) {
    refuse(head);
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  const feeding = feed(whole, gunzip);
  let began = false;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      if (!began) refuse(chunk);
      began = true;
      yield chunk;
    }
    await feeding;
  } catch (error) {
    if (error instanceof LogError || !began) throw error;
    cut(`its gzip data is truncated or damaged (${reason(error)})`);
  }
}

/** Waits for room, so that a compressed flood fills no memory. */
async function feed(chunks: AsyncIterable<Uint8Array>, gunzip: ReturnType<typeof createGunzip>) {
  try {
    for await (const chunk of chunks) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(chunk)) await drained(gunzip);
    }
    gunzip.end();
  } catch (error) {
    gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Takes its listeners with it: one left behind for each chunk would be a leak, of which Node warns. */
function drained(stream: ReturnType<typeof createGunzip>): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stream.off('drain', go).off('close', go);
      resolve();
    };
    stream.on('drain', go).on('close', go);
  });
}

type Source = AsyncIterator<Uint8Array | string>;

const bytesOf = (chunk: Uint8Array | string): Uint8Array =>
  typeof chunk === 'string' ? Buffer.from(chunk) : chunk;

async function peek(source: Source): Promise<{ head: Uint8Array; done: boolean }> {
  const parts: Uint8Array[] = [];
  for (let held = 0; held < MAGIC_MAX;) {
    const next = await source.next();
    if (next.done === true) return { head: Buffer.concat(parts), done: true };
    const bytes = bytesOf(next.value);
    parts.push(bytes);
    held += bytes.length;
  }
  return { head: Buffer.concat(parts), done: false };
}

async function* resumed(head: Uint8Array, source: Source | null): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await source?.next(); next && next.done !== true; next = await source?.next())
    yield bytesOf(next.value);
}

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte);

/** Tabs, line ends, bells and escapes are a console's own; bytes above 127 may be UTF-8. */
const isOdd = (byte: number): boolean =>
  (byte < 0x07 && byte !== 0) || (byte > 0x0f && byte < 0x20 && byte !== 0x1b);

function refuse(head: Uint8Array): void {
  const kind = KINDS.find(({ magic }) => startsWith(head, magic));
  if (kind) throw new LogError(`it is ${kind.is}. Fix: ${kind.fix}`);
  const seen = head.subarray(0, PEEK);
  const odd = seen.reduce((count, byte) => count + Number(isOdd(byte)), 0);
  if (odd > seen.length * BINARY_SHARE) throw new LogError('it is binary, not the text of a console');
}

async function* rows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const splitter = new RowSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  const rest = splitter.flush();
  if (rest !== null) yield rest;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied; run as its owner, or copy it',
  EISDIR: 'it is a directory; name the log file in it',
  ENOTDIR: 'a part of its path is a file',
  ELOOP: 'a loop of symbolic links',
  ENAMETOOLONG: 'its name is too long',
};

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
