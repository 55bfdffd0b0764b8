/** What stands beside the place in a title: who used it, its own helper, a lock that the stack may hold itself. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { task } from '../../support/stacks.js';

const frames = (names: string) =>
  names.split(' ').map((name) => {
    const [symbol = '', module] = name.split('@');
    return `${symbol}+0x1/0x2${module === undefined ? '' : ` [${module}]`}`;
  });
const hung = (comm: string, pid: number, names: string) => [
  `INFO: task ${comm}:${pid} blocked for more than 122 seconds.`,
  ...task(comm, pid, 'D', frames(`__schedule schedule ${names}`)),
];
const title = (lines: readonly string[], proofOnly?: true) =>
  analyze(parseDumps(lines, { pasted: true }), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: null,
    ...(proofOnly === undefined ? {} : { proofOnly }),
  }).verdict.title;

describe('who used the place', () => {
  it.each([
    ['of what serves drivers, the driver', 'kernfs_drain __kernfs_remove kernfs_remove_by_name_ns device_del thing_unregister thing_store ksys_write', '(kernfs_drain ← thing_unregister ← thing_store)'],
    ['the nearest, and one of another module', 'wait_for_completion cm_destroy@ib_cm cm_destroy_id@ib_cm ib_destroy_cm@ib_cm rdma_destroy@rdma_cm ksys_write', '(cm_destroy ← cm_destroy_id ← rdma_destroy)'],
  ])('%s', (_case, names, told) => {
    expect(title(hung('user', 7, names))).toContain(told);
  }); // prettier-ignore

  it('names the helper around the sleep that is of the same code', () => {
    expect(
      title(hung('user', 7, 'wait_for_completion thing_wait_idle@thing thing_close@thing ksys_ioctl')),
    ).toContain('waiting for a completion in thing_wait_idle (thing_close)');
  });

  it('gives up the syscall before a task beside it', () => {
    const long = 'thing_a_function_with_quite_a_very_long_name_of_its_very_own';
    const lines = [
      ...hung('first', 7, `io_schedule ${long} __x64_sys_read`),
      ...hung('second', 8, `mutex_lock other_function_with_quite_a_long_name __x64_sys_read`),
    ];
    expect(title(lines)).toBe(
      `first:7 stuck ≥122 s → waiting for I/O (${long}), beside second:8 in other_function_with_quite_a_long_name`,
    );
  });
});

describe('a lock that its own stack may hold', () => {
  const callback =
    'schedule_preempt_disabled __mutex_lock cm_connect@cm client_handler@client cm_handle_event@cm cm_work@cm process_one_work worker_thread kthread';
  const told = /perhaps deadlock with itself, inside cm_handle_event \(inferred\)$/;

  it('is told where a callback led back into the code that it came from', () => {
    expect(title(hung('kworker/0:1', 7, callback))).toMatch(told);
  });
  it.each([
    ['another task is in that code, past such locks', [...hung('kworker/0:1', 7, callback), ...hung('other', 8, 'wait_for_completion cm_send@cm ksys_write'), ...hung('third', 9, 'wait_for_completion cm_close@cm ksys_write')]],
    ['a filesystem is entered through others again', hung('writer', 7, 'schedule_preempt_disabled __mutex_lock ext4_da_get@ext4 iomap_thing thing_do ext4_write@ext4 ksys_write')],
  ])('is not told where %s', (_case, lines) => {
    expect(title(lines)).not.toContain('with itself');
  }); // prettier-ignore
  it('is not told to a watch, which accuses by it', () => {
    expect(title(hung('kworker/0:1', 7, callback), true)).not.toContain('with itself');
  });
});

describe('what a paste has lost', () => {
  it('a report without its stack gives way to a stack that stands above it', () => {
    const above = ['Call trace:', ...frames('__switch_to __schedule schedule blk_queue_enter thing_rescan kthread ret_from_fork'), '']; // prettier-ignore
    const lines = [...above, 'INFO: task fio:3382 blocked for more than 121 seconds.'];
    expect(title(lines)).toMatch(/^unknown task:\? blocked .* \(blk_queue_enter ← thing_rescan\)/);
  });

  it('but not where the kernel told who holds it up', () => {
    const above = ['Call trace:', ...frames('__switch_to __schedule schedule blk_queue_enter thing_rescan kthread ret_from_fork'), '']; // prettier-ignore
    const lines = [
      ...above,
      'INFO: task kwin:1590 blocked for more than 860 seconds.',
      'INFO: task kwin:1590 is blocked on a semaphore likely last held by task modeset:501',
    ];
    expect(title(lines)).toMatch(/^kwin:1590 stuck ≥860 s → held by modeset:501/);
  });

  it('a stack below the words that it is of the holder is of another task', () => {
    const lines = [
      ...hung('umount', 7, 'mutex_lock thing_reconnect thing_statfs __x64_sys_statfs'),
      'Stack of the worker that holds the mutex:',
      ...frames(
        'thing_wait_answer thing_send thing_negotiate thing_reconnect process_one_work worker_thread',
      ),
    ];
    expect(title(lines)).toMatch(/held up by unknown task:\? in thing_send$/);
    expect(title(lines.filter((line) => !line.endsWith(':')))).not.toContain('held up');
  });

  it('a stack whose first function is named like an entry is not the rest of the one above', () => {
    const proc = (names: string) => frames(names).map((frame) => `[<0>] ${frame}`);
    const lines = [
      ...proc('io_schedule thing_write_pages wb_workfn process_one_work worker_thread kthread ret_from_fork'),
      'Who holds the page',
      ...proc(
        'start_thing_inodes thing_reserve thing_fixup process_one_work worker_thread kthread ret_from_fork',
      ),
    ];
    expect(title(lines)).toContain('beside another in start_thing_inodes');
  });

  it('where the unwinder came no further than the call to sleep, what it doubts is believed', () => {
    const doubted = frames(
      'thing_write_cache thing_make_request thing_submit thing_zero thing_init thing_thread',
    );
    const stack = [...frames('__schedule schedule'), ...doubted.map((frame) => `? ${frame}`)];
    expect(title(task('lazyinit', 9, 'D', stack))).toContain('(thing_write_cache ← thing_make_request');
  });

  it('a stack without its middle is of no idle worker', () => {
    expect(title(hung('kworker/2:3', 9, 'wait_for_completion thing_configure worker_thread kthread'))).toBe(
      'kworker/2:3:9 stuck ≥122 s → waiting for a completion (thing_configure)',
    );
  });
});
