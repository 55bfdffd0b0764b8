/**
 * The line that opens a task: kernel/sched/core.c, sched_show_task().
 * Since 5.10: `task:%-15.15s state:%c`, then stack, pid, [tgid], ppid, [task_flags], flags. Before, in columns:
 * comm (%-13.13s until 2.6.36), state, [PC or stack pointer], free stack, pid, ppid, [flags]; until 2.6.19 child and
 * siblings followed.
 */
export interface TaskHeader {
  comm: string;
  state: string;
  pid: number | null;
  ppid: number | null;
}

/** Comm is padded or cut to this many columns, so it may hold any text without being mistaken for a field. */
const COMM = 15;
const TAG = 'task:';
const FIELDS =
  /^ state:([A-Za-z?])(?: +running task)? +(?:stack: *\d+ +)?pid: *(\d+) +(?:tgid: *\d+ +)?ppid: *(\d+)/;
/** The same where a logger or a mailer squeezed the blanks, or lost them between the columns. */
const SQUEEZED =
  /^task:(\S.{0,14}?) *state:([A-Za-z?])(?: +running task)? *(?:stack: *\d+ *)?pid: *(\d+) *(?:tgid: *\d+ *)?ppid: *(\d+)/;
const STATE = '[RSDTtXZPIKWNx?]';
const RUNS = '(?: +(?:running|current)(?: task)?)?';
/** From the state on, with flags; another writer's text may stand in front of comm, and behind. */
const COLUMNS = new RegExp(
  ` (${STATE})${RUNS} *(?:(?:[0-9a-f]{16}|[0-9a-f]{8}) +)?(\\d{1,10}) +(\\d{1,10}) +(\\d{1,10}) 0x[0-9a-f]{8,16}(?![0-9a-zA-Z.])`,
);
/** Without flags only where the program counter or the state of a running task says that it is a header. */
const OLD_COLUMNS = new RegExp(
  `^(\\S.{0,14}?) +(${STATE})(?: +(?:running|current)(?: task)?| +[0-9A-Fa-f]{16}| +[0-9A-Fa-f]{8}) +(\\d{1,10}) +(\\d{1,10}) +(\\d{1,10})(?:(?: +\\d{1,10}){0,3} +\\((?:NOTLB|L-TLB)\\))?$`,
);
const COLUMN_HEAD = new RegExp(`^(\\S.{0,14}?) +(${STATE})(?: +running task| +[0-9a-f]{8,16})?$`);
const COLUMN_TAIL = /^(?:[0-9a-f]{8,16} +)?\d{1,10} +(\d{1,10}) +(\d{1,10}) 0x[0-9a-f]{8}/;
const TAIL =
  /(?:^|\s)(?:s?t?a?t?e?:([RSDTtXZPI]))?\s*(?:running task\s+)?stack: *\d+ +pid: *(\d+) +(?:tgid: *\d+ +)?ppid: *(\d+)/;

function withFields(comm: string, fields: string): TaskHeader | null {
  const [, state, pid, ppid] = FIELDS.exec(fields) ?? [];
  if (state === undefined) return null;
  return { comm: comm.trim(), state, pid: Number(pid), ppid: Number(ppid) };
}

/** Where a header begins in a line, other writers' text allowed in front; -1 where there is none. */
export function taskTag(text: string): number {
  const at = text.indexOf(TAG);
  // Old register dumps print `task: ffff8800bb13e000`.
  return at >= 0 && (text.charAt(at + TAG.length) !== ' ' || text.includes(' state:', at)) ? at : -1;
}

/** A whole task header, or null. */
export function parseTaskHeader(text: string): TaskHeader | null {
  const at = taskTag(text);
  if (at < 0) return inColumns(text);
  // A mailer's editor may put a blank behind the tag.
  const header = TAG + text.slice(at + TAG.length).trimStart();
  const padded = withFields(header.slice(TAG.length, TAG.length + COMM), header.slice(TAG.length + COMM));
  if (padded) return padded;
  const [, comm, state, pid, ppid] = SQUEEZED.exec(header) ?? [];
  return comm === undefined || state === undefined
    ? null
    : { comm, state, pid: Number(pid), ppid: Number(ppid) };
}

