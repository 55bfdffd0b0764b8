import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import type { AnalysisContext } from '../../../src/core/analysis/places.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Dump, Frame, Share, Task } from '../../../src/core/model.js';
import { dump, stacks, task as printed } from '../../support/stacks.js';

const nothing: AnalysisContext = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };

function frames(lines: readonly string[]): Frame[] {
  return lines.map((line) => {
    const [, symbol = '', offset = '', size = '', module] =
      /^([^+]+)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[(\w+)\])?$/.exec(line) ?? [];
    const [at, of] = [Number.parseInt(offset, 16), Number.parseInt(size, 16)];
    return { symbol, offset: at, size: of, module: module ?? null, reliable: true };
  });
}

const read = (
  comm: string,
  pid: number,
  state: string,
  stack: readonly string[],
  more: Partial<Task> = {},
): Task => ({
  ...{
    comm,
    pid,
    ppid: 1,
    tgid: pid,
    state,
    frames: frames(stack),
    workqueue: null,
    blockedForSeconds: null,
  },
  ...{ switches: 7, offCpuSeconds: 14.2 },
  ...more,
});

function memory(tasks: Task[], more: Partial<Dump> = {}): Dump {
  const how = { kernel: 'note', types: 'btf', stacks: 'orc' } as const;
  return {
    ...{ key: 'memory', complete: true, incompleteBecause: [], tasks, cpus: [], locks: [], workqueues: [] },
    ...{ headline: '', bootSeconds: 100, boot: 0 },
    memory: { release: '6.1.0', buildId: null, clock: 100, how },
    ...more,
  };
}

const verdict = (dumps: Dump[], context: Partial<AnalysisContext> = {}) =>
  analyze(dumps, { ...nothing, ...context }).verdict;

const init = read('init', 1, 'S', stacks.shell);
const store = { type: 'virtiofs', source: 'store', on: '/mnt/store' };
const share = (tag: string, state: string): Share => ({
  ...{ tag, socket: `/run/${tag}`, serverIs: 'running' as const },
  server: { pid: 9, comm: 'virtiofsd', state },
});

describe('the place of a wait by memory', () => {
  const page = { kind: 'folio', text: '/big index 225', filesystem: store, state: 'locked' } as const;
  const waits = read('dd', 77, 'D', stacks.pageIn, { objects: [page] });

  it('is the page, its mount and the server of its very tag, and nothing is inferred', () => {
    const shares = [share('other', 'T'), share('store', 'T')];
    const found = verdict([memory([init, waits])], { shares });
    expect(found).toMatchObject({ class: 'blocked', confidence: 'high', inferred: [] });
    expect(found.place).toBe(
      'filesystem virtiofs:store (/mnt/store), page 225 of /big (virtiofsd is stopped)',
    );
    expect(found.title).toContain('dd:77 stuck ≥14 s');
    expect(found.reasons).toContain(
      'By memory page 225 of /big, in filesystem virtiofs:store (/mnt/store), is locked.',
    );
  });

  it('does not fall upon another server that is stopped', () => {
    const found = verdict([memory([init, waits])], { shares: [share('other', 'T'), share('store', 'S')] });
    expect(found.place).toBe('filesystem virtiofs:store (/mnt/store), page 225 of /big (virtiofsd runs)');
  });

  it('of a request is the server that it goes to, whichever other one is stopped', () => {
    const asks = read('ls', 78, 'S', stacks.fuse, {
      request: { operation: 'LOOKUP', unique: '22', source: 'store' },
      objects: [{ kind: 'fuse-request', text: 'LOOKUP 22', filesystem: store }],
    });
    const shares = [share('other', 'T'), share('store', 'S')];
    expect(verdict([memory([init, asks])], { shares })).toMatchObject({
      ...{ class: 'waiting', inferred: [] },
      place: 'filesystem virtiofs:store (/mnt/store) (virtiofsd runs)',
    });
    const [stopped, runs] = [share('store', 'T'), share('other', 'S')];
    expect(verdict([memory([init, asks])], { shares: [stopped, runs] }).place).toBe(
      'filesystem virtiofs:store (/mnt/store) (virtiofsd is stopped)',
    );
  });

  it('comes to the dump that the guest printed, where the task is in the same place', () => {
    const [t] = parseDumps(dump('t', 101, printed('dd', 77, 'D', stacks.pageIn)));
    const found = verdict([memory([init, waits]), { ...t!, boot: 0 }]);
    expect(found.place).toContain('page 225 of /big');
    const [moved] = parseDumps(dump('t', 101, printed('dd', 77, 'D', stacks.execRead)));
    expect(verdict([memory([init, waits]), { ...moved!, boot: 0 }]).place ?? '').not.toContain('page 225');
  });

  it('is none of a file of the kernel that happens to be open', () => {
    const proc = {
      kind: 'file',
      text: '/x',
      filesystem: { type: 'proc', source: 'proc', on: '/proc' },
    } as const;
    const found = verdict([memory([init, read('dd', 77, 'D', stacks.pageIn, { objects: [proc] })])]);
    expect(found.place ?? '').not.toContain('proc');
  });

  it('is sure only of what has lasted, and whose stack is whole', () => {
    const young = verdict([memory([init, { ...waits, offCpuSeconds: 0.2 }])]);
    expect(young.confidence).toBe('low');
    expect(young.title).toContain('dd:77 blocked');
    const torn = verdict([memory([init, { ...waits, doubt: 'it ran while it was read' }])]);
    expect(torn.confidence).not.toBe('high');
  });
});

