import type { Dump, DumpKey } from '../model.js';
import { printable } from '../printable.js';
import { toDump, type Visibility } from './complete.js';
import { opener, type Opener, type Report } from './openers.js';
import { stripPrefix } from '../console/prefix.js';
import { readHeader } from '../memory-words.js';
import { Debuggers } from './debuggers.js';
import { LooseStacks, opensLoosely, stallWithoutHeadline } from './loose.js';
import { MemorySection } from './memory-section.js';
import { Splats } from './paste/splats.js';
import { Section } from './section.js';
import { StackPool } from './stack-pool.js';
import { isStarved } from './stall.js';
import { parseTaskHeader } from './task-header.js';

interface ParseOptions {
  /** The caller saw `Loglevel set to 7` or more before these lines; an empty w then means that nothing is blocked. */
  loglevelRaised?: boolean;
  /** A person chose the lines, and not always all of them: parts of reports are read too. */
  pasted?: boolean;
}

/** No kernel line is longer (PRINTKRB_RECORD_MAX is 1024); the HELP line is the longest. */
const LINE_MAX = 1500;
/** As journald and rsyslog write it behind what a kernel's line begins with. */
const TAB = /\\x09|#011/;
/** A log with more dumps than this keeps the newest. */
const MAX_DUMPS = 500;
/** And so many characters in them: stacks of which no two are alike take six bytes for each. */
const MAX_KEPT = 64 << 20;

/**
 * Finds the dumps in a console log, line by line; memory grows with the dumps found, not with the log.
 * Never throws, whatever the lines hold.
 */
export class DumpParser {
  private readonly found: { section: Section; visibility: Visibility; size: number }[] = [];
  private kept = 0;
  private section: Section | null = null;
  private visibility: Visibility = { level: null, bodySeen: false, bodyHidden: false };
  private boots = 0;
  private begun = 0;
  private readonly pool = new StackPool();
  private interrupted: Section | null = null;
  private readonly loose = new LooseStacks();
  private readonly debuggers = new Debuggers();
  private readonly splats = new Splats();
  private forgotten = 0;

  constructor(private readonly options: ParseOptions = {}) {}

  /** One console line, with or without its logger's prefixes. */
  push(line: string): void {
    const pasted = this.options.pasted === true;
    if (pasted && this.ofMemory(line)) return;
    const { text, seconds } = stripPrefix(printable(pasted ? line.replace(TAB, '\t') : line, LINE_MAX));
    const rewritten = pasted ? this.debuggers.lines(text) : null;
    if (rewritten) for (const one of rewritten) this.take(one, null);
    else this.take(text, seconds);
  }

  private take(text: string, seconds: number | null): void {
    if (this.options.pasted === true && this.splats.push(text, seconds, () => this.place())) return;
    const means = opener(text);
    if (means) this.turn(means, text, seconds);
    else if (this.section && !this.ofSleeper(text)) this.keep(this.section, text);
    else if (text.includes('task:') && parseTaskHeader(text)) this.start('none', '', seconds).push(text);
    // Of a report whose headline is lost.
    else if (isStarved(text)) this.start('rcu_stall', text, seconds);
    else if (this.options.pasted === true) this.outside(text, seconds);
  }

  /** What somebody read in /proc of the workers of a stuck pool runs on no CPU. */
  private ofSleeper(text: string): boolean {
    if (this.options.pasted !== true || this.section?.key !== 'lockup' || !text.startsWith('[<0>]'))
      return false;
    this.close();
    return true;
  }

  /** How many kernel starts came so far. */
  get boot(): number {
    return this.boots;
  }

  /** How many dumps began so far in this boot. */
  get dumpsOfBoot(): number {
    return this.begun;
  }

  /** All dumps so far, oldest first. */
  finish(): Dump[] {
    this.section?.endOfLog();
    this.close();
    this.stackAboveHeadline();
    if (this.loose.lines.length > 0 && !this.found.some(({ section }) => showsStack(section)))
      this.alone('none', this.loose.lines);
    else if (this.found.length === 0 && this.loose.spinning.length > 0)
      this.alone('lockup', this.loose.spinning);
    else if (this.found.length === 0 && this.loose.others.length > 0) this.alone('none', this.loose.others);
    const dumps = this.found.map(({ section, visibility }) =>
      section instanceof MemorySection
        ? section.toDump()
        : toDump(section, visibility, this.options.loglevelRaised === true),
    );
    return this.splats.among(dumps, this.forgotten);
  }

  private place() {
    return { boot: this.boots, after: this.forgotten + this.found.length };
  }

  /** A line of memory.txt, which no guest's console holds: nothing in it stands for anything else. */
  private ofMemory(line: string): boolean {
    const text = printable(line, LINE_MAX).trim();
    const memory = readHeader(text);
    if (memory) this.begin(new MemorySection(memory, text, this.boots, this.pool));
    else if (this.section instanceof MemorySection) this.keep(this.section, text);
    else return false;
    if (this.section instanceof MemorySection && this.section.ended) this.close();
    return true;
  }

