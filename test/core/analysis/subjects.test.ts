import { describe, expect, it } from 'vitest';
import { ROWS, subjectOf, subjectOfSymbol } from '../../../src/core/analysis/subjects.js';
import type { Frame } from '../../../src/core/model.js';

/** One function for each row, from the kernel's sources. */
const golden: readonly (readonly [symbol: string, subject: string])[] = [
  ['fuse_simple_request', 'FUSE'],
  ['bch2_trans_commit', 'filesystem bcachefs'],
  ['jbd2_journal_commit_transaction', 'a filesystem journal'],
  ['_request_firmware', 'the firmware loader'],
  ['nvme_submit_user_cmd', 'NVMe'],
  ['ata_scsi_queuecmd', 'SCSI or ATA'],
  ['__mmc_poll_for_busy', 'MMC'],
  ['hub_port_init', 'USB'],
  ['virtblk_probe', 'virtio'],
  ['drm_atomic_commit', 'graphics'],
  ['dvb_frontend_open', 'a media device'],
  ['snd_pcm_release', 'sound'],
  ['hci_dev_do_close', 'Bluetooth'],
  ['cfg80211_wext_siwscan', 'wireless networking'],
  ['i2c_transfer', 'I2C or SPI'],
  ['tty_release', 'a serial line or terminal'],
  ['uinput_destroy_device', 'an input device'],
  ['set_current_rng', 'a random number device'],
  ['tpm_transmit', 'a TPM'],
  ['ib_unregister_device', 'RDMA'],
  ['iavf_remove', 'a network device'],
  ['pci_reset_function', 'PCI'],
  ['rpm_resume', 'power management'],
  ['ipmi_request_settime', 'an IPMI device'],
  ['really_probe', 'the driver core'],
  ['dm_suspend', 'a stacked block device'],
  ['blk_execute_rq', 'the block layer'],
  ['__blk_mq_alloc_requests', 'the block layer'],
  ['ext4_sync_file', 'filesystem ext4'],
  ['ext2_get_block', 'filesystem ext2'],
  ['xfs_buf_lock', 'filesystem xfs'],
  ['__btrfs_tree_read_lock', 'filesystem btrfs'],
  ['f2fs_balance_fs', 'filesystem f2fs'],
  ['gfs2_glock_wait', 'filesystem gfs2'],
  ['__ocfs2_cluster_lock', 'filesystem ocfs2'],
  ['nilfs_mdt_read_block', 'filesystem nilfs2'],
  ['jfs_commit_inode', 'filesystem jfs'],
  ['reiserfs_write_lock', 'filesystem reiserfs'],
  ['hfsplus_find_init', 'filesystem hfs'],
  ['ntfs_set_size', 'filesystem ntfs'],
  ['fat_update_time', 'filesystem fat'],
  ['exfat_write_inode', 'filesystem exfat'],
  ['squashfs_read_folio', 'a read-only image filesystem'],
  ['ubifs_budget_space', 'a flash filesystem'],
  ['zio_wait', 'filesystem zfs'],
  ['ovl_create_or_link', 'filesystem overlay'],
  ['au_xino_sync', 'filesystem aufs'],
  ['ecryptfs_open', 'filesystem ecryptfs'],
  ['nfsd_shutdown_threads', 'the NFS server'],
  ['nfs4_proc_getattr', 'filesystem nfs'],
  ['compound_send_recv', 'filesystem smb'],
  ['ceph_mdsc_do_request', 'filesystem ceph'],
  ['ptlrpc_queue_wait', 'filesystem lustre'],
  ['gpfsInodeDirty', 'filesystem gpfs'],
  ['p9_client_rpc', 'filesystem 9p'],
  ['afs_make_call', 'filesystem afs'],
  ['netfs_wait_for_request', 'network filesystem support'],
  ['orangefs_clean_up_interrupted_operation', 'filesystem orangefs'],
  ['autofs_mount_wait', 'the automounter'],
  ['dquot_disable', 'disk quotas'],
  ['kernfs_drain', 'kernfs or proc'],
  ['hugetlb_fault', 'huge pages'],
  ['wb_writeback', 'writeback'],
  ['exit_aio', 'asynchronous I/O'],
  ['io_ring_exit_work', 'io_uring'],
  ['rtnl_lock', 'the RTNL mutex'],
  ['nf_tables_newtable', 'netfilter'],
  ['sctp_sendmsg', 'SCTP'],
  ['rds_release', 'RDS'],
  ['tipc_release', 'TIPC'],
  ['vsock_connect', 'a virtual socket'],
  ['wg_set_device', 'WireGuard'],
  ['ppp_release', 'PPP'],
  ['bcm_release', 'CAN'],
  ['register_netdevice_notifier', 'networking'],
  ['lock_sock_nested', 'a socket'],
  ['kvm_vm_release', 'KVM'],
  ['vhost_dev_flush', 'vhost'],
  ['bpf_prog_load', 'BPF'],
  ['perf_event_release_kernel', 'perf'],
  ['tracing_open', 'tracing'],
  ['crypto_alg_lookup', 'crypto'],
  ['keyctl_instantiate_key', 'the key store'],
  ['cgroup_kn_lock_live', 'control groups'],
  ['synchronize_rcu', 'RCU'],
  ['cpuhp_kick_ap', 'CPU hotplug'],
  ['do_init_module', 'kernel modules'],
  ['shrink_lruvec', 'memory management'],
  ['do_coredump', 'a core dump'],
  ['futex_wait', 'a futex'],
  ['pipe_read', 'a pipe'],
  ['ep_poll', 'events'],
  ['do_wait', 'its children'],
  ['do_semtimedop', 'IPC'],
  ['filename_create', 'the VFS'],
  ['do_exit', 'process management'],
  ['flush_workqueue', 'a work queue'],
];

const frame = (symbol: string, module: string | null = null): Frame => ({
  symbol,
  offset: 1,
  size: 2,
  module,
  reliable: true,
});

describe('subjects', () => {
  it.each(golden)('%s belongs to %s', (symbol, subject) => {
    expect(subjectOfSymbol(symbol)?.name).toBe(subject);
  });

  it('has a function for each row', () => {
    expect(golden.map(([, subject]) => subject)).toEqual(ROWS.map(({ name }) => name));
  });

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