describe('owners of locks by memory', () => {
  const wants = (comm: string, pid: number, held?: 'writer' | 'readers'): Partial<Task> => ({
    wantsLock: {
      ...{ kind: held ? 'rwsem' : 'mutex', address: '0xffff888003a1b2c0', owner: { comm, pid } },
      ...(held ? { held } : {}),
    },
  });

  it('are edges of high confidence, to owners that sleep as well', () => {
    const owner = read('owner', 3, 'S', stacks.shell);
    const dumps = [memory([init, read('dd', 2, 'D', stacks.mutex, wants('owner', 3)), owner])];
    const { waits, verdict: found } = analyze(dumps, nothing);
    expect(waits[0]).toMatchObject({ waiter: 'dd:2', owner: 'owner:3', confidence: 'high' });
    expect(found.class).toBe('lock-chain');
  });

  it('are a deadlock where they wait for each other', () => {
    const dumps = [
      memory([
        read('one', 2, 'D', stacks.mutex, wants('two', 3)),
        read('two', 3, 'D', stacks.mutex, wants('one', 2)),
      ]),
    ];
    expect(verdict(dumps)).toMatchObject({ class: 'deadlock', confidence: 'high' });
  });

  it('are less sure where an rwsem names the last of its readers', () => {
    const owner = read('owner', 3, 'D', stacks.execRead);
    const dumps = [memory([read('dd', 2, 'D', stacks.mutex, wants('owner', 3, 'readers')), owner])];
    expect(analyze(dumps, nothing).waits[0]).toMatchObject({ owner: 'owner:3', confidence: 'medium' });
  });
});

