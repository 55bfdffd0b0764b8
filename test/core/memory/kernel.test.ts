import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuilds } from '../../../src/core/memory/builds.js';
import { openKernel, type OpenOptions } from '../../../src/core/memory/kernel.js';
import type { Ram } from '../../../src/core/memory/model.js';
import { KernelNotFound } from '../../../src/core/memory/not-found.js';
import { direct, handmade, offsets } from './by-hand.js';
import type { Generation } from './machine.js';

const generations: Generation[] = ['absolute per CPU', 'relative', 'place-relative'];
const shaped = [
  'init_task',
  'modules',
  '__start_orc_unwind_ip',
  '__stop_orc_unwind_ip',
  '__start_orc_unwind',
];

function whyNot(ram: Ram, options: OpenOptions = {}): string {
  try {
    openKernel(ram, options);
  } catch (error) {
    if (error instanceof KernelNotFound) return error.message;
    throw error;
  }
  return 'it was found';
}

describe('a kernel with a note', () => {
  it.each(generations)('is opened by it, with symbols whose offsets are %s', (generation) => {
    const { machine, va, places, noteGpa } = handmade({ generation });
    const kernel = openKernel(machine);
    expect(kernel).toMatchObject({
      ...{
        arch: 'x86-64',
        release: '6.9.1-hand',
        buildId: '0123456789abcdef',
        noteAt: noteGpa,
        pageOffset: direct,
      },
      how: { kernel: 'note', types: 'btf', stacks: 'orc' },
      text: { first: va(0), end: va(8 << 20) },
    });
    expect(kernel.symbols.address('function_7')).toBe(va(64 + 7 * 512));
    expect(kernel.symbols.at(va(64 + 7 * 512 + 9))).toEqual({ name: 'function_7', offset: 9, size: 512 });
    expect(kernel.symbols.address('no_such_function')).toBeNull();
    expect(kernel.object('prb')).toBe(va(places.ring));
    expect(kernel.note.get('OFFSET(list_head.next)')).toBe(0n);
  });

  it('tells per-CPU symbols by their place in the area, and names none of them in the image', () => {
    const { machine, va } = handmade({ generation: 'absolute per CPU' });
    const { symbols } = openKernel(machine);
    expect(symbols.address('per_cpu_3')).toBe(24n);
    expect(symbols.at(va(0))).toMatchObject({ name: '_text' });
  });

  it('is found again where its note was', () => {
    const { machine, noteGpa } = handmade();
    const opened = openKernel(machine, { noteAt: noteGpa });
    expect(opened.how.kernel).toBe('kept note');
    expect(openKernel(machine, { noteAt: noteGpa + 4096 }).how.kernel).toBe('note');
  });

  it('is not believed where a vCPU runs on other page tables: it is what a reboot left', () => {
    const { machine, registers } = handmade();
    expect(openKernel(machine, { registers: [registers] }).how.kernel).toBe('note');
    expect(whyNot(machine, { registers: [{ ...registers, cr3: 0x1f0_0000n }] })).toBe(
      'no kernel found: the note of 6.9.1-hand at 0x300000 is not of a running kernel; ' +
        'no VMCOREINFO note that its page tables bear out where notes mostly lie; ' +
        'no vCPU runs on page tables with a kernel of x86-64',
    );
  });

  it('is not believed where its page tables lead elsewhere', () => {
    const { machine, places } = handmade();
    machine.bytes.fill(0, 0x100_0000 + places.rootTable, 0x100_0000 + places.rootTable + 4096);
    expect(whyNot(machine)).toContain('the note of 6.9.1-hand at 0x300000 is not of a running kernel');
  });
});

describe('a kernel without a note', () => {
  it.each(generations)(
    'is found by a vCPU, all that has no symbol by its shape; offsets are %s',
    (generation) => {
      const known = openKernel(handmade({ generation }).machine);
      const { machine, registers } = handmade({ generation, note: false, namesData: false });
      const kernel = openKernel(machine, { registers: [registers] });
      expect(kernel).toMatchObject({
        ...{ release: '6.9.1-hand', buildId: null, noteAt: null, pageOffset: direct },
        how: { kernel: 'page tables of a vCPU', types: 'btf', stacks: 'orc' },
      });
      for (const name of [...shaped, 'prb'])
        expect([name, kernel.object(name)]).toEqual([name, known.object(name)]);
      expect(kernel.symbols.address('init_task')).toBeNull();
    },
  );

  it('outlives the process on whose page tables it was found', () => {
    const { machine, registers } = handmade({ note: false });
    const own = machine.bytes.slice(Number(registers.cr3), Number(registers.cr3) + 4096);
    machine.put(0x1f0_0000, own);
    machine.u64(0x1f0_0000, 0x1f1_0067n);
    const kernel = openKernel(machine, { registers: [{ ...registers, cr3: 0x1f0_0000n }] });
    machine.bytes.fill(0, 0x1f0_0000, 0x1f0_1000);
    kernel.space.forget();
    expect(kernel.space.translate(0xffff_ffff_c000_0000n)).toBe(0x7000);
  });

  it('is not found without registers, and says so', () => {
    expect(whyNot(handmade({ note: false }).machine)).toBe(
      'no kernel found: no VMCOREINFO note that its page tables bear out where notes mostly lie; ' +
        'no registers of its vCPUs to look by',
    );
  });
});

