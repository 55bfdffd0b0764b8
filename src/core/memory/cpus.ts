/** The guest's CPUs: what runs there, and where, by the registers of the vCPUs. */
import { Capturer } from './capture.js';
import type { GuestTime } from './clock.js';
import type { MemoryCpu, MemoryTask, VcpuRegisters } from './model.js';
import type { Reader } from './reader.js';
import type { RunQueue } from './run-queues.js';
import { memoryTask, runningTrace } from './task-stack.js';
import { brokenEnd } from './unwind.js';
import { cpusOfVcpus } from './vcpus.js';
import { Words } from './reading.js';

interface Given {
  queues: readonly RunQueue[];
  registers: readonly VcpuRegisters[];
  /** Those that run get the frames of their CPU. */
  tasks: readonly MemoryTask[];
  time: GuestTime;
}

/** Ascending. Without run queues: those that registers are known of. */
export function readCpus(reader: Reader, { queues, registers, tasks, time }: Given): MemoryCpu[] {
  const vcpus = cpusOfVcpus(reader, registers, queues);
  const byNumber = new Map(queues.map((queue) => [queue.cpu, queue]));
  const numbers = queues.length > 0 ? [...byNumber.keys()] : [...vcpus.keys()];
  const byAddress = new Map(tasks.map((task) => [task.address, task]));
  return numbers
    .sort((a, b) => a - b)
    .map((cpu) => {
      const queue = byNumber.get(cpu);
      const running =
        queue === undefined
          ? tasks.find((task) => task.onCpu && task.cpu === cpu)
          : (byAddress.get(queue.current) ?? idleTask(reader, queue, time));
      return readCpu(reader, cpu, vcpus.get(cpu) ?? null, running ?? null, queue);
    });
}

function readCpu(
  reader: Reader,
  cpu: number,
  registers: VcpuRegisters | null,
  task: MemoryTask | null,
  queue: RunQueue | undefined,
): MemoryCpu {
  const idle =
    queue === undefined ? task === null && registers?.halted !== false : queue.current === queue.idle;
  const known = { cpu, vcpu: registers?.vcpu ?? null, task, idle };
  if (registers === null) {
    const end = brokenEnd('its registers are not known');
    return { ...known, user: null, interruptsOff: null, frames: [], end };
  }
  const { frames, end, syscall } = runningTrace(reader, registers);
  if (task !== null && end.proper && task.onCpu) Object.assign(task, { frames, end, syscall, torn: false });
  return { ...known, user: registers.user, interruptsOff: registers.interruptsOff, frames, end };
}

/** It is in no list. */
function idleTask(reader: Reader, { current, idle }: RunQueue, time: GuestTime): MemoryTask | null {
  if (current !== idle) return null;
  const words = new Words(reader.layout.span);
  if (!reader.kernel.space.read(idle, words.bytes)) return null;
  const captured = new Capturer(reader, reader.stackSize * 3).capture(idle, words);
  return memoryTask(reader, captured, time, 0);
}
