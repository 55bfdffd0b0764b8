/** What is fuzzed: a guest's memory. See targets.mjs. */
/* global URL */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { PAGE, unpack } from '../golden-memory/recording.mjs';
import { LOG_WORDS } from './mutate.mjs';

const RECORDING = '../golden-memory/6.1-pagein.memory.br';
/** One input in so many also finds the kernel in what was changed; the others know it, as the reader does. */
const ANEW = 40;
const MOST_TEXT = 64 * 2 ** 20;

/** A recorded guest whose structures are forged. The bytes of an input are its changes: where, what, how much. */
export async function memory(load, { assert, judged, consoles }) {
  const { analyze } = await load('core/analysis/analysis');
  const { createBuilds } = await load('core/memory/builds');
  const { memoryDump } = await load('core/memory/dump');
  const { openKernel } = await load('core/memory/kernel');
  const { KnownGuest } = await load('core/memory/known-guest');
  const { readLog } = await load('core/memory/printk');
  const { takeSnapshot } = await load('core/memory/snapshot');
  const { memoryText } = await load('core/memory/text');
  const { ram, registers } = unpack(readFileSync(new URL(RECORDING, import.meta.url)));
  const numbersOf = [...ram.pages.keys()];
  const clean = ram.pages;
  const kernel = openKernel(ram, { registers, builds: createBuilds() });
  const used = touchedBy(ram, () => readLog(takeSnapshot(kernel, { registers }).kernel));
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  const judge = (dump) => judged(analyze([dump], context));
  const snapshot = () => {
    const dump = memoryDump(takeSnapshot(kernel, { registers }));
    const size = memoryText(dump).length + (readLog(kernel)?.text.length ?? 0);
    assert(size < MOST_TEXT, `${size} characters of text`);
    return judge(dump);
  };
  return {
    // Only their bytes count.
    material: { texts: consoles(), end: '\n', words: LOG_WORDS },
    run(bytes, random) {
      const anew = random.below(ANEW) === 0;
      ram.pages = forged(clean, anew ? numbersOf : used, bytes, random);
      try {
        if (!anew) return snapshot();
        const answer = new KnownGuest(ram, createBuilds()).snapshot(registers, 0);
        if (!answer.ok) assert(answer.why.length < 4096, 'a long reason');
        return answer.ok ? judge(answer.dump) : 'no kernel';
      } finally {
        ram.pages = clean;
      }
    },
  };
}

/** The pages that a call reads. */
function touchedBy(ram, call) {
  const touched = new Set();
  const whole = ram.pages;
  ram.pages = { get: (page) => (touched.add(page), whole.get(page)) };
  call();
  ram.pages = whole;
  return [...touched].filter((page) => whole.has(page));
}

const WORD = 8;
/** Kernel pointers of its own data make lists that join, circles and types that are not; sizes make loops long. */
function forged(clean, where, bytes, { below }) {
  const pages = new Map(clean);
  for (let left = 1 + below(below(4) === 0 ? 200 : 12); left > 0; left -= 1) {
    const number = where[below(where.length)];
    const page = Buffer.from(pages.get(number));
    const at = below(PAGE / WORD) * WORD;
    const other = Buffer.from(clean.get(where[below(where.length)]));
    const kind = below(7);
    if (kind === 0) other.copy(page, at, below(PAGE / WORD) * WORD, PAGE);
    else if (kind === 1) page.set(bytes.subarray(0, PAGE - at), at);
    else if (kind === 2) page.fill(below(2) * 255, at, Math.min(PAGE, at + WORD * (1 + below(16))));
    else if (kind === 3) page.writeUInt32LE([0xffffffff, 0x7fffffff, 0x80000000, 1, 65_536][below(5)], at);
    else if (kind === 4) page[at + below(WORD)] ^= 1 << below(8);
    // Pointers of the page itself, moved.
    else if (kind === 5) page.copy(page, at, below(PAGE / WORD) * WORD, PAGE);
    else
      pointers(other).forEach(
        (word, index) => index < 4 && at + index * WORD < PAGE && word.copy(page, at + index * WORD),
      );
    pages.set(number, page);
  }
  return pages;
}

function pointers(page) {
  const found = [];
  for (let at = 0; at < PAGE; at += WORD)
    if (page.readUInt16LE(at + WORD - 2) === 0xffff) found.push(page.subarray(at, at + WORD));
  return found;
}