describe('CPUs by memory', () => {
  const spin = (caller: string) => [
    'native_queued_spin_lock_slowpath+0x1/0x2',
    '_raw_spin_lock+0x1/0x2',
    `${caller}+0x1/0x2 [abba]`,
    'kthread+0x1/0x2',
    'ret_from_fork+0x1/0x2',
  ];
  const cpu = (
    number: number,
    comm: string,
    stack: readonly string[],
    more: object = {},
  ): Dump['cpus'][number] => ({
    ...{
      cpu: number,
      comm,
      pid: 200 + number,
      idle: false,
      frames: frames(stack),
      user: false,
      interruptsOff: true,
    },
    ...more,
  });
  const idle = (number: number) =>
    cpu(number, `swapper/${number}`, ['default_idle+0x1/0x2'], { idle: true, pid: 0 });
  const both = [cpu(0, 'a', spin('take_ab')), cpu(1, 'b', spin('take_ba'))];

  it('spin for locks of each other with interrupts off: both functions are told, and both stacks', () => {
    const found = verdict([memory([init], { cpus: both })]);
    expect(found).toMatchObject({ class: 'deadlock', confidence: 'medium', frame: 'take_ab' });
    expect(found.title).toBe(
      'a:200 on CPU 0 in take_ab, b:201 on CPU 1 in take_ba → each spins for a spinlock of the others, interrupts off',
    );
    expect(found.reasons.filter((reason) => reason.includes('with interrupts off'))).toHaveLength(2);
  });

  it('come before tasks that wait, where none is left', () => {
    const waits = read('dd', 77, 'D', stacks.pageIn);
    expect(verdict([memory([init, waits], { cpus: both })]).class).toBe('deadlock');
  });

  it('are sure to be stuck where a second look shows them so, without a switch', () => {
    const on = (switches: number) => [
      init,
      ...both.map(({ comm, pid }) => read(comm!, pid!, 'R', [], { switches, onCpu: true })),
    ];
    const dumps = [memory(on(5), { cpus: both }), memory(on(5), { cpus: both })];
    expect(verdict(dumps).confidence).toBe('high');
    const ran = [memory(on(5), { cpus: both }), memory(on(6), { cpus: both })];
    expect(verdict(ran).confidence).toBe('medium');
  });

  it('that run are nothing odd: one in the kernel, one in a program, one that idles', () => {
    const busy = cpu(0, 'dd', ['copy_page_to_iter+0x1/0x2', 'vfs_read+0x1/0x2']);
    const dumps = [memory([init], { cpus: [busy, cpu(1, 'x', ['a+0x1/0x2'], { user: true }), idle(2)] })];
    expect(verdict(dumps).class).toBe('none');
  });

  it.each([
    ['an interrupt of its program', ['asm_sysvec_apic_timer_interrupt+0x1/0x2']],
    [
      'the timer, out of its program',
      ['hrtimer_interrupt+0x1/0x2', 'asm_sysvec_apic_timer_interrupt+0x1/0x2'],
    ],
    ['a device, out of its program', ['handle_irq_event+0x1/0x2', 'asm_common_interrupt+0x1/0x2']],
    [
      'an interrupt of arm64',
      ['generic_handle_domain_irq+0x1/0x2', 'gic_handle_irq+0x1/0x2', 'el0t_64_irq+0x1/0x2'],
    ],
  ])('serve %s, with interrupts off, for that moment: the only one there is, too', (_, stack) => {
    const tasks = [init, read('loop', 200, 'R', [], { onCpu: true, onCpuSeconds: 120, switches: 5 })];
    const one = memory(tasks, { cpus: [cpu(0, 'loop', stack)] });
    expect(verdict([one]).class).toBe('none');
  });

  it('that come no further than into an interrupt in both looks may have left it in between', () => {
    const tasks = [init, read('loop', 200, 'R', [], { onCpu: true, onCpuSeconds: 120, switches: 5 })];
    const one = memory(tasks, { cpus: [cpu(0, 'loop', ['asm_sysvec_apic_timer_interrupt+0x1/0x2'])] });
    expect(verdict([one, one]).class).toBe('none');
  });

  it('that stay in the handler of a device have never left it', () => {
    const tasks = [init, read('loop', 200, 'R', [], { onCpu: true, onCpuSeconds: 120, switches: 5 })];
    const stack = [
      'bad_irq+0x1/0x2 [bad]',
      '__handle_irq_event_percpu+0x1/0x2',
      'asm_common_interrupt+0x1/0x2',
    ];
    const one = memory(tasks, { cpus: [cpu(0, 'loop', stack)] });
    expect(verdict([one, one])).toMatchObject({ class: 'spinning', frame: 'bad_irq' });
  });

  it('spin for one that holds the lock: that one is the culprit', () => {
    const holder = cpu(1, 'b', ['endless+0x1/0x2 [abba]', 'kthread+0x1/0x2']);
    const tasks = [init, read('b', 201, 'R', [], { onCpu: true, onCpuSeconds: 30 })];
    const found = verdict([memory(tasks, { cpus: [cpu(0, 'a', spin('take_ab')), holder] })]);
    expect(found).toMatchObject({ class: 'spinning', culprit: { comm: 'b', pid: 201 }, confidence: 'high' });
    expect(found.title).toContain('spinning ≥30 s → endless');
  });
});

describe('memory beside what the guest printed', () => {
  const t = (state: string, stack: readonly string[], seconds: number): Dump => ({
    ...parseDumps(dump('t', seconds, printed('dd', 77, state, stack)))[0]!,
    boot: 0,
  });

  it('disagrees, where a task that did not run in between is told differently', () => {
    const later = memory([init, read('dd', 77, 'D', stacks.pageIn)]);
    const { reasons } = verdict([t('D', stacks.execRead, 95), later]);
    expect(reasons.filter((reason) => reason.includes('disagree'))).toEqual([
      expect.stringMatching(/^memory and t disagree about dd:77: D in \w+ by memory, D in \w+ by the guest/),
    ]);
    // In the order of a capture, where the guest's own dump shows nothing that stands.
    const before = memory([init, read('dd', 77, 'D', stacks.pageIn, { switches: 7 })]);
    const printedNow = t('D', stacks.execRead, 105);
    const same = { ...printedNow, tasks: printedNow.tasks.map((task) => ({ ...task, switches: 7 })) };
    expect(verdict([before, same]).reasons.join()).toContain('disagree about dd:77');
    // It ran since.
    expect(verdict([t('D', stacks.execRead, 50), later]).reasons.join()).not.toContain('disagree');
  });

  it('says that nothing is stuck where every task rests, and not of half a picture', () => {
    expect(verdict([memory([init])])).toMatchObject({ class: 'none', confidence: 'high' });
    const half = { complete: false, incompleteBecause: ['its list of tasks does not close'] };
    expect(verdict([memory([init], half)]).class).toBe('unknown');
  });
});
