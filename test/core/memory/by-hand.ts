/** A whole guest by hand: an image with symbols, types and unwind tables, a note, tasks, and a vCPU that runs on it. */
import type { VcpuRegisters } from '../../../src/core/memory/model.js';
import { Machine, PageTables, writeBtf, writeKallsyms, type Generation, type SymbolLine } from './machine.js';

const imageVa = 0xffff_ffff_9200_0000n;
const imageGpa = 0x100_0000;
const imageSize = 8 << 20;
export const direct = 0xffff_9a80_0000_0000n;
const noteGpa = 0x30_0000;
const etext = 0x20_0000;

/** Offsets in the image. */
const at = {
  rootTable: 0x21_0000,
  initTask: 0x22_0040,
  modules: 0x23_0000,
  ringPointer: 0x23_0100,
  ring: 0x23_0200,
  pageOffsetBase: 0x23_0300,
  btf: 0x24_0000,
  kallsyms: 0x30_0000,
  orc: 0x40_0000,
};
const orcCount = 12_000;

/** Of this kernel's structures. Unlike any real one's. */
export const offsets = {
  state: 40,
  stack: 48,
  flags: 60,
  onCpu: 68,
  execStart: 160,
  arrival: 400,
  tasks: 512,
  mm: 600,
  exitState: 640,
  pid: 700,
  realParent: 720,
  threadNode: 800,
  nvcsw: 880,
  startTime: 896,
  comm: 1024,
  signal: 1104,
  sp: 2000,
};

const btfOf = (padding: number): Uint8Array =>
  writeBtf(
    {
      list_head: {
        size: 16,
        members: [
          ['next', 0, 'u64'],
          ['prev', 8, 'u64'],
        ],
      },
      anonymous: {
        size: 8,
        members: [
          ['pid', 0, 'u32'],
          ['tgid', 4, 'u32'],
        ],
      },
      thread_struct: { size: 64, members: [['sp', 24, 'u64']] },
      task_struct: {
        size: 2048,
        members: [
          ['__state', offsets.state, 'u32'],
          ['stack', offsets.stack, 'u64'],
          ['tasks', offsets.tasks, 'list_head'],
          ['', offsets.pid, 'anonymous'],
          ['comm', offsets.comm, 'u64'],
          ['thread', offsets.sp - 24, 'thread_struct'],
        ],
      },
      module_kobject: { size: 16, members: [['mod', 8, 'u64']] },
      module: {
        size: 256,
        members: [
          ['list', 8, 'list_head'],
          ['name', 24, 'u64'],
          ['mkobj', 80, 'module_kobject'],
        ],
      },
      prb_desc_ring: {
        size: 48,
        members: [
          ['count_bits', 0, 'u32'],
          ['descs', 8, 'u64'],
          ['infos', 16, 'u64'],
          ['head_id', 24, 'u64'],
        ],
      },
      prb_data_ring: {
        size: 32,
        members: [
          ['size_bits', 0, 'u32'],
          ['data', 8, 'u64'],
        ],
      },
      printk_ringbuffer: {
        size: 80,
        members: [
          ['desc_ring', 0, 'prb_desc_ring'],
          ['text_data_ring', 48, 'prb_data_ring'],
        ],
      },
      prb_desc: { size: 24, members: [['state_var', 0, 'u64']] },
    },
    padding,
  );

interface HandmadeOptions {
  generation?: Generation;
  /** Whether the symbol table names data, and whether there is a note. */
  namesData?: boolean;
  note?: boolean;
  btf?: boolean;
}

interface Handmade {
  machine: Machine;
  registers: VcpuRegisters;
  noteGpa: number;
  va: (offset: number) => bigint;
  places: typeof at;
  tasks: { pid: number; comm: string; gpa: number }[];
}

const commOf = (index: number): string =>
  ['init', 'kthreadd', 'ksoftirqd/0', 'ksoftirqd/1', 'migration/0', 'migration/1'][index] ??
  (index < 12 ? `kworker/${index}:0` : `sh${index}`);

