/**
 * The lines of memory.txt that SysRq has none for, written and read back in one place. Around them memory.txt has the
 * form of SysRq-t. Text of the guest stands in quotes, or at the end of its line.
 */
import type { Dump, Task } from './model.js';

type Cpu = Dump['cpus'][number];
type Memory = NonNullable<Dump['memory']>;
type SeenObject = NonNullable<Task['objects']>[number];
type WantedLock = NonNullable<Task['wantsLock']>;
type OnCpu = NonNullable<Dump['onCpu']>[number];
type Scheduled = NonNullable<OnCpu['running']>;
type StackRead = NonNullable<Task['stackRead']>;

const HEADER = 'Tasks from memory: ';
const END = 'End of the tasks from memory: ';
const INCOMPLETE = 'Incomplete: ';

export const headerLine = ({ release, buildId, clock, how, way }: Memory): string =>
  `${HEADER}Linux ${release}, clock ${clock} s, kernel by its ${how.kernel}, types by ${how.types}, stacks by ${how.stacks}${way === undefined ? '' : `, read from ${way}`}${buildId === null ? '' : `, build ${buildId}`}`;

const HEADER_FORM =
  /^Linux (.{0,128}), clock (\d+(?:\.\d+)?) s, kernel by its (kept note|note|page tables of a vCPU), types by (btf|learned), stacks by (orc|frame records)(?:, read from (shared memory|QEMU’s own memory|copies that QEMU makes))?(?:, build ([0-9a-f]{1,128}))?$/;

/** What the first line of memory.txt tells; null for any other line. */
export function readHeader(text: string): Memory | null {
  const found = text.startsWith(HEADER) ? HEADER_FORM.exec(text.slice(HEADER.length)) : null;
  if (!found) return null;
  const [, release = '', clock, kernel, types, stacks, way, buildId] = found;
  const how = { kernel, types, stacks } as Memory['how'];
  const read = way === undefined ? {} : { way: way as NonNullable<Memory['way']> };
  return { release, buildId: buildId ?? null, clock: Number(clock), how, ...read };
}

export const endLine = (tasks: number): string => `${END}${tasks}`;

/** Null for any other line. */
export const readEnd = (text: string): number | null =>
  text.startsWith(END) ? Number(text.slice(END.length)) : null;

export const incompleteLine = (because: string): string => INCOMPLETE + because;

export const readIncomplete = (text: string): string | null =>
  text.startsWith(INCOMPLETE) ? text.slice(INCOMPLETE.length) : null;

/** What memory tells of a task beside its stack, a line each. */
export function taskLines(task: Task): string[] {
  const { syscall, wantsLock, request, objects = [], stackRead, doubt } = task;
  return [
    ...timeLine(task),
    ...(syscall ? [`Syscall: ${[syscall.number, ...syscall.args].join(' ')}`] : []),
    ...(wantsLock ? [lockLine(wantsLock)] : []),
    ...(request
      ? [
          `Request: ${request.operation} ${request.unique}${request.source === null ? '' : ` of ${quoted(request.source)}`}`,
        ]
      : []),
    ...objects.map(objectLine),
    ...readLines(stackRead),
    ...(doubt === undefined ? [] : [`Doubt: ${doubt}`]),
  ];
}

function timeLine({ onCpu, offCpuSeconds, onCpuSeconds, queued, cpu, switches }: Task): string[] {
  const seconds = onCpu ? onCpuSeconds : offCpuSeconds;
  const told = [
    ...(seconds === undefined ? [] : [`${onCpu ? 'on' : 'off'} CPU ${seconds} s`]),
    ...(onCpu ? ['on it now'] : []),
    ...(queued ? ['waits for one'] : []),
    ...(cpu === undefined ? [] : [`CPU ${cpu}`]),
    ...(switches === undefined ? [] : [`${switches} switches`]),
  ];
  return told.length === 0 ? [] : [`Time: ${told.join(', ')}`];
}

function readTime(text: string): Partial<Task> {
  const found = (form: RegExp) => form.exec(text)?.[1];
  const numbers: [keyof Task, string | undefined][] = [
    ['offCpuSeconds', found(/\boff CPU (\d+(?:\.\d+)?) s/)],
    ['onCpuSeconds', found(/\bon CPU (\d+(?:\.\d+)?) s/)],
    ['cpu', found(/(?:^|, )CPU (\d{1,5})(?:,|$)/)],
    ['switches', found(/\b(\d+) switches/)],
  ];
  return {
    ...Object.fromEntries(
      numbers.flatMap(([key, value]) => (value === undefined ? [] : [[key, Number(value)]])),
    ),
    ...(text.includes('on it now') ? { onCpu: true as const } : {}),
    ...(text.includes('waits for one') ? { queued: true as const } : {}),
  };
}

