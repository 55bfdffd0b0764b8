import type { Dump, DumpKey } from '../model.js';
import { counted } from '../words.js';
import { markWanted } from './locks.js';
import type { Section } from './section.js';

/** Console loglevel from which task lines (KERN_INFO) reach the console: kernel/printk/printk.c prints below it. */
export const SHOWS_BODIES = 7;

/** What is known of the console loglevel while a dump was printed. */
export interface Visibility {
  /** The last `Loglevel set to N`, null if none was seen in this boot. */
  level: number | null;
  /** Task lines of a sysrq dump were seen under it. */
  bodySeen: boolean;
  /** A t dump under it was empty, which no living system is. */
  bodyHidden: boolean;
}

/** Doubts about the dump's borders; the stacks it does show are whole. */
export const NO_HEADER = 'no sysrq header: where the dump begins and ends is unknown';
export const NO_FENCE = 'no fence (sysrq HELP) behind it: its end may be missing';

/** Why a dump is not the whole truth: one clear phrase a reason, none for a complete dump. */
function incompleteBecause(section: Section, visibility: Visibility, loglevelRaised: boolean): string[] {
  const reasons: string[] = [];
  if (section.key === 'none') reasons.push(NO_HEADER);
  else if (isSysrq(section.key) && !section.fenced) reasons.push(NO_FENCE);
  if (section.endsInStack && !isSysrq(section.key)) reasons.push('the log ends inside a stack');
  reasons.push(...lossesOf(section));
  const empty = emptiness(section, visibility, loglevelRaised);
  if (empty !== null) reasons.push(empty);
  const bare = section.tasks.filter((task) => task.state === 'D' && task.frames.length === 0).length;
  if (bare > 0) reasons.push(`${counted(bare, 'blocked task')} without a stack`);
  return reasons;
}

/** What fell out of the middle of it; a second dump may have it. */
function lossesOf(section: Section): string[] {
  const reasons: string[] = [];
  if (section.lost > 0) reasons.push(`${counted(section.lost, 'printk message')} dropped inside it`);
  if (section.cutStacks > 0)
    reasons.push(`${counted(section.cutStacks, 'stack')} cut off: <TASK> without </TASK>`);
  if (section.torn.lost > 0) reasons.push(`${counted(section.torn.lost, 'task header')} torn beyond repair`);
  const missing = section.key === 't' ? section.sched.missingFrom(section.tasks) : 0;
  if (missing > 0) reasons.push(`${counted(missing, 'task')} of the scheduler's table missing from it`);
  return reasons;
}

const isSysrq = (key: DumpKey): boolean => key.length === 1;

const TELLS_A_STACK: ReadonlySet<DumpKey> = new Set(['panic', 'oops', 'lockup', 'rcu_stall']);

function emptiness(section: Section, visibility: Visibility, loglevelRaised: boolean): string | null {
  const { key, tasks, cpus } = section;
  if (key === 'w' || key === 't') return tasks.length > 0 ? null : hidden(key, visibility, loglevelRaised);
  if (key === 'l') return cpus.length > 0 ? null : 'no CPU backtrace in it';
  if (!TELLS_A_STACK.has(key) || [...tasks, ...cpus].some(({ frames }) => frames.length > 0)) return null;
  return 'no stack follows it';
}

function hidden(
  key: 'w' | 't',
  { level, bodySeen, bodyHidden }: Visibility,
  loglevelRaised: boolean,
): string | null {
  if (key === 't' || bodyHidden) return 'the bodies are hidden: the console loglevel is below 7';
  if (loglevelRaised || bodySeen || (level !== null && level >= SHOWS_BODIES)) return null;
  if (level !== null) return `the bodies are hidden: the console loglevel is ${level}, below 7`;
  return 'no task lines: nothing is blocked, or the console loglevel hides them';
}

/** The finished Dump of a section. */
export function toDump(section: Section, visibility: Visibility, loglevelRaised: boolean): Dump {
  section.end();
  for (const task of section.tasks) {
    const switches = section.sched.switchesOf(task.pid);
    if (switches !== null) task.switches = switches;
  }
  const reasons = incompleteBecause(section, visibility, loglevelRaised);
  return {
    key: section.key,
    complete: reasons.length === 0,
    incompleteBecause: reasons,
    ...(lossesOf(section).length === 0 ? {} : { lossy: true as const }),
    ...(section.torn.mended === 0 ? {} : { mended: section.torn.mended }),
    tasks: section.tasks,
    cpus: section.cpus,
    locks: markWanted(section.locks.rows, section.tasks),
    workqueues: section.workqueues.rows,
    headline: section.headline,
    ...(section.seconds === null ? {} : { bootSeconds: section.seconds }),
    boot: section.boot,
    ...(section.blockers.length === 0 ? {} : { blockers: section.blockers }),
    ...(section.sched.onCpu.length === 0 ? {} : { onCpu: section.sched.onCpu }),
    ...(section.unplaced === undefined ? {} : { unplaced: section.unplaced }),
    ...(section.stall === null ? {} : { stall: section.stall }),
  };
}
