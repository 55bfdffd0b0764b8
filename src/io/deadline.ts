/**
 * Deadlines that a late event loop does not make pass: a process that was kept from running, by its own work or by its host,
 * has not read the answer that may be waiting, and must not blame whoever gave it.
 */

export interface Expired {
  /** This process was late for so much of the time that the other side cannot be blamed. */
  late: boolean;
}

interface DeadlineOptions {
  /** The most that is added for time that the loop took, in milliseconds; default: twice the deadline. */
  extraMs?: number;
}

/** How often the loop is measured while a deadline runs, and what is no lateness yet. */
const SAMPLE_MS = 20;
const UNEVEN_MS = 5;
/** After this share of a deadline the other side had its time. */
const ENOUGH = 0.9;
/** Timers fire before sockets are read: what came meanwhile is read in this time. */
const READ_MS = 20;

/** Milliseconds that the loop was late, since the process began to measure. */
let lost = 0;
let sampledAt = 0;
let sampler: NodeJS.Timeout | null = null;
let running = 0;

function sample(): void {
  const now = performance.now();
  const late = now - sampledAt - SAMPLE_MS;
  if (late >= UNEVEN_MS) lost += late;
  sampledAt = now;
}

function measure(): void {
  running += 1;
  if (sampler !== null) return;
  sampledAt = performance.now();
  sampler = setInterval(sample, SAMPLE_MS);
  sampler.unref();
}

function release(): void {
  running -= 1;
  if (running > 0 || sampler === null) return;
  clearInterval(sampler);
  sampler = null;
}

/** What was lost until now, the sample that is due included. */
function lostNow(): number {
  const due = performance.now() - sampledAt - SAMPLE_MS;
  return lost + (due >= UNEVEN_MS ? due : 0);
}

/** A deadline of `ms` milliseconds in which this process could run. `end` must be called; it may be called again. */
export class Deadline {
  readonly #ms: number;
  readonly #extraMs: number;
  readonly #startedAt = performance.now();
  readonly #lostBefore: number;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** `onExpired` is called once the time is over, unless the deadline was ended before. */
  constructor(
    ms: number,
    onExpired: ((expired: Expired) => void) | null = null,
    options: DeadlineOptions = {},
  ) {
    this.#ms = ms;
    this.#extraMs = options.extraMs ?? 2 * ms;
    measure();
    this.#lostBefore = lostNow();
    if (onExpired !== null) this.#wait(ms, onExpired);
  }

  /** Milliseconds that are left; time that the loop took is not counted, as far as it may be added. */
  left(): number {
    const elapsed = performance.now() - this.#startedAt;
    return this.#ms - (elapsed - Math.min(this.#lost(), this.#extraMs));
  }

  /** Whether the loop took so much of the time until now that nobody else can be blamed. */
  get late(): boolean {
    const useful = performance.now() - this.#startedAt - this.#lost();
    return this.#lost() > 0 && useful < ENOUGH * this.#ms;
  }

  /** Ends it; the loop is no longer measured for it. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    release();
  }

  #lost(): number {
    return lostNow() - this.#lostBefore;
  }

  #wait(ms: number, onExpired: (expired: Expired) => void, read = false): void {
    this.#timer = setTimeout(() => {
      const left = this.left();
      if (left >= 1) this.#wait(left, onExpired);
      // A loop that comes late finds the timer first, and what was sent to it only then.
      else if (!read && this.#lost() > 0) this.#wait(READ_MS, onExpired, true);
      else {
        const { late } = this;
        this.end();
        onExpired({ late });
      }
    }, ms);
  }
}
