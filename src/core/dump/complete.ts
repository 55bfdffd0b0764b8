import type { Dump, DumpKey, IncompleteCode } from '../model.js';
import { counted } from '../words.js';
import { markWanted } from './locks.js';
import type { Section } from './section.js';
import { cpuInHeadline } from './stall.js';

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

/** For programs, and one clear phrase for people. */
interface Reason {
  code: IncompleteCode;
  text: string;
}

/** Why a dump is not the whole truth; none for a complete dump. */
function reasonsOf(section: Section, visibility: Visibility, loglevelRaised: boolean): Reason[] {
  const reasons: Reason[] = [];
  const because = (code: IncompleteCode, text: string) => reasons.push({ code, text });
  if (section.key === 'none')
    because('no-header', 'no sysrq header: where the dump begins and ends is unknown');
  else if (isSysrq(section.key) && !section.fenced)
    because('no-fence', 'no fence (sysrq HELP) behind it: its end may be missing');
  if (section.endsInStack && !isSysrq(section.key)) because('cut-short', 'the log ends inside a stack');
  reasons.push(...lossesOf(section));
  const empty = emptiness(section, visibility, loglevelRaised);
  if (empty !== null) reasons.push(empty);
  const bare = section.tasks.filter((task) => task.state === 'D' && task.frames.length === 0).length;
  if (bare > 0) because('stackless', `${counted(bare, 'blocked task')} without a stack`);
  return reasons;
}

/** What fell out of the middle of it; a second dump may have it. */
function lossesOf(section: Section): Reason[] {
  const missing = section.key === 't' ? section.sched.missingFrom(section.tasks) : 0;
  const losses: [count: number, code: IncompleteCode, what: string, how: string][] = [
    [section.lost, 'lines-lost', 'printk message', 'dropped inside it'],
    [section.cutStacks, 'stacks-cut', 'stack', 'cut off: <TASK> without </TASK>'],
    [section.torn.lost, 'headers-torn', 'task header', 'torn beyond repair'],
    [section.halves, 'headers-torn', 'stack', 'pasted without what stands above it'],
    [missing, 'tasks-missing', 'task', "of the scheduler's table missing from it"],
  ];
  return losses
    .filter(([count]) => count > 0)
    .map(([count, code, what, how]) => ({ code, text: `${counted(count, what)} ${how}` }));
}

const isSysrq = (key: DumpKey): boolean => key.length === 1;

const TELLS_A_STACK: ReadonlySet<DumpKey> = new Set(['panic', 'oops', 'lockup', 'rcu_stall']);

function emptiness(section: Section, visibility: Visibility, loglevelRaised: boolean): Reason | null {
  const { key, tasks, cpus } = section;
  if (key === 'w' || key === 't') return tasks.length > 0 ? null : hidden(key, visibility, loglevelRaised);
  if (key === 'l') return cpus.length > 0 ? null : { code: 'nothing-in-it', text: 'no CPU backtrace in it' };
  if (!TELLS_A_STACK.has(key) || [...tasks, ...cpus].some(({ frames }) => frames.length > 0)) return null;
  return { code: 'nothing-in-it', text: 'no stack follows it' };
}

function hidden(
  key: 'w' | 't',
  { level, bodySeen, bodyHidden }: Visibility,
  loglevelRaised: boolean,
): Reason | null {
  const because = (code: IncompleteCode, text: string): Reason => ({ code, text });
  if (key === 't' || bodyHidden)
    return because('bodies-hidden', 'the bodies are hidden: the console loglevel is below 7');
  if (loglevelRaised || bodySeen || (level !== null && level >= SHOWS_BODIES)) return null;
  return level !== null
    ? because('bodies-hidden', `the bodies are hidden: the console loglevel is ${level}, below 7`)
    : because('nothing-in-it', 'no task lines: nothing is blocked, or the console loglevel hides them');
}

/** The finished Dump of a section. */
export function toDump(section: Section, visibility: Visibility, loglevelRaised: boolean): Dump {
  section.end();
  for (const task of section.tasks) {
    const switches = section.sched.switchesOf(task.pid);
    if (switches !== null) task.switches = switches;
  }
  const reasons = reasonsOf(section, visibility, loglevelRaised);
  return {
    key: section.key,
    complete: reasons.length === 0,
    incompleteBecause: reasons.map(({ text }) => text),
    ...(reasons.length === 0 ? {} : { incompleteCodes: reasons.map(({ code }) => code) }),
    ...(lossesOf(section).length === 0 ? {} : { lossy: true as const }),
    ...(section.torn.mended === 0 ? {} : { mended: section.torn.mended }),
    tasks: section.tasks,
    cpus: section.hasStack ? section.cpus : cpuInHeadline(section.headline),
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
