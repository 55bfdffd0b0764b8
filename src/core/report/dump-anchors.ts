/** Finds the tasks in the texts of dumps, so that a sentence of a report can point at its evidence. */
import { parseTaskHeader } from '../dump/task-header.js';
import { printable } from '../printable.js';
import type { Incident } from './incident.js';
import { topGroups } from './summary.js';

export interface DumpText {
  /** Of the file beside the report. */
  file: string;
  bytes: number;
  /** Null where it is too large for the page. */
  text: string | null;
  /** Only the tasks that the verdict rests on: the rest is too large for the page. */
  excerpt?: true;
}

/** A task in one of the dumps: `w.1`, and where it stands in the page. */
interface Place {
  dump: string;
  id: string;
}

export interface Found {
  comm: string;
  places: Place[];
}

/** By pid. A pid that stands twice in one dump is found at its first place. */
export type Places = ReadonlyMap<number, Found>;

const LINKS_MAX = 4;
/** Of a stack, with what surrounds it. */
const EXCERPT_LINES = 80;
const EXCERPT_TASKS = 60;
const GROUPS_WANTED = 20;

/** `w.1` of `sysrq-w.1.txt`. */
const shortName = (file: string): string => file.replace(/^sysrq-|\.txt$/g, '');

export const placeId = (file: string, pid: number): string => `${shortName(file)}-${pid}`;

export function placesOf(dumps: readonly DumpText[]): Places {
  const places = new Map<number, Found>();
  for (const { file, text } of dumps) {
    for (const { comm, pid } of headersOf(text ?? '')) {
      const found = places.get(pid) ?? { comm, places: [] };
      const id = placeId(file, pid);
      if (found.places.every((place) => place.id !== id)) found.places.push({ dump: shortName(file), id });
      places.set(pid, found);
    }
  }
  return places;
}

function* headersOf(text: string): Generator<{ comm: string; pid: number }> {
  for (const line of text.split('\n')) {
    const header = parseTaskHeader(line);
    if (header !== null && header.pid !== null) yield { comm: header.comm, pid: header.pid };
  }
}

/** The tasks that a sentence names as `comm:pid`; where it names none, the one it is about. */
export function namedIn(sentence: string, places: Places, about: number | null): [pid: number, Found][] {
  const pids = new Set([...sentence.matchAll(/:(\d{1,10})(?!\d)/g)].map(([, pid]) => Number(pid)));
  const named = [...pids].flatMap((pid): [number, Found][] => {
    const found = places.get(pid);
    return found !== undefined && sentence.includes(`${printable(found.comm, 16)}:${pid}`)
      ? [[pid, found]]
      : [];
  });
  if (named.length > 0 || about === null) return named.slice(0, LINKS_MAX);
  const found = places.get(about);
  return found === undefined ? [] : [[about, found]];
}

/** Whose stacks are worth a place in a page for which the dump is too large. */
export function wantedPids({ verdict, waits, groups }: Incident): Set<number> {
  const sentences = [
    ...verdict.reasons,
    ...verdict.inferred,
    ...waits.flatMap(({ waiter, owner }) => [waiter, owner]),
  ];
  const named = sentences.flatMap((sentence) =>
    [...sentence.matchAll(/:(\d{1,10})(?!\d)/g)].map(([, pid]) => Number(pid)),
  );
  const first = topGroups(groups, GROUPS_WANTED).flatMap(({ pids }) => pids.slice(0, 1));
  return new Set([
    ...(typeof verdict.culprit?.pid === 'number' ? [verdict.culprit.pid] : []),
    ...named,
    ...first,
  ]);
}

/** The lines of these tasks, with marks for what is left out; empty where it has none of them. */
export function excerptOf(text: string, pids: ReadonlySet<number>): string {
  const kept: string[] = [];
  let room = 0;
  let tasks = 0;
  let skipped = false;
  for (const line of text.split('\n')) {
    const header = line.includes('task:') || line.includes(' 0x') ? parseTaskHeader(line) : null;
    if (header !== null) {
      const wanted = header.pid !== null && pids.has(header.pid) && tasks < EXCERPT_TASKS;
      tasks += Number(wanted);
      room = wanted ? EXCERPT_LINES : 0;
    }
    if (room-- > 0) {
      if (skipped) kept.push('[…]');
      kept.push(line);
      skipped = false;
    } else skipped = true;
  }
  if (tasks === 0) return '';
  if (skipped) kept.push('[…]');
  return kept.join('\n');
}
