/** Verdicts on what the kernel's own watchdogs report: soft and hard lockups, RCU stalls, stuck worker pools. */
import type { Confidence, Dump, Verdict } from '../model.js';
import { softLockup } from '../dump/stall.js';
import { type Accused, accusedIn, type Shown, shownIn } from './accused.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { entryOf, entryText } from './frames.js';
import { jiffiesPerSecond } from './jiffies.js';
import { frameName } from './phrases.js';
import { isLastOfPools, isPool, poolFinding } from './pool-verdict.js';
import { interrupted, type StallPlace, stallPlace } from './stall-frame.js';
import {
  ageReasons,
  caughtAt,
  cpusText,
  lasted,
  type Said,
  type StallFinding,
  titled,
} from './stall-words.js';
import { starvedThread } from './starved-thread.js';
import { starvedVerdict } from './starved.js';

/** The accused loops, it waits for another CPU, another one runs, it is only named. */
const RANKS: Readonly<Record<Accused['proof'], number>> = { loops: 6, waits: 5, other: 4, named: 2 };
const RANK_STARVED = 1;
const MOST_LISTED = 3;

/** A CPU, or the workers of one, that do not come back, by all reports of it. Null if the kernel reported none. */
export function spinVerdict(dumps: readonly Dump[]): Verdict | null {
  const hz = jiffiesPerSecond(dumps);
  const shown = shownIn(dumps);
  const findings = dumps.flatMap((dump, index): StallFinding[] => {
    if (dump.key !== 'lockup' && dump.key !== 'rcu_stall') return [];
    if (isPool(dump) && !isLastOfPools(dump, dumps[index + 1])) return [];
    const found = isPool(dump) ? poolFinding(dump, dumps, shown) : cpuFinding(dump, dumps, hz, shown);
    const reasons = [`${nameDump(dumps, index)}: ${dump.headline ?? ''}.`, ...found.said.reasons];
    return [{ ...found, said: { ...found.said, reasons } }];
  });
  const rank = Math.max(...findings.map((finding) => finding.rank));
  const first = findings.find((finding) => finding.rank === rank);
  if (!first) return null;
  const best = findings.findLast(({ about, rank: its }) => about === first.about && its === rank) ?? first;
  // The scheduler's table says more than a report that shows nobody.
  const held = rank <= RANK_STARVED ? starvedVerdict(dumps) : null;
  const said = held ?? best.said;
  const reasons = held ? [...held.reasons, ...best.said.reasons] : best.said.reasons;
  return { ...said, reasons: [...reasons, ...alsoReported(findings, best)], inferred: [] };
}

function alsoReported(findings: readonly StallFinding[], best: StallFinding): string[] {
  const others = new Map(
    findings.filter(({ about }) => about !== best.about).map(({ about, said }) => [about, said.title]),
  );
  const titles = [...others.values()];
  const more = titles.length > MOST_LISTED ? ' …' : '';
  return titles.length === 0 ? [] : [`Also reported: ${titles.slice(0, MOST_LISTED).join('; ')}${more}.`];
}

function cpuFinding(dump: Dump, dumps: readonly Dump[], hz: number | null, shown: Shown): StallFinding {
  const accused = accusedIn(dump, shown);
  const inferred = ageReasons(dump, hz);
  if (accused && accused.proof !== 'named') {
    const said = loopSaid(dump, accused, hz);
    const about =
      accused.idle || accused.comm === '' ? `CPU ${cpuOf(dump, accused) ?? '?'}` : nameOf(accused);
    return { rank: RANKS[accused.proof], about, said: { ...said, reasons: inferred } };
  }
  if (accused) {
    const said = namedSaid(dump, accused, hz);
    return {
      rank: RANKS.named,
      about: nameOf(accused),
      said: { ...said, reasons: [...said.reasons, ...inferred] },
    };
  }
  const starved = starvedThread(dump, dumps, hz);
  if (starved) {
    const reasons = [...starved.reasons, ...inferred];
    return { rank: RANK_STARVED, about: 'starved', said: { ...starved, reasons } };
  }
  return { rank: 0, about: dump.headline ?? '', said: { ...nobody(dump, hz), reasons: inferred } };
}

type Finding = Omit<Verdict, 'reasons' | 'inferred'>;

