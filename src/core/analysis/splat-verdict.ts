/** What lockdep and its like warn of. Nothing hangs by it, so it is told where nothing else is wrong, else as a reason. */
import type { Dump, Frame, Splat, TakenLock, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { nameDump } from './dump-names.js';
import { firmFrames } from './frames.js';
import { baseSymbol, layerOf } from './layers.js';
import { frameName } from './phrases.js';
import { titled } from './stall-words.js';

/** What prints the warning, checks locks, or asks for memory on behalf of its caller, at the inner end of a stack. */
const CHECKS =
  /^(?:_*dump_(?:stack|backtrace)\w*|show_stack\w*|unwind_backtrace|print_(?!page)\w+|check_(?:noncircular|usage\w*|prev\w*|irq_usage|path|deadlock|wait_context|flags)\w*|validate_chain\w*|(?:mark|valid)_\w+|_*lock_(?:acquire|release)\w*|lockdep_\w+|_*might_\w+|_*schedule_bug|schedule_debug|_*k[vmz]*[mz]alloc\w*|_*kmem_cache_alloc\w*|_*slab_\w+|_*alloc_pages\w*|_*fs_reclaim_acquire\w*|prepare_alloc_pages\w*|_*get_free_pages\w*|process_one_work|flush_workqueue\w*|_*cond_resched\w*)$/;
const LOCK_MAX = 48;
const CYCLE_MAX = 6;
const REASONS_MAX = 2;

/** The most telling first: a deadlock in sight, a sleep where none may be, a rule of RCU. */
const RANKS: Readonly<Record<Splat['kind'], number>> = {
  circular: 3,
  recursive: 3,
  irq: 3,
  'wait-context': 2,
  sleep: 2,
  unlock: 2,
  left: 2,
  rcu: 1,
};

const WORDS: Readonly<Record<Splat['kind'], string>> = {
  circular: 'possible deadlock',
  recursive: 'possible deadlock with itself',
  irq: 'possible deadlock with an interrupt',
  'wait-context': 'a lock that may sleep, taken where nothing may sleep',
  sleep: 'sleep where nothing may sleep',
  unlock: 'a lock is released that is not held',
  left: 'a lock is still held as its task leaves the kernel',
  rcu: 'suspicious use of RCU',
};

interface Seen {
  splat: Splat;
  dump: Dump;
  index: number;
}

function seenIn(dumps: readonly Dump[]): Seen[] {
  const seen = dumps.flatMap((dump, index) => (dump.splat ? [{ splat: dump.splat, dump, index }] : []));
  return seen.sort((one, other) => RANKS[other.splat.kind] - RANKS[one.splat.kind]);
}

/** Without what only checks and reports. */
function placeIn(frames: readonly Frame[]): string | null {
  const firm = firmFrames(frames);
  const at = firm.findIndex(({ symbol }) => !CHECKS.test(baseSymbol(symbol)));
  return at < 0 ? null : frameName(firm.slice(at));
}

const names = (symbol: string | null | undefined): symbol is string =>
  typeof symbol === 'string' && layerOf(symbol) === 'operation' && !CHECKS.test(baseSymbol(symbol));

/** The function that takes the second lock, or does what it must not. */
function frameOf({ wants, frames, kind }: Splat): string | null {
  if (kind !== 'rcu' && kind !== 'sleep' && names(wants?.at)) return baseSymbol(wants.at);
  return placeIn(frames) ?? wants?.at ?? null;
}

const called = ({ name }: TakenLock): string => printable(name, LOCK_MAX);

function who({ comm, pid }: Splat): string {
  return comm === '' ? 'a task' : `${comm}:${pid ?? '?'}`;
}

/** Where the same locks were taken in the other order, or in another context. */
function otherPlace({ chain, before }: Splat): string | null {
  return placeIn(chain[0]?.frames ?? before);
}

function held({ kind, holds }: Splat): string[] {
  if (holds === null || kind === 'irq') return [''];
  const by = names(holds.at) ? ` (${baseSymbol(holds.at)})` : '';
  return [` while it holds ${called(holds)}${by}`, ` while it holds ${called(holds)}`];
}

function elsewhere(splat: Splat, frame: string | null): string {
  const other = otherPlace(splat);
  if (other === null || other === frame) return '';
  if (splat.kind === 'circular') return `; the other way round in ${other}`;
  return splat.kind === 'irq' ? `; elsewhere in ${other}` : '';
}

function titleOf(splat: Splat, hangs: string): string {
  const frame = frameOf(splat);
  const takes = splat.wants === null ? '' : ` takes ${called(splat.wants)}`;
  const within = frame === null ? '' : ` in ${frame}`;
  const forms = ['', elsewhere(splat, frame)]
    .toReversed()
    .flatMap((other) => held(splat).map((by) => by + other));
  const source = splat.source === null ? '' : ` (${splat.source})`;
  return titled(`${WORDS[splat.kind]}${hangs}: ${who(splat)}${takes}${within}`, [source, ''], forms);
}

/** The locks of a cycle and where each was taken, in the order of the cycle. */
function cycle({ chain }: Splat): string[] {
  if (chain.length < 2) return [];
  const links = chain.slice(0, CYCLE_MAX).map(({ name, frames }) => {
    const place = placeIn(frames);
    return `${printable(name, LOCK_MAX)}${place === null ? '' : ` in ${place}`}`;
  });
  return [
    `The cycle, each lock taken while the next one was held: ${links.join(', ')}${chain.length > CYCLE_MAX ? ' …' : ''}.`,
  ];
}

const MEANT: Partial<Record<Splat['kind'], string>> = {
  circular: 'Lockdep warns when an order of locks is first seen that can deadlock; the task went on.',
  recursive:
    'Lockdep knows classes of locks: of two locks of a class it is a false alarm, of one and the same the task hangs from here on.',
  irq: 'Lockdep warns when a lock is taken with interrupts on that an interrupt takes as well; the task went on.',
};

/**
 * What the kernel warned of, where no dump shows a hang. Class none: only with `quiet`, which is what the dumps alone
 * come to, it may be unknown. Null without a warning.
 */
export function splatVerdict(dumps: readonly Dump[], quiet: Verdict): Verdict | null {
  const [best, ...others] = seenIn(dumps);
  if (!best) return null;
  const { splat, dump, index } = best;
  const alone = dumps.every(({ key }) => key === 'splat');
  const frame = frameOf(splat);
  const known = frame !== null && splat.comm !== '' && splat.frames.length > 0;
  const meant = MEANT[splat.kind];
  return {
    title: titleOf(splat, ', no hang'),
    class: alone ? 'none' : quiet.class,
    frame,
    confidence: known && (alone || quiet.confidence !== 'low') ? 'medium' : 'low',
    culprit: null,
    reasons: [
      `${nameDump(dumps, index)}: ${dump.headline ?? ''}.`,
      ...(meant === undefined ? [] : [meant]),
      ...cycle(splat),
      ...others.slice(0, REASONS_MAX).map((one) => `Also warned of: ${titleOf(one.splat, '')}.`),
      ...(alone ? ['No dump of tasks is in this log: whether something hangs is not shown.'] : quiet.reasons),
    ],
    inferred: [],
  };
}

/** Beside a hang. */
export function splatReasons(dumps: readonly Dump[]): string[] {
  return seenIn(dumps)
    .slice(0, REASONS_MAX)
    .map(({ splat }) => `The kernel also warned of this: ${titleOf(splat, '')}.`);
}
