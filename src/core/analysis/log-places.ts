/** What a log says outside of its dumps: what is mounted, and which devices and servers failed the kernel, and when. */
import { troubleIn, type Trouble } from '../kernel-lines/devices.js';
import { printable } from '../printable.js';
import { type BootPlace, bootPlace } from './boot-places.js';

/** A device or a server that failed, with the first line that says so. */
export interface SeenTrouble extends Trouble {
  line: string;
  /** How many kernel starts, and how many dumps of this boot, stood in the log before it. */
  boot: number;
  dumpsBefore: number;
  /** It answered again, by a later line. */
  over: boolean;
}

/** Where the reader of dumps is in the log. */
interface Position {
  boot: number;
  dumpsOfBoot: number;
}

const PLACES = 50;
const LINE_MAX = 1000;
const SAMPLE_MAX = 120;

/** Collects them line by line; what it holds is bounded. */
export class LogPlaces {
  private readonly mounts = new Map<string, BootPlace>();
  private readonly seen = new Map<string, SeenTrouble>();

  push(line: string, at: Position): void {
    if (line.length >= LINE_MAX) return;
    const place = bootPlace(line);
    if (place && this.mounts.size < PLACES) this.mounts.set(JSON.stringify(place), place);
    const trouble = troubleIn(line);
    if (trouble) this.trouble(trouble, line, at);
  }

  get bootPlaces(): BootPlace[] {
    return [...this.mounts.values()];
  }

  get troubles(): SeenTrouble[] {
    return [...this.seen.values()];
  }

  private trouble({ row, name }: Trouble, line: string, { boot, dumpsOfBoot }: Position): void {
    const key = `${boot} ${row.called} ${row.did} ${name ?? ''}`;
    const known = this.seen.get(key);
    if (known) known.over = row.over === true;
    else if (row.over !== true && this.seen.size < PLACES)
      this.seen.set(key, {
        row,
        name,
        line: printable(said(line), SAMPLE_MAX),
        boot,
        dumpsBefore: dumpsOfBoot,
        over: false,
      });
  }
}

/** Without the prefixes of its logger, as far as a bracket tells. */
const said = (line: string): string =>
  line.replace(/^.{0,120}?\[ *\d{1,10}\.\d{1,9}\](?: ?\[ *[TC]\d+\])? */, '').trim();
