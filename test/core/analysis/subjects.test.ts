import { describe, expect, it } from 'vitest';
import { subjectOf, subjectOfSymbol } from '../../../src/core/analysis/subjects.js';
import type { Frame } from '../../../src/core/model.js';

const frame = (symbol: string, module: string | null = null): Frame => ({
  symbol,
  offset: 1,
  size: 2,
  module,
  reliable: true,
});

describe('subjects', () => {
  it.each([
    ['do_worker', 'dm_thin_pool', 'a stacked block device'],
    ['rrw_enter_write', 'zfs', 'filesystem zfs'],
    ['buf_hash_insert', 'spl', 'filesystem zfs'],
    ['journal_flush_pins', 'bcachefs', 'filesystem bcachefs'],
    ['xlog_grant_head_check', 'xfs', 'filesystem xfs'],
    ['start_this_handle', 'jbd2', 'a filesystem journal'],
    ['handle_reserve_ticket', 'btrfs', 'filesystem btrfs'],
    ['msm_job_run', 'drm_msm', 'graphics'],
    ['mystery', 'qla2xxx', 'SCSI or ATA'],
    ['osc_enter_cache', 'osc', 'filesystem lustre'],
  ])('%s of the module %s belongs to %s', (symbol, module, subject) => {
    expect(subjectOf([frame('schedule'), frame(symbol, module)])?.name).toBe(subject);
  });

  it("says of a driver's own request whose it is", () => {
    const inNvme = ['schedule', 'blk_execute_rq', '__nvme_submit_sync_cmd', 'nvme_scan_work'];
    expect(subjectOf(inNvme.map((name) => frame(name)))?.name).toBe('NVMe');
    expect(subjectOf(inNvme.slice(0, 2).map((name) => frame(name)))?.name).toBe('the block layer');
  });

  it('goes outwards from the place to the first part that tells more than a general one', () => {
    const inXfs = ['schedule', 'vfs_unlink', 'xfs_remove', 'ext4_sync_file'].map((name) => frame(name));
    expect(subjectOf(inXfs)?.name).toBe('filesystem xfs');
    expect(subjectOf(['schedule', 'vfs_unlink', 'do_unlinkat'].map((name) => frame(name)))?.name).toBe('the VFS');
    expect(subjectOf([frame('schedule'), frame('thing_reset', 'thing'), frame('ext4_sync_file')])?.name).toBe('module thing');
    expect(subjectOf([frame('schedule'), frame('frobnicate')])).toBeNull();
  }); // prettier-ignore
});

it.each([
  ['zap_threads', 'a core dump'],
  ['zap_pte_range', 'memory management'],
  ['lockdep_init_map', null],
  ['run_ksoftirqd', null],
  ['_raw_spin_lock', null],
  ['__queue_work', 'a work queue'],
  ['virtio_transport_connect', 'a virtual socket'],
  ['__blk_trace_note_message', 'tracing'],
  ['cma_alloc', 'memory management'],
  ['cma_process_remove', 'RDMA'],
  ['raw_recvmsg', 'networking'],
])('%s, which sounds like another part, is of %s', (symbol, subject) => {
  expect(subjectOfSymbol(symbol)?.name ?? null).toBe(subject);
});
