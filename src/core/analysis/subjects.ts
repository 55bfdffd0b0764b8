/** The part of the kernel that a function, a module or a stack belongs to, by the records of subsystems.ts. */
import type { Frame } from '../model.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol } from './layers.js';
import { whole } from './patterns.js';
import { perStack, perSymbol } from './per-stack.js';
import { type SubjectLayer, SUBSYSTEMS } from '../subsystems.js';

/** For ties between the ends of chains: the nearer to the hardware, the likelier the reason. */
const RANKS: Readonly<Record<SubjectLayer, number>> = {
  device: 5,
  block: 4,
  journal: 3,
  filesystem: 2,
  network: 2,
  memory: 1,
  core: 1,
  user: 0,
};

interface Subject {
  /** As it stands at the end of a title. */
  name: string;
  layer: SubjectLayer;
  /** Serves all the others: another frame outwards may tell more. */
  general?: true;
}

const JOURNAL: Subject = { name: 'a filesystem journal', layer: 'journal' };

const withoutUnderscores = (prefixes: readonly string[]): RegExp =>
  new RegExp(`^_*(?:${prefixes.join('|')})`);

const BY_PREFIX: readonly { subject: Subject; pattern: RegExp }[] = [
  // A journal's functions have their filesystem's prefix too.
  ...SUBSYSTEMS.flatMap(({ journal }) =>
    journal?.prefixes ? [{ subject: JOURNAL, pattern: withoutUnderscores(journal.prefixes) }] : [],
  ),
  ...SUBSYSTEMS.map((subject) => ({ subject, pattern: withoutUnderscores(subject.prefixes) })),
];
const BY_MODULE = SUBSYSTEMS.flatMap((subject) =>
  subject.modules === undefined ? [] : [{ subject, pattern: whole(subject.modules) }],
);

/** The part of the kernel that one function belongs to, or null. */
export const subjectOfSymbol = perSymbol((symbol): Subject | null => {
  const name = baseSymbol(symbol);
  return BY_PREFIX.find(({ pattern }) => pattern.test(name))?.subject ?? null;
});

/** The part of the kernel that a module is, or null. */
const subjectOfModule = perSymbol(
  (module): Subject | null => BY_MODULE.find(({ pattern }) => pattern.test(module))?.subject ?? null,
);

/** A module that no record names, and that is no helper of all others. */
export const isUnknownModule = (module: string): boolean =>
  subjectOfModule(module) === null && subjectOfSymbol(`${module}_`) === null && !HELPERS.test(module);

const HELPERS =
  /^(?:spl|libcrc32c|sunrpc|kvm\w*|vboxguest|vmw_\w+|rpcsec_\w+|mbcache|async_\w+|fscache|netfs|snd\w*|crc\w+|lib\w+)$/;

/** By its name, and by its module where that is known: a filesystem's own journal is the filesystem's. */
function subjectOfFrame({ symbol, module }: Frame): Subject | null {
  const byName = subjectOfSymbol(symbol);
  const byModule = module === null ? null : subjectOfModule(module);
  if (!byModule || byModule === byName) return byName;
  return byName?.layer === 'journal' ? { name: byModule.name, layer: 'journal' } : byModule;
}

/**
 * The part of the kernel a stack is stuck in: that of its operation frame, or of the nearest frame outwards that tells
 * one. A module without a row is a part by its name; a part that serves all others is said only where no other is.
 */
export const subjectOf = perStack((frames): Subject | null => {
  const firm = firmFrames(frames);
  const operation = operationFrame(frames);
  let general: Subject | null = null;
  for (const frame of operation ? firm.slice(firm.indexOf(operation)) : firm) {
    const subject = subjectOfFrame(frame);
    if (subject && subject.general !== true) return subject;
    if (!subject && frame.module !== null) return { name: `module ${frame.module}`, layer: 'filesystem' };
    general ??= subject;
  }
  return general;
});

export const subjectRank = (frames: readonly Frame[]): number => {
  const subject = subjectOf(frames);
  return subject ? RANKS[subject.layer] : 0;
};
