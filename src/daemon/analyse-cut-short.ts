/** The analysis of a capture whose watchdog was killed, from its files. It streams: console.raw may be a flood. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { analyze } from '../core/analysis/analysis.js';
import { DumpRecorder, type RecordedDump } from '../core/capture/cut-short.js';
import { dumpKeyOf } from '../core/capture/series.js';
import { cleanRow } from '../core/console/clean.js';
import { kernelRelease } from '../core/console/markers.js';
import { RowSplitter } from '../core/console/rows.js';
import { DumpParser } from '../core/dump/parse-dumps.js';
import { cutShortIncident } from '../core/report/cut-short.js';
import { dumpIn } from '../core/watch/analyst.js';
import type { IncidentParts } from '../io/archive/contents.js';
import type { CutShort } from '../io/archive/finish.js';
import { VERSION } from '../io/version.js';

/** The raw console is the whole truth of a cut-short capture: the dumps are within it. `consoleLines`: kept for console.txt. */
export async function analyseCutShort(cut: CutShort, consoleLines: number) {
  const files = await Promise.all(cut.dumps.map(recordedIn));
  const { dumps: recorded, raised, parsed: fromRaw, kernel, tail } = await readRaw(cut, consoleLines);
  // Where the bytes were cut by the disk, a dump's own file may hold more of it.
  const dumps = [...recorded, ...files].reduce(longest, []);
  const whole = dumps.map((dump) => ({ dump, parsed: dumpIn(dump.name, dump.lines, raised) }));
  const found = fromRaw.length > 0 ? fromRaw : whole.flatMap(({ parsed }) => parsed ?? []);
  const analysis = analyze(found, {
    ...{ secondsBetweenLooks: null, shares: [], kernelCommandLine: null },
    proofOnly: true,
  });
  const { id, startedAtMs, accusation } = cut;
  const incident = cutShortIncident(
    { id, startedAtMs, accusation, filedAtMs: Date.now(), kernel, version: VERSION, ...evidenceOf(whole) },
    analysis,
  );
  const parts: IncidentParts = {
    console: `${tail.join('\n')}\n`,
    dumps: recorded.filter((dump) => dumps.includes(dump)),
  };
  return { incident, parts };
}

interface Whole {
  dump: RecordedDump;
  parsed: ReturnType<typeof dumpIn>;
}

function evidenceOf(whole: readonly Whole[]) {
  const unread = ['it contains no readable dump'];
  const because = whole.flatMap(({ dump: { name }, parsed }) =>
    (parsed?.incompleteBecause ?? unread).map((why) => `${name}: ${why}`),
  );
  if (!whole.some(({ dump: { name } }) => dumpKeyOf(name) === 't'))
    because.push('the dump of all tasks (t) was not taken');
  return {
    incompleteBecause: because,
    dumps: whole.map(({ dump: { name, lines, fenced }, parsed }) => ({
      name,
      key: dumpKeyOf(name),
      complete: fenced && parsed?.complete === true,
      lines: lines.length,
      endedBy: fenced ? ('fence' as const) : ('killed' as const),
    })),
  };
}

async function readRaw({ raw, contextBytes }: CutShort, consoleLines: number) {
  const recorder = new DumpRecorder();
  const parser = new DumpParser();
  const tail: string[] = [];
  let kernel: string | null = null;
  let at = 0;
  const take = (row: Uint8Array) => {
    const inCapture = at >= contextBytes;
    at += row.length + 1;
    if (row.length === 0) return;
    for (const line of cleanRow(row)) {
      parser.push(line);
      if (inCapture) recorder.push(line);
      kernel = kernelRelease(line) ?? kernel;
      tail.push(line);
      if (tail.length >= 2 * consoleLines) tail.splice(0, tail.length - consoleLines);
    }
  };
  // A flood has millions of rows: none of them is awaited.
  const splitter = new RowSplitter();
  if (raw !== null)
    for await (const chunk of createReadStream(raw) as AsyncIterable<Buffer>)
      for (const row of splitter.push(chunk)) take(row);
  const rest = splitter.flush();
  if (rest !== null) take(rest);
  const { dumps, raised } = recorder;
  return { dumps, raised, parsed: parser.finish(), kernel, tail };
}

/** One dump a name: the longer one. */
function longest(dumps: RecordedDump[], next: RecordedDump): RecordedDump[] {
  const known = dumps.find(({ name }) => name === next.name);
  if (known === undefined) return [...dumps, next];
  return known.lines.length >= next.lines.length
    ? dumps
    : dumps.map((dump) => (dump === known ? next : dump));
}

async function recordedIn({ name, path }: CutShort['dumps'][number]): Promise<RecordedDump> {
  const recorder = new DumpRecorder();
  for await (const line of createInterface({ input: createReadStream(path) }))
    if (line !== '') recorder.push(line);
  const [dump] = recorder.dumps;
  return { name: name as RecordedDump['name'], lines: dump?.lines ?? [], fenced: dump?.fenced ?? false };
}