  /** Whoever cuts out a stack of a watchdog's timer may have the headline of the next report below it. */
  private stackAboveHeadline(): void {
    const last = this.found.at(-1)?.section;
    if (!(last instanceof Section) || last.key !== 'lockup' || this.loose.spinning.length === 0) return;
    if (this.found.every(({ section }) => section instanceof Section && !section.hasStack))
      this.alone('lockup', this.loose.spinning, last.headline);
  }

  private alone(key: DumpKey, lines: readonly string[], headline = ''): void {
    const section = this.start(key, headline, null);
    for (const line of lines) section.push(line);
    this.close();
  }

  /** A line of a paste that no report or dump has begun. */
  private outside(text: string, seconds: number | null): void {
    const stall = stallWithoutHeadline(text);
    if (stall) this.start(stall, text, seconds).push(text);
    else if (opensLoosely(text)) this.openLoosely(text, seconds);
    else this.loose.push(text);
  }

  private openLoosely(text: string, seconds: number | null): void {
    const section = this.start('none', '', seconds);
    // What stands above it is of the same list.
    for (const line of this.loose.takeLines()) section.push(line);
    section.end();
    section.push(text);
  }

  private turn(means: Opener, text: string, seconds: number | null): void {
    switch (means.type) {
      case 'section':
        // An oops is told in several lines that each look like its beginning.
        if (!this.sameOops(means.key)) {
          this.interrupt();
          this.start(means.key, text, seconds);
        }
        return;
      case 'hung':
        this.interrupt();
        this.hungSection(means.report, text, seconds).hung(means.report);
        return;
      case 'refusal':
        this.interrupt();
        this.start('hung_task', text, seconds).hung(means.report);
        return;
      case 'blocker':
        if (!this.section && this.options.pasted === true) this.start('hung_task', text, seconds);
        this.section?.blocked(means.blocker);
        return;
      case 'lost':
        if (this.section) this.section.lost += means.messages;
        return;
      case 'fence':
        this.fence(seconds);
        return;
      case 'boot':
        this.boots += 1;
        this.begun = 0;
        this.newVisibility(null);
        return;
      case 'level':
        this.newVisibility(means.level);
        return;
      case 'other-sysrq':
        this.close();
    }
  }

  private sameOops(key: DumpKey): boolean {
    return key === 'oops' && this.section?.key === 'oops' && !this.section.hasStack;
  }

  private hungSection(report: Report, text: string, seconds: number | null): Section {
    if (this.section?.key === 'hung_task' && !this.section.reported(report.pid)) return this.section;
    return this.start('hung_task', text, seconds);
  }

  /** The kernel may complain between a dump and its fence; the dump is whole if only the complaint came between. */
  private interrupt(): void {
    if (this.section?.key.length === 1) this.interrupted = this.section;
  }

  private fence(seconds: number | null): void {
    // The kernel stamps all its lines or none, and time does not go back: see core/capture/replies.ts.
    const begun = this.section?.seconds ?? null;
    if (begun !== null && (seconds === null || seconds < begun - 1)) return;
    if (this.section?.key.length === 1) this.section.fence();
    else if (this.interrupted && this.section?.onlyReports === true) this.interrupted.fence();
    this.interrupted = null;
    this.close();
  }

  private newVisibility(level: number | null): void {
    this.close();
    this.interrupted = null;
    this.visibility = { level, bodySeen: false, bodyHidden: false };
  }

  private start(key: DumpKey, headline: string, seconds: number | null): Section {
    const pasted = this.options.pasted === true;
    return this.begin(new Section(key, headline, seconds, this.boots, this.pool, pasted));
  }

  private begin(section: Section): Section {
    this.close();
    this.section = section;
    this.begun += 1;
    this.found.push({ section, visibility: this.visibility, size: 0 });
    if (this.found.length > MAX_DUMPS) this.forgetOldest();
    return section;
  }

  /** Of a dump that is too long by itself the rest counts as lost. */
  private keep(section: Section, text: string): void {
    const current = this.found.at(-1);
    if (current === undefined) return;
    current.size += text.length;
    this.kept += text.length;
    while (this.kept > MAX_KEPT && this.found.length > 1) this.forgetOldest();
    if (this.kept > MAX_KEPT) section.lost += 1;
    else section.push(text);
  }

  private forgetOldest(): void {
    this.kept -= this.found.shift()?.size ?? 0;
    this.forgotten += 1;
  }

  private close(): void {
    this.section?.end();
    const { key, tasks } = this.section ?? {};
    if (key === 't' && tasks?.length === 0) this.visibility.bodyHidden = true;
    if ((key === 'w' || key === 't') && tasks && tasks.length > 0) this.visibility.bodySeen = true;
    this.section = null;
  }
}

const showsStack = ({ cpus, tasks }: Section): boolean =>
  [...cpus, ...tasks].some(({ frames }) => frames.length > 0);

/** The dumps in a console log, oldest first. Lines as they came; see DumpParser. */
export function parseDumps(lines: Iterable<string>, options: ParseOptions = {}): Dump[] {
  const parser = new DumpParser(options);
  for (const line of lines) parser.push(line);
  return parser.finish();
}
