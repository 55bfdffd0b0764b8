/** Verdicts on what the kernel's own watchdogs report: soft and hard lockups, RCU stalls, stuck worker pools. */
import type { Confidence, Dump, Verdict } from '../model.js';
import { isIdleTask } from '../dump/cpu-lines.js';
import { softLockup } from '../dump/stall.js';
import { type Accused, accusedIn, shownIn, sleepsAtLock } from './accused.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { entryOf, entryText } from './frames.js';
import { jiffiesPerSecond } from './jiffies.js';
import { frameName } from './phrases.js';
import { isLastOfPools, isPool, poolFinding } from './pool-verdict.js';
import { brokeBefore } from './cpu-verdict.js';
import { interrupted, isCrossCall, type StallPlace, stallPlace } from './stall-frame.js';
import { aboutOf, acrossSamples, cpuOf, gathered, type Report, type Samples } from './stall-samples.js';
import {
  ageReasons,
  caughtAt,
  cpusText,
  lasted,
  longest,
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
  const reports = dumps.flatMap((dump): Report[] =>
    (dump.key === 'lockup' || dump.key === 'rcu_stall') && !isPool(dump)
      ? [{ dump, accused: accusedIn(dump, shown) }]
      : [],
  );
  const samples = gathered(reports);
  const findings = dumps.flatMap((dump, index): StallFinding[] => {
    if (dump.key !== 'lockup' && dump.key !== 'rcu_stall') return [];
    if (isPool(dump) && !isLastOfPools(dump, dumps[index + 1])) return [];
    const report = reports.find((one) => one.dump === dump);
    const found = report ? cpuFinding(report, dumps, hz, samples) : poolFinding(dump, dumps, shown);
    const reasons = [`${nameDump(dumps, index)}: ${dump.headline ?? ''}.`, ...found.said.reasons];
    return [{ ...found, said: { ...found.said, reasons } }];
  });
  const rank = Math.max(...findings.map((finding) => finding.rank));
  const top = findings.filter((finding) => finding.rank === rank);
  // A stack that was cut off says less than one that is whole.
  const first = top.find(({ callers = 0 }) => callers >= 0) ?? top[0];
  if (!first) return null;
  const same = top.filter(({ about }) => about === first.about);
  const most = Math.max(...same.map(({ callers = 0 }) => callers));
  const best = same.findLast(({ callers = 0 }) => callers === most) ?? first;
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

function cpuFinding(
  { dump, accused }: Report,
  dumps: readonly Dump[],
  hz: number | null,
  samples: Samples,
): StallFinding {
  const inferred = ageReasons(dump, hz);
  if (accused && accused.proof !== 'named') {
    const about = aboutOf(dump, accused);
    const said = loopSaid(dump, accused, hz, { about, samples, broke: brokeBefore(dump, dumps) });
    const place = stallPlace(accused.frames);
    const callers = place?.cut === false ? place.callers.length : -1;
    return { rank: rankOf(dump, accused), about, callers, said: { ...said, reasons: inferred } };
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
  const said = nobody(dump, hz, brokeBefore(dump, dumps));
  return { rank: 0, about: dump.headline ?? '', said: { ...said, reasons: inferred } };
}

/** Whoever waits for all others' answers waits for one that has its interrupts off, as in a hard lockup. */
function rankOf({ headline = '' }: Dump, { proof, frames }: Accused): number {
  const place = stallPlace(frames);
  if (proof !== 'waits' || !place) return RANKS[proof];
  return RANKS.waits + (isCrossCall(place) ? -0.5 : 0) + (/hard LOCKUP/i.test(headline) ? 0.2 : 0);
}

type Finding = Omit<Verdict, 'reasons' | 'inferred'>;

/** Whom a report is about, and what others say of it and of others. */
interface Around {
  about: string;
  samples: Samples;
  /** What broke before, and may have left a lock behind. */
  broke: readonly string[];
}

function loopSaid(dump: Dump, accused: Accused, hz: number | null, around: Around): Finding {
  const { comm, pid, state, idle, proof } = accused;
  const own = around.samples.get(around.about) ?? [];
  const caught = stallPlace(accused.frames);
  const place = caught && acrossSamples(caught, own);
  const frame = place?.frame ?? frameName(accused.frames);
  const confidence: Confidence = dump.key === 'lockup' ? 'high' : 'medium';
  const known = comm !== '' && !idle;
  const age = longest([dump, ...own.map((one) => one.dump)], hz);
  const verb = place && isCrossCall(place) ? 'waiting' : classOf(accused);
  return {
    title: titled(
      `${subject(dump, accused)} ${verb}${age}${onCpu(dump, accused)}`,
      ...placed(accused, frame, place, proof === 'waits' ? otherSide(caught, around) : ['']),
    ),
    class: classOf(accused),
    frame,
    confidence: frame === null || (known && pid === null) ? 'low' : confidence,
    culprit: frame === null || !known ? null : { comm, pid, state, frame },
  };
}

const classOf = (accused: Accused): 'blocked' | 'spinning' =>
  sleepsAtLock(accused) ? 'blocked' : 'spinning';

/** Another CPU that was reported too, and waits as well, at another place: each may be what the other waits for. */
function otherSide(place: StallPlace | null, { about, samples, broke }: Around): readonly string[] {
  if (broke.length > 0) return broke;
  for (const [other, reports] of samples) {
    const accused = reports.findLast((one) => one.accused?.proof === 'waits')?.accused;
    const its = accused && other !== about ? stallPlace(accused.frames) : null;
    if (!accused || !its || its.frame === place?.frame) continue;
    return [`, beside ${other} in ${its.callers[0] ?? its.frame}`, ''];
  }
  return [''];
}

/** Nobody is to blame for what an interrupt does on top of an idle CPU. */
function subject(dump: Dump, accused: Accused): string {
  if (accused.comm !== '' && !accused.idle) return nameOf(accused);
  const cpu = cpuOf(dump, accused);
  return cpu === null ? 'an unknown task' : `CPU ${cpu}`;
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
  beside: readonly string[],
): (string | readonly string[])[] {
  if (frame === null) return [];
  const caught = place ? caughtAt(place) : [''];
  const ends = beside.flatMap((other) => caught.map((at) => at + other));
  if (place && isCrossCall(place)) return [` for another CPU's answer → ${frame}`, ends];
  const entry = frame.startsWith('sys_') ? null : (place?.interrupt ?? enteredBy(accused, frame));
  const by = entry === null ? '' : ` in ${entry}`;
  return [`${by} → ${frame}`, onTopOf(accused, frame), ends];
}

/** Of a softirq that waits for a lock, what it came into: that likely has the lock. */
function onTopOf({ frames }: Accused, frame: string): readonly string[] {
  const [within, ...outwards] = interrupted(frames);
  if (within === undefined || within === frame) return [''];
  const called = outwards.map((_, index) => ` ← ${outwards.slice(0, outwards.length - index).join(' ← ')}`);
  return [...called, ''].map((by) => `, on top of ${within}${by}`);
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
        ? `${where}${dump.key === 'lockup' ? '' : ', and a grace period cannot end'}: ${seen}`
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

function nobody(dump: Dump, hz: number | null, broke: readonly string[]): Finding {
  const { stall, headline = '' } = dump;
  const kind = KINDS.find(([pattern]) => pattern.test(headline))?.[1] ?? 'an RCU stall';
  const [task, ...others] = stall?.pids ?? [];
  const age = lasted(dump, hz);
  const cpus = stall?.cpus ?? [];
  const ran = softLockup(headline);
  if (ran !== null && isIdleTask(ran.comm, ran.pid)) return idled(dump, age);
  const title =
    cpus.length === 0 && task !== undefined
      ? `task ${task}${others.length === 0 ? '' : ` and ${others.length} more`} keeps a grace period from ending${age}; no stack of it is there`
      : `${cpusText(cpus)} ${cpus.length > 1 ? 'do' : 'does'} not come back${age}: ${kind}, ${ran === null ? '' : `${nameOf(ran)} ran, `}and no stack shows what runs there`;
  return {
    title: titled(title, [...broke, '']),
    class: 'spinning',
    frame: null,
    confidence: 'low',
    culprit: null,
  };
}

/** An idle task runs nothing that could take so long. */
const idled = ({ stall }: Dump, age: string): Finding => ({
  title: `${cpusText(stall?.cpus ?? [])} idles and did not come back${age}: suspect the host, which did not run it, or its timer`,
  class: 'starved',
  frame: null,
  confidence: 'low',
  culprit: null,
});