export function handmade(options: HandmadeOptions = {}): Handmade {
  const { generation = 'relative', namesData = true, note = true, btf = true } = options;
  const machine = new Machine(32 << 20);
  const va = (offset: number): bigint => imageVa + BigInt(offset);
  const gpa = (address: bigint): number => Number(address - imageVa) + imageGpa;
  const inImage = (offset: number): number => imageGpa + offset;

  const tables = new PageTables(machine, inImage(at.rootTable), 0x40_0000);
  tables.mapAll(imageVa, imageGpa, imageSize, 2);
  tables.map(direct, 0, 3);

  machine.put(inImage(0x20_1000), 'Linux version 6.9.1-hand (a@b) #1\0');
  if (btf) machine.put(inImage(at.btf), btfOf(namesData ? 0 : 7000));
  const btfLength = btf ? btfOf(0).length : 0;
  machine.u64(inImage(at.pageOffsetBase), direct);

  const lines: SymbolLine[] = [
    { name: '_text', offset: 0, type: 'T' },
    { name: '_stext', offset: 0, type: 'T' },
    ...Array.from({ length: 1500 }, (_, i) => ({ name: `function_${i}`, offset: 64 + i * 512, type: 't' })),
    { name: '_etext', offset: etext, type: 'T' },
  ];
  const data: SymbolLine[] = [
    { name: 'init_task', offset: at.initTask, type: 'D' },
    { name: 'modules', offset: at.modules, type: 'd' },
    { name: 'prb', offset: at.ringPointer, type: 'd' },
    { name: 'page_offset_base', offset: at.pageOffsetBase, type: 'D' },
    { name: '__start_BTF', offset: at.btf, type: 'R' },
    { name: '__stop_BTF', offset: at.btf + btfLength, type: 'R' },
    { name: '__start_orc_unwind_ip', offset: at.orc, type: 'R' },
    { name: '__stop_orc_unwind_ip', offset: at.orc + orcCount * 4, type: 'R' },
    { name: '__start_orc_unwind', offset: at.orc + orcCount * 4, type: 'R' },
    { name: '_end', offset: imageSize, type: 'B' },
  ];
  const perCpu =
    generation === 'absolute per CPU'
      ? Array.from({ length: 40 }, (_, i) => ({
          name: `per_cpu_${i}`,
          offset: i * 8,
          type: 'A',
          perCpu: true,
        }))
      : [];
  const names = [...perCpu, ...lines, ...(namesData ? data : [])];
  const noted = writeKallsyms(machine, gpa, imageVa, va(at.kallsyms), names, generation);

  for (let i = 0; i < orcCount; i += 1) {
    const place = at.orc + i * 4;
    machine.u32(inImage(place), i * 100 - place);
  }

  machine.u64(inImage(at.ringPointer), va(at.ring));
  const ring = inImage(at.ring);
  machine.u32(ring, 5);
  for (const [offset, value] of [
    [8, 0x5000],
    [16, 0x5800],
    [56, 0x6000],
  ] as const) {
    machine.u64(ring + offset, direct + BigInt(value));
  }
  machine.u64(ring + 24, 0x3_0000_0007n);
  machine.u32(ring + 48, 12);
  machine.u64(0x5000 + 7 * 24, (1n << 63n) | 0x3_0000_0007n);

  const module = 0x7000;
  const moduleVa = 0xffff_ffff_c000_0000n;
  tables.map(moduleVa, module, 1);
  machine.u64(inImage(at.modules), moduleVa + 8n);
  machine.u64(inImage(at.modules) + 8, moduleVa + 8n);
  machine.u64(module + 8, va(at.modules));
  machine.u64(module + 16, va(at.modules));
  machine.put(module + 24, 'fuse\0');
  machine.u64(module + 88, moduleVa);

  const tasks = writeTasks(machine, inImage(at.initTask), va(at.initTask));
  if (note) writeNote(machine, noted, va(at.rootTable));
  return {
    machine,
    registers: {
      ...{ vcpu: 0, general: {}, gdt: null, gs: null, user: false, halted: false, interruptsOff: false },
      cr3: BigInt(inImage(at.rootTable)),
      cr4: 0x20n,
    },
    noteGpa,
    va,
    places: at,
    tasks,
  };
}

