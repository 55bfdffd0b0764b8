/**
 * The lines that say which CPU a backtrace is of, and what ran there: lib/dump_stack.c, lib/nmi_backtrace.c, and
 * each architecture's show_regs(), old kernels included.
 */
interface CpuLine {
  /** Null where the line names only the task. */
  cpu: number | null;
  comm: string | null;
  pid: number | null;
  idle: boolean;
}

/** OpenVZ adds the container. */
const MODERN =
  /^CPU: ?(\d{1,5}) (?:UID: \d+ )?PID: (\d{1,10}) Comm: (.{1,64}?)(?: +ve: ?\S{1,64})?(?: +(?:Not tainted|Tainted|Kdump|\d{1,2}\.\d{1,3}\.\d\S* #)|$)/;
/** Until 3.9; x86-64 says `CPU 1` above it. */
const PID_COMM = /^Pid: (\d{1,10}), comm: (.{1,64}?) +(?:Not tainted|Tainted|xid:|\()/;
const PROCESS = /^Process (.{1,64}?) \(pid: (\d{1,10})/;
const NMI = /^NMI backtrace for cpu (\d{1,5})( skipped: idling at)?/;
/** SysRq l without NMI, x86-64 before 3.10, arm and mips. */
const NUMBER = /^(?:sysrq: )?C(?:PU|pu):? ?(\d{1,5}):?(?:$| +(?:Not tainted|Tainted)|( backtrace skipped))/;
/** powerpc, of a CPU that did not answer. */
const PACA = /^CPU (\d{1,5}) didn't respond to backtrace IPI/;
const PACA_CURRENT = /^irq_soft_mask: .{0,80}current: (\d{1,10}) \((.{1,64})\)/;

/** What a line says of a CPU and the task on it, or null. */
export function parseCpuLine(text: string): CpuLine | null {
  const [, cpu, pid, comm] = MODERN.exec(text) ?? [];
  if (cpu !== undefined && comm !== undefined) return running(cpu, comm, pid);
  const [, number, skipped] = NMI.exec(text) ?? NUMBER.exec(text) ?? PACA.exec(text) ?? [];
  if (number !== undefined)
    return { cpu: Number(number), comm: null, pid: null, idle: skipped !== undefined };
  const [, oldPid, oldComm] = PID_COMM.exec(text) ?? PACA_CURRENT.exec(text) ?? [];
  if (oldComm !== undefined) return running(null, oldComm, oldPid);
  const [, process, processPid] = PROCESS.exec(text) ?? [];
  return process === undefined ? null : running(null, process, processPid);
}

function running(cpu: string | null, comm: string, pid: string | undefined): CpuLine {
  return {
    cpu: cpu === null ? null : Number(cpu),
    comm,
    pid: Number(pid),
    idle: isIdleTask(comm, Number(pid)),
  };
}

/** The idle task of a CPU. The first task of all bears that name too, until it becomes init. */
export const isIdleTask = (comm: string, pid: number | null): boolean =>
  pid !== 1 && (comm === 'swapper' || comm.startsWith('swapper/'));

/** `Task dump for CPU 3:`, kernel/sched/core.c: dump_cpu_task(), of a CPU that takes no NMI; its task follows. */
export function taskDumpFor(text: string): number | null {
  const cpu = /^Task dump for CPU (\d{1,5}):$/.exec(text)?.[1];
  return cpu === undefined ? null : Number(cpu);
}
