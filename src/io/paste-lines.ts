/** The lines of a log as its kernel printed them, oldest first, whatever people and programs have done to it. */
import { open } from 'node:fs/promises';
import { cleanRow } from '../core/console/clean.js';
import {
  joinerFor,
  natureOf,
  type PasteNature,
  SAMPLE_CHARS,
  SAMPLE_LINES,
} from '../core/dump/paste/paste.js';

/** Of a log that begins with its newest line and cannot be read from its end, so much is held to turn it round. */
const HELD_MAX = 64 << 20;
const BLOCK = 1 << 20;
const NEWLINE = 10;
const GZIP = 0x1f;

/**
 * Streams; only a log that begins with its newest line is held, up to 64 MB, unless it is a plain file at `path`: that
 * is read from its end. `cut` is told where older lines had to be left out.
 */
export async function* pasteLines(
  rows: AsyncIterable<Uint8Array>,
  path: string | null,
  cut: (why: string) => void,
): AsyncGenerator<string> {
  const source = rows[Symbol.asyncIterator]();
  const { sample, done } = await sampled(source);
  const nature = natureOf(sample);
  if (!nature.newestFirst) {
    yield* forwards(sample, done ? null : source, nature);
    return;
  }
  if (!done && path !== null && (await isPlain(path))) {
    await source.return?.();
    yield* backwards(path, nature);
    return;
  }
  yield* turned(sample, done ? null : source, nature, cut);
}

type Source = AsyncIterator<Uint8Array>;

async function sampled(source: Source): Promise<{ sample: string[]; done: boolean }> {
  const sample: string[] = [];
  for (let chars = 0; sample.length < SAMPLE_LINES && chars < SAMPLE_CHARS;) {
    const next = await source.next();
    if (next.done === true) return { sample, done: true };
    chars += next.value.length;
    sample.push(...cleanRow(next.value));
  }
  return { sample, done: false };
}

async function* further(source: Source | null): AsyncGenerator<string[]> {
  for (let next = await source?.next(); next && next.done !== true; next = await source?.next())
    yield cleanRow(next.value);
}

async function* forwards(
  sample: readonly string[],
  source: Source | null,
  nature: PasteNature,
): AsyncGenerator<string> {
  const joiner = joinerFor(nature);
  for (const line of sample) yield* joiner.push(line);
  for await (const lines of further(source)) for (const line of lines) yield* joiner.push(line);
  yield* joiner.end();
}

async function* turned(
  sample: readonly string[],
  source: Source | null,
  nature: PasteNature,
  cut: (why: string) => void,
): AsyncGenerator<string> {
  const held: string[] = [];
  let size = 0;
  for await (const line of forwards(sample, source, nature)) {
    size += line.length;
    if (size > HELD_MAX) {
      cut(`it begins with its newest line, and only its newest ${HELD_MAX >> 20} MB can be turned round`);
      break;
    }
    held.push(line);
  }
  for (let line = held.pop(); line !== undefined; line = held.pop()) yield line;
}

async function isPlain(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
    return bytesRead === 1 && buffer[0] !== GZIP && (await file.stat()).isFile();
  } finally {
    await file.close();
  }
}

/** Memory is that of one block; a line that a block's border has broken twice is not put together. */
async function* backwards(path: string, nature: PasteNature): AsyncGenerator<string> {
  const file = await open(path);
  try {
    let rest = Buffer.alloc(0);
    for (let end = (await file.stat()).size; end > 0;) {
      const from = Math.max(0, end - BLOCK);
      const block = Buffer.alloc(end - from);
      await file.read(block, 0, block.length, from);
      end = from;
      const text = Buffer.concat([block, rest]);
      const first = from === 0 ? 0 : firstRow(text);
      rest = text.subarray(0, first);
      yield* lastFirst(text.subarray(first), nature);
    }
  } finally {
    await file.close();
  }
}

/** Where the first row begins that does not begin in the block before; a row without end is cut. */
function firstRow(text: Buffer): number {
  const newline = text.indexOf(NEWLINE);
  if (newline >= 0) return newline + 1;
  return text.length > 2 * BLOCK ? 0 : text.length;
}

function* lastFirst(block: Buffer, nature: PasteNature): Generator<string> {
  const joiner = joinerFor(nature);
  const lines: string[] = [];
  for (let at = 0; at < block.length;) {
    const newline = block.indexOf(NEWLINE, at);
    const end = newline < 0 ? block.length : newline;
    for (const line of cleanRow(block.subarray(at, end))) lines.push(...joiner.push(line));
    at = end + 1;
  }
  lines.push(...joiner.end());
  yield* lines.reverse();
}