it('gigabytes are not searched for a kernel that no vCPU runs on', () => {
  let read = 0;
  const ram: Ram = {
    ranges: [{ first: 0, end: 4 * 2 ** 30 }],
    read: (_, into) => {
      read += into.length;
      into.fill(0);
      return true;
    },
  };
  const why = whyNot(ram, { registers: [handmade().registers] });
  expect(why).toMatch(/no vCPU runs on page tables with a kernel of x86-64$/);
  expect(read).toBeLessThan(2 ** 27);
});

describe('a kernel without BTF', () => {
  it('teaches its layouts by its tasks', () => {
    const { layouts, how } = openKernel(handmade({ btf: false }).machine);
    expect(how.types).toBe('learned');
    const of = (path: string): number | null => layouts.offset('task_struct', path);
    expect({
      ...{ state: of('__state|state'), stack: of('stack'), flags: of('flags'), tasks: of('tasks.next') },
      ...{
        execStart: of('se.exec_start'),
        arrival: of('sched_info.last_arrival'),
        mm: of('mm'),
        pid: of('pid'),
      },
      ...{
        exitState: of('exit_state'),
        realParent: of('real_parent'),
        threadNode: of('thread_node'),
        sp: of('thread.sp'),
      },
      ...{ nvcsw: of('nvcsw'), startTime: of('start_time'), comm: of('comm'), signal: of('signal') },
    }).toEqual(Object.fromEntries(Object.entries(offsets).filter(([name]) => name !== 'onCpu')));
    expect(of('thread_info.cpu')).toBe(20);
  });

  it('does not guess what they do not teach', () => {
    const { layouts } = openKernel(handmade({ btf: false }).machine);
    const asked = [
      ['task_struct', 'on_cpu'],
      ['task_struct', 'blocker'],
      ['rq', 'clock'],
      ['file', 'f_inode'],
      ['module', 'mem'],
    ];
    expect(asked.map(([struct, path]) => layouts.offset(struct!, path!))).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(layouts.size('task_struct')).toBeNull();
  });

  it('is not found where its tasks do not fit together', () => {
    const { machine, tasks } = handmade({ btf: false });
    for (const { gpa } of tasks) machine.u32(gpa + offsets.pid, 5);
    expect(whyNot(machine)).toContain('6.9.1-hand has no BTF, and its tasks did not teach its layouts');
  });
});

describe('guests of one build', () => {
  it('share their tables, wherever the note says they are built', () => {
    const builds = createBuilds();
    const [first, second] = [handmade(), handmade()].map(({ machine }) => openKernel(machine, { builds }));
    expect(first!.symbols).not.toBe(second!.symbols);
    expect((first!.symbols as unknown as { table: object }).table).toBe(
      (second!.symbols as unknown as { table: object }).table,
    );
  });

  it('share nothing that differs by a byte, though the note says the same build', () => {
    const builds = createBuilds();
    const forged = handmade();
    const text = forged.va(forged.places.kallsyms);
    const at = Number(text - forged.va(0)) + 0x100_0000;
    const name = forged.machine.bytes.indexOf('_'.charCodeAt(0), at + 16);
    forged.machine.bytes[name] = '-'.charCodeAt(0);
    openKernel(forged.machine, { builds });
    expect(openKernel(handmade().machine, { builds }).symbols.address('_stext')).toBe(forged.va(0));
  });
});

describe('forged memory', () => {
  const guests = [
    handmade(),
    handmade({ generation: 'absolute per CPU' }),
    handmade({ btf: false }),
    handmade({ note: false, namesData: false }),
  ];
  const spots = [
    0x30_0000,
    0x40_0000,
    0x100_0000 + 0x21_0000,
    0x122_0000,
    0x123_0000,
    0x124_0000,
    0x130_0000,
    0x130_8000,
    0x140_0000,
    0x50_0000,
    0x5000,
    0x7000,
  ];

  it('is opened or is not, and nothing is thrown but that', () => {
    const change = fc.record({
      spot: fc.constantFrom(...spots),
      at: fc.nat(0x3000),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 16 }),
        fc.constantFrom(0, 0xff, 0x80).map((byte) => new Uint8Array(64).fill(byte)),
      ),
    });
    const forged = fc.record({
      guest: fc.nat(guests.length - 1),
      changes: fc.array(change, { minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(forged, ({ guest, changes }) => {
        const { machine, registers, noteGpa } = guests[guest]!;
        const whole = changes.map(({ spot, at, bytes }) => ({
          gpa: spot + at,
          was: machine.bytes.slice(spot + at, spot + at + bytes.length),
          bytes,
        }));
        for (const { gpa, bytes } of whole) machine.put(gpa, bytes);
        try {
          const kernel = openKernel(machine, { registers: [registers], noteAt: noteGpa });
          kernel.symbols.at(kernel.text.first + 5n);
          kernel.layouts.offset('task_struct', 'thread.sp');
          kernel.layouts.size('task_struct');
        } catch (error) {
          expect(error).toBeInstanceOf(KernelNotFound);
        } finally {
          for (const { gpa, was } of whole.toReversed()) machine.put(gpa, was);
        }
      }),
      { numRuns: 25 },
    );
  });
});