function loopSaid(dump: Dump, accused: Accused, hz: number | null): Finding {
  const { comm, pid, state, idle } = accused;
  const place = stallPlace(accused.frames);
  const frame = place?.frame ?? frameName(accused.frames);
  const confidence: Confidence = dump.key === 'lockup' ? 'high' : 'medium';
  const known = comm !== '' && !idle;
  return {
    title: titled(
      `${subject(dump, accused)} spinning${lasted(dump, hz)}${onCpu(dump, accused)}`,
      ...placed(accused, frame, place),
    ),
    class: 'spinning',
    frame,
    confidence: frame === null || (known && pid === null) ? 'low' : confidence,
    culprit: frame === null || !known ? null : { comm, pid, state, frame },
  };
}

/** Nobody is to blame for what an interrupt does on top of an idle CPU. */
function subject(dump: Dump, accused: Accused): string {
  if (accused.comm !== '' && !accused.idle) return nameOf(accused);
  const cpu = cpuOf(dump, accused);
  return cpu === null ? 'an unknown task' : `CPU ${cpu}`;
}

/** A lockup's headline has the number where no other line has. */
function cpuOf({ key, stall }: Dump, { cpu, comm }: Accused): number | null {
  const { cpus = [] } = stall ?? {};
  const only = cpus.length === 1 && (comm === '' || key === 'lockup') ? cpus[0] : undefined;
  return cpu ?? only ?? null;
}

function onCpu(dump: Dump, accused: Accused): string {
  const cpu = cpuOf(dump, accused);
  return cpu === null || accused.comm === '' || accused.idle ? '' : ` on CPU ${cpu}`;
}

/** ` in write → the_place`, ` (at where_it_was_caught)`. */
function placed(
  accused: Accused,
  frame: string | null,
  place: StallPlace | null,
): (string | readonly string[])[] {
  if (frame === null) return [];
  const entry = frame.startsWith('sys_') ? null : (place?.interrupt ?? enteredBy(accused, frame));
  const by = entry === null ? '' : ` in ${entry}`;
  const within = interrupted(accused.frames);
  const onTop = within === null || within === frame ? '' : `, on top of ${within}`;
  return [`${by} → ${frame}`, onTop, place ? caughtAt(place) : ''];
}

/** How it came there, without a function that is named as the place. */
function enteredBy(accused: Accused, frame: string): string | null {
  const entry = entryOf(accused);
  if (entry === null) return null;
  return 'func' in entry && entry.func === frame ? entry.kind : entryText(entry);
}

/** The report names whom it means, and no stack says what it does. */
function namedSaid(dump: Dump, accused: Accused, hz: number | null): Said {
  const { comm, pid, state } = accused;
  const where = `${nameOf(accused)} runs${lasted(dump, hz)}${onCpu(dump, accused)}`;
  const thread = dump.stall?.allSeen?.comm;
  const seen = accused.frames.length > 0 ? 'its stack is cut off' : 'no stack of it is there';
  return {
    title:
      thread === undefined
        ? `${where}, and a grace period cannot end: ${seen}`
        : `${where} while ${thread}, the thread that ends grace periods, does not get to run: ${seen}`,
    class: 'spinning',
    frame: null,
    confidence: 'low',
    culprit: comm === '' ? null : { comm, pid, state, frame: frameName(accused.frames) ?? '?' },
    reasons: [],
  };
}

/** What a report is called, in words. */
const KINDS: readonly [RegExp, string][] = [
  [/hard lockup/i, 'a hard lockup'],
  [/soft lockup/i, 'a soft lockup'],
  [/lockup/i, 'a lockup'],
];

function nobody(dump: Dump, hz: number | null): Finding {
  const { stall, headline = '' } = dump;
  const kind = KINDS.find(([pattern]) => pattern.test(headline))?.[1] ?? 'an RCU stall';
  const [task, ...others] = stall?.pids ?? [];
  const age = lasted(dump, hz);
  const cpus = stall?.cpus ?? [];
  const ran = softLockup(headline);
  const title =
    cpus.length === 0 && task !== undefined
      ? `task ${task}${others.length === 0 ? '' : ` and ${others.length} more`} keeps a grace period from ending${age}; no stack of it is there`
      : `${cpusText(cpus)} ${cpus.length > 1 ? 'do' : 'does'} not come back${age}: ${kind}, ${ran === null ? '' : `${nameOf(ran)} ran, `}and no stack shows what runs there`;
  return { title, class: 'spinning', frame: null, confidence: 'low', culprit: null };
}