function readSyscall(text: string): Partial<Task> {
  const [number, ...args] = text.split(' ');
  return { syscall: { number: Number(number), args } };
}

const lockLine = ({ kind, address, name, owner, held }: WantedLock): string =>
  `Wants lock: ${kind} ${address}${name === undefined ? '' : ` (${name})`}${held === undefined ? '' : `, held by ${held === 'writer' ? 'a writer' : 'readers'}`}, ${owner === null ? 'owner not known' : `${held === 'readers' ? 'the last one' : 'owner'} ${owner.comm}:${owner.pid}`}`;

const LOCK_FORM =
  /^(mutex|rwsem|semaphore) (0x[0-9a-f]+)(?: \(([\w.$]{1,200})\))?(?:, held by (a writer|readers))?, (?:owner not known|(?:the last one|owner) (.{0,64}):(\d{1,10}))$/;

function readLock(text: string): Partial<Task> | null {
  const [, kind, address, name, held, comm, pid] = LOCK_FORM.exec(text) ?? [];
  if (kind === undefined || address === undefined) return null;
  return {
    wantsLock: {
      kind: kind as WantedLock['kind'],
      address,
      ...(name === undefined ? {} : { name }),
      owner: comm === undefined ? null : { comm, pid: Number(pid) },
      ...(held === undefined ? {} : { held: held === 'readers' ? 'readers' : 'writer' }),
    },
  };
}

const REQUEST_FORM = /^(\S{1,40}) (\d{1,20})(?: of (".*"))?$/;

function readRequest(text: string): Partial<Task> | null {
  const [, operation, unique, source] = REQUEST_FORM.exec(text) ?? [];
  if (operation === undefined || unique === undefined) return null;
  return { request: { operation, unique, source: source === undefined ? null : unquoted(source) } };
}

const objectLine = ({ kind, text, state, filesystem }: SeenObject): string =>
  `Object: ${kind}${state === undefined ? '' : ` ${state}`} ${quoted(text)}${filesystem === undefined ? '' : `, filesystem ${quoted(filesystem.type)}${filesystem.source === null ? '' : ` from ${quoted(filesystem.source)}`}${filesystem.on === null ? '' : ` on ${quoted(filesystem.on)}`}`}`;

const QUOTED = '("(?:[^"\\\\]|\\\\.)*")';
const OBJECT_FORM = new RegExp(
  `^(file|folio|inode|dentry|superblock|fuse-request|lock|device)(?: (locked|writeback))? ${QUOTED}(?:, filesystem ${QUOTED}(?: from ${QUOTED})?(?: on ${QUOTED})?)?$`,
);

function readObject(line: string): Partial<Task> | null {
  const [, kind, state, text, type, source, on] = OBJECT_FORM.exec(line) ?? [];
  if (kind === undefined || text === undefined) return null;
  const filesystem =
    type === undefined
      ? null
      : {
          type: unquoted(type),
          source: source === undefined ? null : unquoted(source),
          on: on === undefined ? null : unquoted(on),
        };
  const object: SeenObject = {
    kind: kind as SeenObject['kind'],
    text: unquoted(text),
    ...(filesystem === null ? {} : { filesystem }),
    ...(state === undefined ? {} : { state: state as 'locked' | 'writeback' }),
  };
  return { objects: [object] };
}

const READ = 'Stack read';

const readLines = (read: StackRead | undefined): string[] =>
  read === undefined
    ? []
    : [
        `${READ}: ${read.tries} ${read.tries === 1 ? 'time' : 'times'}${read.torn ? ', ran each time' : ''}${read.uncalled.length === 0 ? '' : `, no call to frames ${read.uncalled.join(' ')}`}${read.endsEarly === null ? '' : `, ends early: ${read.endsEarly}`}`,
      ];

const READ_FORM =
  /^(\d{1,4}) times?(, ran each time)?(?:, no call to frames ([\d ]{1,4096}))?(?:, ends early: (.*))?$/;

