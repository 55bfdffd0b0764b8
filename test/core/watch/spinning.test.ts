import { describe, expect, it } from 'vitest';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

/** One vCPU that never rests: its registers stay in one page of the kernel. */
const load =
  (cpuMs: (at: number) => number, halted = false) =>
  (at: number): Look => ({
    ...running,
    shares: [],
    qmp: {
      ok: true,
      runState: 'running',
      vcpus: [
        {
          index: 0,
          threadId: 9,
          cpuMs: cpuMs(at),
          samples: ['ffffffff81000010', 'ffffffff81000040', 'ffffffff81000044', 'ffffffff81000048'].map(
            (pc) => ({
              pc,
              halted,
              user: false,
              masked: false,
            }),
          ),
        },
      ],
      block: null,
    },
  });

const spins = load((at) => at);

const ON_CPU = `[   14.0] sysrq: Show backtrace of all active CPUs
[   14.0] NMI backtrace for cpu 0
[   14.0] CPU: 0 PID: 151 Comm: cat Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2
[   14.0] Call Trace:
[   14.0]  <IRQ>
[   14.0]  dump_stack_lvl+0x44/0x5c
[   14.0]  __handle_sysrq.cold+0x44/0x11c
[   14.0]  common_interrupt+0x7d/0xa0
[   14.0]  </IRQ>
[   14.0]  <TASK>
[   14.0]  asm_common_interrupt+0x22/0x40
[   14.0] RIP: 0010:ext4_find_extent+0x1b/0x300
[   14.0]  ext4_ext_map_blocks+0x67/0x11e0
[   14.0]  ext4_map_blocks+0x1a4/0x5d0
[   14.0]  vfs_read+0x200/0x320
[   14.0]  ksys_read+0x6b/0xf0
[   14.0]  do_syscall_64+0x55/0xb0
[   14.0]  </TASK>`.split('\n');

/** From user mode the interrupt comes on the task's own stack. */
const IN_PROGRAM = ON_CPU.filter((line) => !/IRQ>|RIP|ext4_|read|do_syscall/.test(line));

/** Its SSH server gets no time either. */
const log = golden('idle').map((line) =>
  line.replace(/^\[ *\d+\.\d+\]/, '[   14.0]').replace(/(task:dropbear +state:)S/, '$1R'),
);

const guestWith = (l: string[], look = spins) => {
  const press = (key: SysrqKey) => (key === 'l' ? l : answers(log)(key));
  return booted(new VirtualGuest({ press, ssh: healthyFor(30_000), look })).run(240_000);
};

describe('a guest whose vCPU never rests', () => {
  it('is asked for the backtraces of its CPUs, last, which name who runs and where', () => {
    const guest = guestWith(ON_CPU);
    const [finding] = guest.findings;
    expect(finding?.evidence.map(({ name, endedBy }) => `${name} ${endedBy}`)).toEqual([
      'sysrq-w.1 fence',
      'sysrq-w.2 fence',
      'sysrq-t fence',
      'sysrq-l fence',
    ]);
    expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
    const { verdict } = finding?.analysis ?? {};
    expect(verdict).toMatchObject({ class: 'spinning', culprit: null });
    expect(verdict?.frame).toMatch(/^ext4_/);
    expect(verdict?.title).toMatch(/no task is blocked: cat:151 on CPU 0 in ext4_\w+$/);
  });

  it('has no place in the kernel while a program runs', () => {
    const { verdict } = guestWith(IN_PROGRAM).findings[0]?.analysis ?? {};
    expect(verdict).toMatchObject({ class: 'spinning', frame: null, culprit: null });
    expect(verdict?.title).toMatch(/no task is blocked: cat:151 on CPU 0$/);
  });

  it('may give no answer to that one key', () => {
    const [finding] = guestWith([]).findings;
    expect(finding).toMatchObject({
      complete: false,
      incompleteBecause: ['sysrq-l: the guest gave no answer to it'],
    });
    expect(finding?.analysis.verdict.class).toBe('spinning');
  });
});
