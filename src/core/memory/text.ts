/** memory.txt: a dump from memory in the form of SysRq-t, with what only memory tells in lines of its own. */
import { cpuLines, endLine, headerLine, incompleteLine, schedulerLines, taskLines } from '../memory-words.js';
import type { Dump, Frame, Task } from '../model.js';

/** What `analyze` reads back to the same dump. Each line ends with a line feed; empty for a dump of another kind. */
export function memoryText(dump: Dump): string {
  if (dump.memory === undefined) return '';
  const lines = [
    headerLine(dump.memory),
    ...dump.incompleteBecause.map(incompleteLine),
    ...(dump.onCpu ?? []).flatMap(schedulerLines),
    ...dump.cpus.flatMap((cpu) => [
      `CPU: ${cpu.cpu}${cpu.comm === null || cpu.pid === null ? '' : ` PID: ${cpu.pid} Comm: ${cpu.comm}`}`,
      ...cpuLines(cpu),
      ...stackLines(cpu.frames),
    ]),
    ...dump.tasks.flatMap((task) => [
      headOf(task),
      ...workqueueOf(task),
      ...taskLines(task),
      ...stackLines(task.frames),
    ]),
    endLine(dump.tasks.length),
  ];
  return `${lines.join('\n')}\n`;
}

/** kernel/sched/core.c, sched_show_task(). */
const headOf = ({ comm, state, pid, tgid, ppid }: Task): string =>
  `task:${comm.padEnd(15)} state:${state} stack:0     pid:${String(pid ?? 0).padEnd(5)} tgid:${String(tgid ?? pid ?? 0).padEnd(5)} ppid:${String(ppid ?? 0).padEnd(6)}`;

const workqueueOf = ({ workqueue }: Task): string[] =>
  workqueue === null
    ? []
    : [
        `Workqueue: ${workqueue.name} ${workqueue.func}${workqueue.about === undefined ? '' : ` (${workqueue.about})`}`,
      ];

function stackLines(frames: readonly Frame[]): string[] {
  return frames.length === 0 ? [] : ['Call Trace:', ' <TASK>', ...frames.map(frameLine), ' </TASK>'];
}

/** A frame without a name or a size is an address that no symbol holds. */
function frameLine({ symbol, offset, size, module, reliable }: Frame): string {
  const place =
    offset === null || size === null ? symbol : `${symbol}+0x${offset.toString(16)}/0x${size.toString(16)}`;
  return ` ${reliable ? '' : '? '}${place}${module === null ? '' : ` [${module}]`}`;
}