function writeNote(machine: Machine, places: Map<string, bigint>, root: bigint): void {
  const text = [
    'OSRELEASE=6.9.1-hand',
    'BUILD-ID=0123456789abcdef',
    'PAGESIZE=4096',
    `SYMBOL(swapper_pg_dir)=${root.toString(16)}`,
    `SYMBOL(_stext)=${imageVa.toString(16)}`,
    `NUMBER(phys_base)=${BigInt(imageGpa) - (imageVa - 0xffff_ffff_8000_0000n)}`,
    'NUMBER(pgtable_l5_enabled)=0',
    'OFFSET(list_head.next)=0',
    ...[...places].map(([key, place]) => `${key}=${place.toString(16)}`),
    '',
  ].join('\n');
  machine.u32(noteGpa, 11);
  machine.u32(noteGpa + 4, text.length);
  machine.put(noteGpa + 12, 'VMCOREINFO\0');
  machine.put(noteGpa + 24, text);
}

/** The idle task in the image, and twenty others in the direct map. */
function writeTasks(
  machine: Machine,
  idleGpa: number,
  idleVa: bigint,
): { pid: number; comm: string; gpa: number }[] {
  const tasks = Array.from({ length: 20 }, (_, i) => ({
    pid: i + 1,
    comm: commOf(i),
    gpa: 0x50_0000 + i * 0x1000,
  }));
  const all = [{ pid: 0, comm: 'swapper/0', gpa: idleGpa }, ...tasks];
  const addressOf = (index: number): bigint => {
    const task = all[(index + all.length) % all.length]!;
    return task.pid === 0 ? idleVa : direct + BigInt(task.gpa);
  };
  for (const [index, { pid, comm, gpa }] of all.entries()) {
    const isThread = pid !== 1 && pid <= 12;
    const stack = direct + BigInt(0x80_0000 + pid * 0x4000);
    const signal = 0x60_0000 + pid * 0x100;
    machine.put(gpa + offsets.comm, `${comm}\0`);
    machine.u64(gpa + offsets.tasks, addressOf(index + 1) + BigInt(offsets.tasks));
    machine.u64(gpa + offsets.tasks + 8, addressOf(index - 1) + BigInt(offsets.tasks));
    machine.u32(gpa + offsets.pid, pid);
    machine.u32(gpa + offsets.pid + 4, pid);
    machine.u32(gpa + 20, comm.endsWith('/1') ? 1 : 0);
    machine.u64(gpa + offsets.stack, stack);
    machine.u64(gpa + offsets.sp, stack + 0x3e00n);
    machine.u32(gpa + offsets.flags, isThread ? 0x20_8040 : 0x40_0000);
    machine.u32(gpa + offsets.exitState + 8, pid > 2 || pid === 1 ? 17 : 0);
    machine.u64(gpa + offsets.realParent, isThread && pid > 2 ? addressOf(2) : addressOf(0));
    machine.u64(gpa + offsets.signal, direct + BigInt(signal));
    machine.u64(signal + 16, addressOf(index) + BigInt(offsets.threadNode));
    machine.u64(signal + 24, addressOf(index) + BigInt(offsets.threadNode));
    machine.u64(gpa + offsets.threadNode, direct + BigInt(signal + 16));
    machine.u64(gpa + offsets.threadNode + 8, direct + BigInt(signal + 16));
    if (!isThread) {
      machine.u64(gpa + offsets.mm, direct + BigInt(0x70_0000 + pid * 64));
      machine.u64(gpa + offsets.mm + 8, direct + BigInt(0x70_0000 + pid * 64));
    }
    const born = BigInt(pid) * 50_000_000n;
    machine.u64(gpa + offsets.startTime, born);
    machine.u64(gpa + offsets.startTime + 8, born + 100n);
    machine.u64(gpa + offsets.nvcsw, BigInt(pid + 3));
    machine.u64(gpa + offsets.execStart, 9_000_000_000n + born);
    machine.u64(gpa + offsets.execStart + 8, 5_000_000n + BigInt(pid));
    machine.u64(gpa + offsets.execStart + 16, 4_000_000n);
    machine.u64(gpa + offsets.arrival, 9_000_000_000n + born - 900_000n);
  }
  return tasks;
}