/** A header whose `task:`, and perhaps the start of its comm, was torn off. Null where it is none. */
export function parseUntagged(text: string): TaskHeader | null {
  const at = text.indexOf(' state:');
  if (at < 0 || taskTag(text) >= 0) return null;
  return withFields(text.slice(Math.max(0, at - COMM), at), text.slice(at));
}

function inColumns(text: string): TaskHeader | null {
  const found = text.includes(' 0x') ? COLUMNS.exec(text) : null;
  if (found) {
    const [, state = '?', , pid, ppid] = found;
    // What is further left than comm's columns was written by others.
    const comm = text.slice(Math.max(0, found.index - COMM), found.index).trim();
    return comm === '' ? null : { comm, state, pid: Number(pid), ppid: Number(ppid) };
  }
  const [, comm, state, , pid, ppid] = OLD_COLUMNS.exec(text) ?? [];
  return comm === undefined || state === undefined
    ? null
    : { comm, state, pid: Number(pid), ppid: Number(ppid) };
}

/** Whether a line may be the first half of a header in columns, which old kernels printed in pieces. */
export const isColumnHead = (text: string): boolean => COLUMN_HEAD.test(text);

/** The header in columns of which `next` is the second half. Null where it is none. */
export function joinColumns(head: string, next: string): TaskHeader | null {
  const [, pid, ppid] = COLUMN_TAIL.exec(next) ?? [];
  if (pid === undefined) return null;
  const [, comm, state] = COLUMN_HEAD.exec(head) ?? [];
  return comm === undefined || state === undefined
    ? null
    : { comm, state, pid: Number(pid), ppid: Number(ppid) };
}

/**
 * Puts a header together that another writer's line was printed into: `head` holds its beginning and then their
 * text, `next` its rest. Comm's fixed width says where the cut was. Null where `next` is not the rest.
 */
export function joinTorn(head: string, next: string): TaskHeader | null {
  if (!next.includes('ppid:')) return null;
  for (let cut = Math.min(head.length, 100); cut > TAG.length; cut -= 1) {
    const joined = head.slice(0, cut) + next;
    const whole = withFields(joined.slice(TAG.length, TAG.length + COMM), joined.slice(TAG.length + COMM));
    if (whole) return whole;
  }
  const tail = TAIL.exec(next);
  // A mailer that wraps lines eats the blank at the break.
  if (!tail) return parseTaskHeader(`${head} ${next}`);
  return {
    ...tornHeader(head),
    state: tail[1] ?? tornHeader(head).state,
    pid: Number(tail[2]),
    ppid: Number(tail[3]),
  };
}

/** As people shorten a header: its blanks squeezed, nothing behind the state. */
const CUT = /^task:(\S.{0,14}?) +state:([RSDTtXZPI])\b/;

/** What the first half of a torn header still tells. */
export function tornHeader(head: string): TaskHeader {
  const [, name, told] = CUT.exec(head) ?? [];
  if (name !== undefined && told !== undefined) return { comm: name, state: told, pid: null, ppid: null };
  const rest = head.slice(TAG.length + COMM);
  const intact = rest.startsWith(' s');
  const state = /^ state:([RSDTtXZPI])\b/.exec(rest)?.[1] ?? '?';
  return {
    comm: intact ? head.slice(TAG.length, TAG.length + COMM).trim() : '',
    state,
    pid: null,
    ppid: null,
  };
}

/** A header that was cut is that of the task which was just reported. */
export const ofReported = (header: TaskHeader, report: { comm: string; pid: number } | null): TaskHeader =>
  header.pid === null && report?.comm.startsWith(header.comm) === true
    ? { ...header, comm: report.comm, pid: report.pid }
    : header;
