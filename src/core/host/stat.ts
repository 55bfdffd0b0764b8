export interface ProcessStat {
  comm: string;
  /** R S D T t Z X I */
  state: string;
  /** User plus system time in milliseconds, of the process or of the one thread. */
  cpuMs: number;
  /** When it was started, in clock ticks since boot: tells it from a later one with its number. */
  startTicks: number;
}

/** Milliseconds that a thread ran, and that it had to wait for a CPU of the host, in its life. */
export interface ThreadTimes {
  ranMs: number;
  waitedMs: number;
}

export function parseTimes(text: string): ThreadTimes | null {
  // /proc/PID/task/TID/schedstat, in nanoseconds: ran, waited to run, and how often (Documentation/scheduler/sched-stats.rst).
  const [, ran, waited] = /^(\d+) (\d+) \d+$/.exec(text.trim()) ?? [];
  return ran === undefined ? null : { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
}

/** USER_HZ is 100 on every architecture that QEMU runs on as a host (include/asm-generic/param.h). */
const MS_PER_TICK = 10;

/** Reads the text of /proc/PID/stat or /proc/PID/task/TID/stat (proc(5)); null if it is something else. */
export function parseStat(text: string): ProcessStat | null {
  // comm is free text and may hold `) (`: what counts is the last parenthesis.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open === -1 || close < open) return null;
  const rest = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  const [state = ''] = rest;
  const cpuMs = (Number(rest[11]) + Number(rest[12])) * MS_PER_TICK;
  const startTicks = Number(rest[19]);
  if (!/^[A-Za-z]$/.test(state) || !Number.isFinite(cpuMs) || !Number.isFinite(startTicks)) return null;
  return { comm: text.slice(open + 1, close), state, cpuMs, startTicks };
}

/** The session of the process in the text of /proc/PID/stat (proc(5)); null if it is something else. */
export function parseSession(text: string): number | null {
  const [, , , session = ''] = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  return /^\d+$/.test(session) ? Number(session) : null;
}

/** The real, effective, saved and filesystem user ids in the text of /proc/PID/status (proc(5)); null if it is something else. */
export function parseUids(text: string): number[] | null {
  const [, ...uids] = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(text) ?? [];
  return uids.length === 0 ? null : uids.map(Number);
}

/** False for one that has ended and that its parent has not asked about. */
export const isAlive = ({ state }: ProcessStat): boolean => !'ZX'.includes(state);
