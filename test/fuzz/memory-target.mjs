/** What is fuzzed: a guest's memory. See targets.mjs. */
/* global URL */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { PAGE, unpack } from '../golden-memory/recording.mjs';
import { LOG_WORDS } from './mutate.mjs';

const RECORDINGS = ['6.1-pagein', '6.12-locks', '7.3-rt-pagein'];
/** One input in so many also finds the kernel in what was changed; the others know it, as the reader does. */
const ANEW = 1000;
/** One in so many has all tasks of the guest, the others those that wait and a few; so many also have a verdict, or the log. */
const WHOLE = 32;
const JUDGED = 4;
const LOG = 100;
const FEW = 4;
const MOST_TEXT = 64 * 2 ** 20;

/** Recorded guests whose structures are forged. The bytes of an input are its changes: where, what, how much. */
export async function memory(load, { assert, judged: verdictOf, consoles }) {
  const { analyze } = await load('core/analysis/analysis');
  const { createBuilds } = await load('core/memory/builds');
  const { memoryDump } = await load('core/memory/dump');
  const { openKernel } = await load('core/memory/kernel');
  const { KnownGuest } = await load('core/memory/known-guest');
  const { readLog } = await load('core/memory/printk');
  const { readerOf } = await load('core/memory/reader');
  const { takeSnapshot } = await load('core/memory/snapshot');
  const { memoryText } = await load('core/memory/text');
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  const judge = (dump) => verdictOf(analyze([dump], context));

  function opened(name) {
    const file = readFileSync(new URL(`../golden-memory/${name}.memory.br`, import.meta.url));
    const { ram, registers } = unpack(file);
    const kernel = openKernel(ram, { registers, builds: createBuilds() });
    const whole = ram.pages;
    const { tasks } = takeSnapshot(kernel, { registers });
    const few = withFewTasks(kernel, readerOf(kernel).layout.tasks, { tasks, whole });
    const used = (pages) => touchedBy(ram, pages, () => memoryDump(takeSnapshot(kernel, { registers })));
    const log = touchedBy(ram, whole, () => readLog(kernel));
    const all = { pages: whole, used: [...used(whole), ...log] };
    ram.pages = whole;
    return { ram, registers, kernel, all, few: { pages: few, used: used(few) }, log };
  }

  function snapshot({ kernel, registers }, withLog, withVerdict) {
    const dump = memoryDump(takeSnapshot(kernel, { registers }));
    const log = withLog ? (readLog(kernel)?.text.length ?? 0) : 0;
    assert(log < MOST_TEXT, `${log} characters of log`);
    if (!withVerdict) return 'a dump';
    const size = memoryText(dump).length;
    assert(size < MOST_TEXT, `${size} characters of text`);
    return judge(dump);
  }

  function snapshotAnew({ ram, registers }) {
    const answer = new KnownGuest(ram, createBuilds()).snapshot(registers, 0);
    if (!answer.ok) assert(answer.why.length < 4096, 'a long reason');
    return answer.ok ? judge(answer.dump) : 'no kernel';
  }

  const guests = RECORDINGS.map(opened);
  return {
    // Only their bytes count.
    material: { texts: consoles(), end: '\n', words: LOG_WORDS },
    run(bytes, random) {
      const guest = guests[random.below(guests.length)];
      const [anew, whole, judged, log] = [ANEW, WHOLE, JUDGED, LOG].map((one) => random.below(one) === 0);
      const { pages, used } = anew || whole ? guest.all : guest.few;
      const where = anew ? [...pages.keys()] : log ? [...used, ...guest.log] : used;
      guest.ram.pages = forged(pages, where, bytes, random);
      try {
        return anew ? snapshotAnew(guest) : snapshot(guest, log, judged);
      } finally {
        guest.ram.pages = guest.all.pages;
      }
    },
  };
}

/** The pages that a call reads. */
function touchedBy(ram, pages, call) {
  const touched = new Set();
  ram.pages = { get: (page) => (touched.add(page), pages.get(page)) };
  call();
  ram.pages = pages;
  return [...touched].filter((page) => pages.has(page));
}

/** The list of tasks cut to those that wait and a few others: a small guest is read in a fifth of the time. */
function withFewTasks(kernel, list, { tasks, whole }) {
  const pages = new Map(whole);
  const each = Math.ceil(tasks.length / FEW);
  const leaders = tasks.filter(({ pid, tgid }) => pid === tgid);
  const kept = leaders.filter(({ state }, index) => state === 'D' || index % each === 0);
  const heads = [kernel.object('init_task'), ...kept.map(({ address }) => address)];
  const set = (va, value) => {
    const at = kernel.space.translate(va);
    const page = Buffer.from(pages.get(Math.floor(at / PAGE)));
    page.writeBigUInt64LE(value, at % PAGE);
    pages.set(Math.floor(at / PAGE), page);
  };
  for (const [index, head] of heads.entries()) {
    const next = heads[(index + 1) % heads.length];
    set(head + BigInt(list), next + BigInt(list));
    set(next + BigInt(list + WORD), head + BigInt(list));
  }
  return pages;
}

const WORD = 8;
/** Kernel pointers of its own data make lists that join, circles and types that are not; sizes make loops long. */
function forged(clean, where, bytes, { below }) {
  const changed = new Map();
  const get = (number) => changed.get(number) ?? clean.get(number);
  for (let left = 1 + below(below(4) === 0 ? 200 : 12); left > 0; left -= 1) {
    const number = where[below(where.length)];
    const page = changed.get(number) ?? Buffer.from(clean.get(number));
    const at = below(PAGE / WORD) * WORD;
    const other = clean.get(where[below(where.length)]);
    const kind = below(7);
    if (kind === 0) page.set(other.subarray(below(PAGE / WORD) * WORD).subarray(0, PAGE - at), at);
    else if (kind === 1) page.set(bytes.subarray(0, PAGE - at), at);
    else if (kind === 2) page.fill(below(2) * 255, at, Math.min(PAGE, at + WORD * (1 + below(16))));
    else if (kind === 3) page.writeUInt32LE([0xffffffff, 0x7fffffff, 0x80000000, 1, 65_536][below(5)], at);
    else if (kind === 4) page[at + below(WORD)] ^= 1 << below(8);
    // Pointers of the page itself, moved.
    else if (kind === 5) page.copy(page, at, below(PAGE / WORD) * WORD, PAGE);
    else putPointers(Buffer.from(other.buffer, other.byteOffset, PAGE), page, at);
    changed.set(number, page);
  }
  return { get };
}

/** The first kernel pointers of a page, where others were. */
function putPointers(from, page, at) {
  let put = 0;
  for (let next = 0; next < PAGE && put < 4 && at + put * WORD < PAGE; next += WORD) {
    if (from.readUInt16LE(next + WORD - 2) !== 0xffff) continue;
    page.set(from.subarray(next, next + WORD), at + put * WORD);
    put += 1;
  }
}