function readStackRead(text: string): { stackRead: StackRead } | null {
  const [, tries, torn, uncalled, endsEarly = null] = READ_FORM.exec(text) ?? [];
  if (tries === undefined) return null;
  return {
    stackRead: {
      ...{ tries: Number(tries), torn: torn !== undefined, endsEarly },
      uncalled: uncalled === undefined ? [] : uncalled.split(' ').map(Number),
    },
  };
}

const READERS: Readonly<Record<string, (rest: string) => Partial<Task> | null>> = {
  Time: readTime,
  Syscall: readSyscall,
  'Wants lock': readLock,
  Request: readRequest,
  Object: readObject,
  [READ]: readStackRead,
  Doubt: (doubt) => ({ doubt }),
};

/** More than a task is ever given. */
const OBJECTS_MAX = 64;

/** Adds what one of taskLines says to its task. False for any other line. */
export function addToTask(task: Task, text: string): boolean {
  const colon = text.indexOf(': ');
  const facts = READERS[text.slice(0, Math.max(0, colon))]?.(text.slice(colon + 2)) ?? null;
  if (facts === null) return false;
  const { objects = [] } = task;
  if (facts.objects && objects.length >= OBJECTS_MAX) return true;
  Object.assign(task, facts, facts.objects ? { objects: [...objects, ...facts.objects] } : {});
  return true;
}

/** What registers tell of a CPU beside its stack. */
export function cpuLines({ user, interruptsOff, stackRead }: Cpu): string[] {
  const mode = user === undefined ? [] : [user ? 'in user mode' : 'in the kernel'];
  const masked = interruptsOff === undefined ? [] : [`interrupts ${interruptsOff ? 'off' : 'on'}`];
  const told = [...mode, ...masked].join(', ');
  return [`CPU state: ${told === '' ? 'not known' : told}`, ...readLines(stackRead)];
}

export function addToCpu(cpu: Cpu, text: string): boolean {
  const read = text.startsWith(`${READ}: `) ? readStackRead(text.slice(READ.length + 2)) : null;
  if (read !== null) Object.assign(cpu, read);
  if (read !== null) return true;
  if (!text.startsWith('CPU state: ')) return false;
  if (text.includes('in user mode')) cpu.user = true;
  if (text.includes('in the kernel')) cpu.user = false;
  const masked = /interrupts (off|on)$/.exec(text)?.[1];
  if (masked !== undefined) cpu.interruptsOff = masked === 'off';
  return true;
}

/** The scheduler's view of a CPU, as of the table behind a SysRq-t. */
export function schedulerLines({ cpu, running, preempted, waiting }: OnCpu): string[] {
  return [
    `Scheduler: CPU ${cpu}, ${waiting} waiting`,
    ...(running === null ? [] : [`Running: ${scheduled(running)}`]),
    ...(preempted === undefined ? [] : [`Preempted: ${scheduled(preempted)}`]),
  ];
}

const scheduled = ({ comm, pid, priority, switches, ranMs }: Scheduled): string =>
  `priority ${priority}, ${switches} switches, ran ${ranMs} ms, ${comm}:${pid}`;

const SCHEDULED_FORM =
  /^priority (-?\d{1,4}), (\d{1,16}) switches, ran (\d+(?:\.\d+)?) ms, (.{0,64}):(\d{1,10})$/;

function readScheduled(text: string): Scheduled | null {
  const [, priority, switches, ranMs, comm, pid] = SCHEDULED_FORM.exec(text) ?? [];
  if (priority === undefined || comm === undefined) return null;
  return {
    comm,
    pid: Number(pid),
    priority: Number(priority),
    switches: Number(switches),
    ranMs: Number(ranMs),
  };
}

/** Adds what one of schedulerLines says. False for any other line. */
export function addToScheduler(rows: OnCpu[], text: string): boolean {
  const [, cpu, waiting] = /^Scheduler: CPU (\d{1,5}), (\d{1,10}) waiting$/.exec(text) ?? [];
  if (cpu !== undefined) {
    rows.push({ cpu: Number(cpu), running: null, waiting: Number(waiting) });
    return true;
  }
  const row = rows.at(-1);
  const [, which, rest = ''] = /^(Running|Preempted): (.*)$/.exec(text) ?? [];
  const task = which === undefined ? null : readScheduled(rest);
  if (!row || !task) return false;
  row[which === 'Running' ? 'running' : 'preempted'] = task;
  return true;
}

const quoted = (text: string): string => JSON.stringify(text);

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
