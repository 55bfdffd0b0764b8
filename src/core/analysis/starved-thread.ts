/**
 * Nobody loops, and still a grace period does not end: its thread does not get to run, or a CPU takes no timer ticks.
 * In a guest both are the host's or the virtual timer's doing as often as the kernel's.
 */
import type { Dump } from '../model.js';
import { nameOf } from './candidates.js';
import { lasted, type Said, titled } from './stall-words.js';
import { schedulerTable } from './whole-dump.js';

/** Null where the report says neither. */
export function starvedThread(dump: Dump, dumps: readonly Dump[], hz: number | null): Said | null {
  const { starved, allSeen, pids: [task] = [] } = dump.stall ?? {};
  const thread = starved ?? allSeen;
  const idle = tickless(dump);
  if (!thread && idle === null) return null;
  const age = lasted(dump, hz);
  const runs = runningOn(starved?.cpu ?? idle, dumps);
  const suspect = starved?.runnable === false ? ': suspect that timer or the host' : NO_LOOP;
  const alone = runs === '' ? suspect : runs;
  return {
    title:
      task === undefined
        ? titled(told(dump, idle, age), alone)
        : titled(`task ${task} keeps a grace period from ending${age}; ${told(dump, idle, '')}`, runs),
    class: 'starved',
    frame: null,
    confidence: 'low',
    culprit: null,
    reasons: reasonsFor(dump, idle),
  };
}

const NO_LOOP = ': no loop shows there, suspect its timer or the host';

function told({ stall }: Dump, idle: number | null, age: string): string {
  const { starved, allSeen } = stall ?? {};
  const thread = starved ?? allSeen;
  if (!thread) return `CPU ${idle ?? '?'} takes no timer ticks${age}`;
  const cpu = starved?.cpu ?? stall?.tickless?.[0];
  const where = typeof cpu === 'number' ? ` on CPU ${cpu}` : '';
  const lacks = starved?.runnable === false ? 'is not woken by its timer' : 'does not get to run';
  return `${thread.comm}, the thread that ends grace periods, ${lacks}${age}${where}`;
}

/** By the scheduler's table of a dump of all tasks. */
function runningOn(cpu: number | null, dumps: readonly Dump[]): string {
  const table = schedulerTable(dumps);
  const running = table.find((one) => one.cpu === cpu)?.running;
  return running ? `, which runs ${nameOf(running)}` : '';
}

/** A CPU that took no tick, and idles. */
function tickless({ stall, cpus }: Dump): number | null {
  const cpu = stall?.tickless?.[0];
  return cpu !== undefined && cpus.every((one) => one.cpu !== cpu || one.idle) ? cpu : null;
}

function reasonsFor({ stall }: Dump, idle: number | null): string[] {
  const { starved, allSeen } = stall ?? {};
  return [
    ...(idle === null ? [] : [`CPU ${idle} is idle, and took no timer tick since the grace period began.`]),
    ...(starved ? [`The kernel says that ${starved.comm} was starved for ${starved.jiffies} jiffies.`] : []),
    ...(starved?.runnable === false
      ? [`By its state it sleeps: a timer should have woken it, and did not.`]
      : []),
    ...(allSeen && !starved
      ? [
          `All CPUs have let the grace period pass; ${allSeen.comm} has not run for ${allSeen.jiffies} jiffies.`,
        ]
      : []),
    'A vCPU that the host does not run, or whose timer interrupt was lost, looks like this.',
  ];
}
