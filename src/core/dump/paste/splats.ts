/** All warnings of a paste, beside the dumps and reports that they may break into. */
import type { Dump } from '../../model.js';
import { SplatReader } from './splat.js';

/** Lockdep speaks once; what sleeps in the wrong place may say so for ever. */
const MOST = 20;

interface Place {
  boot: number;
  /** Dumps that began before it. */
  after: number;
}

interface Kept extends Place {
  reader: SplatReader;
  seconds: number | null;
}

export class Splats {
  private readonly kept: Kept[] = [];
  private open: SplatReader | null = null;

  /** True if the line belongs to a warning, and so to nothing else. */
  push(text: string, seconds: number | null, place: () => Place): boolean {
    if (this.open?.push(text) === true) return true;
    this.open = SplatReader.opens(text);
    if (this.open && this.kept.length < MOST) this.kept.push({ reader: this.open, seconds, ...place() });
    return this.open !== null;
  }

  /** Puts them between the dumps, of which the oldest may be forgotten by now. */
  among(dumps: Dump[], forgotten: number): Dump[] {
    const splats = this.kept.filter(({ reader }) => reader.says).reverse();
    for (const kept of splats) dumps.splice(Math.max(0, kept.after - forgotten), 0, toDump(kept));
    return dumps;
  }
}

function toDump({ reader: { headline, splat }, seconds, boot }: Kept): Dump {
  const whole = splat.frames.length > 0;
  return {
    key: 'splat',
    complete: whole,
    incompleteBecause: whole ? [] : ['no stack follows it'],
    ...(whole ? {} : { incompleteCodes: ['nothing-in-it' as const] }),
    tasks: [],
    cpus: [],
    locks: [],
    workqueues: [],
    headline,
    ...(seconds === null ? {} : { bootSeconds: seconds }),
    boot,
    splat,
  };
}
