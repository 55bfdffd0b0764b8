/** What is known of a guest's console. Only these functions write to it. */
import { complaintIn, type Complaint } from '../../console/complaints.js';
import { kernelCommandLine, kernelRelease } from '../../console/markers.js';
import { Progress, type ProgressState } from '../../console/progress.js';
import { startedTest } from '../../console/tests.js';
import { mayAnswer } from '../../kernel-lines/sysrq.js';
import { printable } from '../../printable.js';
import type { Mono } from '../../time.js';

/** Why the host reads nothing of a console, and what mends it. */
export interface Unread {
  why: string;
  fix: string;
}

export interface ConsoleState {
  progress: Progress;
  /** Since when the console has been silent, from the point of view of the watchdog. */
  quietSince: Mono;
  lastProgress: { at: Mono; text: string } | null;
  awaiting: string | null;
  /** The test that began last in this boot. */
  test: { at: Mono; name: string } | null;
  /** In which words this boot gave up, as it said last. */
  gaveUp: string | null;
  /** The newest line of any kind, apart from dumps. */
  heardAt: Mono | null;
  /** Not one line was read of this QEMU's console: why, and since when that is known. */
  unread: (Unread & { since: Mono }) | null;
  commandLine: string | null;
  /** The kernel's release, as its first line in this boot said. */
  release: string | null;
  /** The newest cleaned lines, for reports that the kernel prints by itself. */
  tail: string[];
}

/** As an incident's timeline keeps it. */
export type SavedConsole = Omit<ConsoleState, 'progress'> & { progress: ProgressState };

/** What one line tells. */
interface LineFacts {
  news: boolean;
  /** How long the silence was that this news ended, in milliseconds. */
  silentMs: number;
  complaint: Complaint | null;
}

/** Lines kept for the reports that a kernel prints by itself: several hung tasks with their stacks. */
const TAIL_LINES = 600;
/** No line of a kernel's report is longer. */
const TAIL_LINE_MAX = 1_000;
export const LINE_SHOWN = 160;
/** A firmware prints within a second; a kernel, on a busy host, later. */
const GRACE_MS = 20_000;

export const newConsole = (at: Mono): ConsoleState => ({
  progress: new Progress(),
  quietSince: at,
  lastProgress: null,
  awaiting: null,
  test: null,
  gaveUp: null,
  heardAt: null,
  unread: null,
  commandLine: null,
  release: null,
  tail: [],
});

/** What the last boot has said is news again: a kernel with `quiet` shows no first line. */
export function consoleBoots(console: ConsoleState, at: Mono): void {
  const { heardAt, unread, commandLine } = console;
  Object.assign(console, newConsole(at), { heardAt, unread, commandLine });
}

/** Reads a line that is not part of a dump of ours. `replayed`: it was there before this daemon, and is context only. */
export function readLine(
  console: ConsoleState,
  text: string,
  { at, replayed, testPattern }: { at: Mono; replayed: boolean; testPattern: string | null },
): LineFacts {
  keepTail(console.tail, text);
  // The answers to our own keys are no sign of life.
  if (!mayAnswer(text)) console.heardAt = at;
  console.commandLine = kernelCommandLine(text) ?? console.commandLine;
  const reading = console.progress.read(text, at);
  const test = startedTest(text, testPattern);
  if (test !== null) console.test = { at, name: printable(test, LINE_SHOWN) };
  const news = reading.news || test !== null;
  console.awaiting = reading.awaiting ?? (news ? null : console.awaiting);
  const silentMs = at - console.quietSince;
  if (news) {
    console.quietSince = at;
    console.lastProgress = { at, text: printable(text, LINE_SHOWN) };
  }
  const complaint = news || replayed ? null : complaintIn(text);
  if (complaint?.kind === 'emergency') console.gaveUp ??= printable(text, LINE_SHOWN);
  return { news, silentMs, complaint };
}

function keepTail(tail: string[], text: string): void {
  tail.push(text.slice(0, TAIL_LINE_MAX));
  if (tail.length > 2 * TAIL_LINES) tail.splice(0, tail.length - TAIL_LINES);
}

/** The first line of a kernel. */
export function kernelStarts(console: ConsoleState, text: string): void {
  console.release = kernelRelease(text);
}

/** Its silence until now says nothing of the guest. */
export function silenceIsVoid(console: ConsoleState, at: Mono): void {
  console.quietSince = at;
}

/** SSH answers: the boot did not give up. */
export function consoleCameGood(console: ConsoleState): void {
  console.gaveUp = null;
}

/** Rows came that nobody read. */
export function heard(console: ConsoleState, at: Mono): void {
  console.heardAt = at;
}

/** A line was read. */
export function nowRead(console: ConsoleState): void {
  console.unread = null;
}

/** Takes over what the tick says. */
export function noteUnread(console: ConsoleState, unread: Unread | undefined, at: Mono): void {
  console.unread = unread === undefined ? null : { ...unread, since: console.unread?.since ?? at };
}

/** Why nothing can be seen of the guest, once that has lasted; else null. A boot may take a while to say its first word. */
export function blindness({ unread }: ConsoleState, at: Mono): Unread | null {
  return unread !== null && at - unread.since >= GRACE_MS ? unread : null;
}

/** In one phrase that blames nobody. */
export const unreadText = ({ why }: Unread): string =>
  `not one line of its console was read in this boot: ${why}`;
