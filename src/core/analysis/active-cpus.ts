/**
 * CPUs that somebody had the kernel show (SysRq-l) and pasted without any report: who is caught twice in one function, or
 * alone is busy, is likely what was looked for. Two looks prove no loop, so it is a hint, and never told to the watch.
 */
import type { Dump, Verdict } from '../model.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { type StallPlace, stallPlace } from './stall-frame.js';
import { caughtAt, titled } from './stall-words.js';

interface Busy {
  cpu: Dump['cpus'][number];
  place: StallPlace;
}

/** The CPU that was told to show all others. */
const ASKED = /sysrq/;

const busyIn = ({ cpus }: Dump): Busy[] =>
  cpus.flatMap((cpu) => {
    const place =
      cpu.idle || cpu.frames.some(({ symbol }) => ASKED.test(symbol)) ? null : stallPlace(cpu.frames);
    return place === null ? [] : [{ cpu, place }];
  });

/** Null where anything else than CPUs is shown, or several are busy and each look caught them elsewhere. */
export function activeCpusVerdict(dumps: readonly Dump[]): Verdict | null {
  if (dumps.some(({ key, tasks }) => tasks.length > 0 || (key !== 'l' && key !== 'none'))) return null;
  const looks = dumps.filter(({ key }) => key === 'l').map(busyIn);
  const last = looks.at(-1);
  if (!last) return null;
  const again = last.filter((one) =>
    looks.slice(0, -1).some((before) => before.some((other) => isAlike(one, other))),
  );
  const [found, ...more] = again.length > 0 ? again : last;
  if (!found || more.length > 0) return null;
  const { cpu, place } = found;
  const named = cpu.comm === null ? null : { comm: cpu.comm, pid: cpu.pid };
  const who = named === null ? `CPU ${cpu.cpu} runs` : `${nameOf(named)} runs on CPU ${cpu.cpu}`;
  const index = dumps.findLastIndex(({ key }) => key === 'l');
  return {
    title: titled(`${who} → ${place.frame}`, caughtAt(place)),
    class: 'spinning',
    frame: place.frame,
    confidence: again.length > 0 ? 'medium' : 'low',
    culprit: named && { ...named, state: 'R', frame: place.frame },
    reasons: [
      again.length > 0
        ? `${nameDump(dumps, index)}: as in a look before, the CPU is in ${place.at}.`
        : `${nameDump(dumps, index)}: no other CPU is busy, but for the one that shows them.`,
      'A look shows no loop: that it does not end is only known if somebody saw it so.',
    ],
    inferred: [],
  };
}

const isAlike = (one: Busy, other: Busy): boolean =>
  one.cpu.cpu === other.cpu.cpu && one.place.at === other.place.at;
