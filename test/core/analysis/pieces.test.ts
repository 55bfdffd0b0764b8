import { describe, expect, it } from 'vitest';
import { groupStacks, renderFolded, renderStacks } from '../../../src/core/analysis/groups.js';
import { layerOf } from '../../../src/core/analysis/layers.js';
import { unchangedTasks } from '../../../src/core/analysis/unchanged.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, stacks, task } from '../../support/stacks.js';

const parse = (...tasks: string[][]) => parseDumps(dump('w', 1, ...tasks))[0]!;

describe('unchangedTasks', () => {
  const before = parse(task('cat', 9, 'D', stacks.pageIn));
  it.each<[string, string[], boolean]>([
    ['the same', task('cat', 9, 'D', stacks.pageIn), true],
    ['another pid', task('cat', 10, 'D', stacks.pageIn), false],
    ['another comm', task('dog', 9, 'D', stacks.pageIn), false],
    ['another state', task('cat', 9, 'S', stacks.pageIn), false],
    ['another offset', task('cat', 9, 'D', stacks.pageIn.map((frame) => frame.replace('filemap_fault+0xda', 'filemap_fault+0xdb'))), false],
    ['a frame more', task('cat', 9, 'D', [...stacks.pageIn, 'foo+0x1/0x2']), false],
    ['no stack', task('cat', 9, 'D', []), false],
  ])('%s', (_case, after, same) => {
    expect(unchangedTasks(before, parse(after)).map(({ pid }) => pid)).toEqual(same ? [9] : []);
  }); // prettier-ignore

  it('proves nothing by tasks without a stack, threads that never ran, frozen ones', () => {
    const quiet = parse(
      task('cat', 9, 'D', []),
      task('k', 10, 'D', stacks.neverRun),
      task('f', 11, 'D', ['schedule+0x1/0x2', '__refrigerator+0x1/0x2']),
    );
    expect(unchangedTasks(quiet, quiet)).toEqual([]);
  });
});

describe('groups', () => {
  const { tasks } = parse(
    task('a', 1, 'D', stacks.pageIn),
    task('rcu_gp', 3, 'I', [
      '__schedule+0x1/0x2',
      'schedule+0x1/0x2',
      'rescuer_thread+0x1/0x2',
      'kthread+0x1/0x2',
      'ret_from_fork+0x1/0x2',
    ]),
    task(
      'b',
      2,
      'D',
      stacks.pageIn.map((frame) => frame.replace('+0xda', '+0xdb')),
    ),
    task('kworker/0:1', 4, 'D', stacks.firmware),
  );

  it('join by state and functions: those in D first, the largest before others, idle ones last', () => {
    expect(groupStacks(tasks).map(({ count, state, pids, idle }) => [count, state, pids, idle])).toEqual([
      [2, 'D', [1, 2], false],
      [1, 'D', [4], false],
      [1, 'I', [3], true],
    ]);
  });

  it('begin with the culprit, whatever its state', () => {
    expect(groupStacks(tasks, 4)[0]?.pids).toEqual([4]);
    expect(groupStacks(tasks, 3)[0]?.pids).toEqual([3]);
  });

  it('render with the idle ones at the end, a line a kind', () => {
    const text = renderStacks(groupStacks(tasks));
    expect(text).toContain('2 tasks in D: a:1, b:2\n    __schedule\n    schedule\n');
    expect(text).toContain('    thing_reset [thing]\n');
    expect(text.endsWith('Idle kernel threads:\n  1 × I rescuer_thread: rcu_gp:3\n')).toBe(true);
  });

  it('fold for flame graphs, root first', () => {
    const root = [...stacks.pageIn]
      .reverse()
      .map((frame) => frame.replace(/\+.*/, ''))
      .join(';');
    expect(renderFolded(tasks).split('\n')[0]).toBe(`${root} 2`);
  });
});

describe('layers', () => {
  it.each([
    ['primitive', ['__schedule', 'schedule_timeout', 'mutex_lock_nested', '__mutex_lock.constprop.0', 'rwsem_down_write_slowpath', 'folio_wait_bit_common', 'out_of_line_wait_on_bit', 'wait_for_completion_state', 'usleep_range_state', '__flush_work.isra.0', 'rcu_barrier', 'down_read', 'jbd2_log_wait_commit', 'usb_start_wait_urb', 'afs_lock_call']],
    ['plumbing', ['filemap_get_pages', 'vfs_write', 'process_one_work', 'worker_thread', 'kthread', 'ret_from_fork_asm', '__handle_mm_fault', 'do_syscall_64', 'device_del', 'should_failslab']],
    ['entry', ['__x64_sys_execve', 'SyS_write', 'asm_exc_page_fault', 'entry_SYSCALL_64_after_hwframe', 'el0t_64_sync']],
    ['operation', ['filemap_fault', 'filemap_read', 'request_wait_answer', 'blk_mq_get_tag', 'ext4_sync_file', 'rtnl_lock', 'synchronize_rcu', 'do_coredump', '__filemap_get_folio', 'vfs_unlink', 'lock_sock_nested', 'do_wait', 'scheduler_x', 'mmc_erase', 'bprm_execve']],
  ])('%s', (layer, symbols) => {
    expect(symbols.filter((symbol) => layerOf(symbol) !== layer)).toEqual([]);
  }); // prettier-ignore
});
