/**
 * The part of the kernel that a function belongs to, by the prefixes its sources use. One row a part, the more special
 * before the more general; the test names one function for each row.
 */
import type { Frame } from '../model.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol } from './layers.js';
import { perStack, perSymbol } from './per-stack.js';

/** For ties between the ends of chains: the nearer to the hardware, the likelier the reason. */
const RANKS = { device: 5, block: 4, journal: 3, filesystem: 2, network: 2, memory: 1, core: 1, user: 0 };
type SubjectLayer = keyof typeof RANKS;

interface Subject {
  /** As it stands at the end of a title. */
  name: string;
  layer: SubjectLayer;
  /** Serves all the others: another frame outwards may tell more. */
  general?: true;
}

interface Row extends Subject {
  /** Prefixes of the names of its functions, leading underscores off; a whole name ends in `$`. */
  prefixes: string;
  /** Its modules, by whole names. They tell what short names of functions do not. */
  modules?: string;
}

// prettier-ignore
export const ROWS: readonly Row[] = [
  // Filesystems whose prefixes would else be taken for something else's.
  { name: 'FUSE', layer: 'filesystem', prefixes: 'fuse_|virtio_fs_|cuse_|request_wait_answer$', modules: 'fuse|virtiofs|cuse' },
  { name: 'filesystem bcachefs', layer: 'filesystem', prefixes: 'bch2_|journal_res_get', modules: 'bcachefs' },
  { name: 'a filesystem journal', layer: 'journal', prefixes: 'jbd2_|jbd_|journal_|kjournald|start_this_handle$|add_transaction_credits$|wait_transaction_|xlog_|xfs_log_|xfsaild|xfs_trans_reserve|wait_current_trans|btrfs_commit_transaction|start_transaction$|transaction_kthread$|txg_|nilfs_segctor_|nilfs_transaction_|lmLog|txCommit|txBegin|gfs2_log_|gfs2_trans_begin|ocfs2_commit_|ocfs2_start_trans|flush_async_commits$', modules: 'jbd2?' },

  { name: 'the firmware loader', layer: 'device', prefixes: 'request_firmware|firmware_|fw_|request_partial_firmware' },
  { name: 'NVMe', layer: 'device', prefixes: 'nvmet?_', modules: 'nvme\\w*' },
  { name: 'SCSI or ATA', layer: 'device', prefixes: 'scsi_|async_port_probe$|async_sd_probe|do_scan_async$|do_scsi_scan|sd_|sr_|sg_|st_|ata_|ahci_|sas_|virtscsi_|megasas_|mpt3?sas_|mptscsih_|ufshcd_|qla2|lpfc_|iscsi_|srp_|fc_|hpsa_|cciss_|do_cciss|storvsc_|pvscsi_', modules: 'scsi_\\w+|[sh]d_mod|s[rdg]|libata|ata_\\w+|ahci|libahci|libsas|mpt3?sas|megaraid_sas|qla2xxx|lpfc|hpsa|smartpqi|aacraid|iscsi_\\w+|libiscsi\\w*|ib_srp|virtio_scsi|ufshcd\\w*|storvsc|hv_storvsc|vmw_pvscsi' },
  { name: 'MMC', layer: 'device', prefixes: 'mmc_|sdhci_|mmcblk_|sdio_|dw_mci_', modules: 'mmc_\\w+|sdhci\\w*' },
  { name: 'USB', layer: 'device', prefixes: 'usb_|usbdev_|usbhid_|usblp_|usbtmc_|usbfs_|hub_|xhci_|ehci_|ohci_|uhci_|dwc[23]_|vhci_|dummy_hcd|proc_(?:bulk|control)|do_proc_(?:bulk|control)|raw_(?:ioctl|release|event)|gadget|uvc_|wdm_|chaoskey_|port_event$', modules: 'usb\\w*|xhci_\\w+|ehci_\\w+|uas|dwc[23]\\w*|cdc_\\w+' },
  { name: 'virtio', layer: 'device', prefixes: 'virtblk_|virtio_|virtnet_|virtqueue_|vring_|vp_|virtgpu_|balloon', modules: 'virtio_\\w+|virtio' },
  { name: 'graphics', layer: 'device', prefixes: 'drm_|i915_|intel_|amdgpu_|radeon_|nouveau_|ttm_|dma_fence_|dma_resv_|vkms_|fb_|do_fb_|fbcon_|qxl_', modules: 'drm\\w*|i915|xe|amdgpu|radeon|nouveau|ttm|vmwgfx|bochs|qxl|nvidia\\w*' },
  { name: 'a media device', layer: 'device', prefixes: 'dvb_|v4l2?_|video_|vb2_|media_|vivid_|vidtv_|cec_|dvbdev_|subdev_' },
  { name: 'sound', layer: 'device', prefixes: 'snd_|soc_', modules: 'snd_\\w+' },
  { name: 'Bluetooth', layer: 'device', prefixes: 'hci_|l2cap_|btusb_|rfcomm_|sco_|bt_|mgmt_', modules: 'bluetooth|btusb|btintel|btbcm|btrtl|hci_uart|rfcomm|bnep|hidp' },
  { name: 'wireless networking', layer: 'device', prefixes: 'ieee80211_|cfg80211_|nl80211_|wiphy_|rfkill_|ath\\d|iwl_|mt76|brcmf_|rtw_|wext_|reg_', modules: 'mac80211|cfg80211|ath\\d\\w*|iwl\\w+|mt76\\w*|brcm\\w+|rtw\\w*' },
  { name: 'I2C or SPI', layer: 'device', prefixes: 'i2c_|i2cdev_|spi_|aspeed_i2c|smbus_' },
  { name: 'a serial line or terminal', layer: 'device', prefixes: 'tty_|n_tty_|con_|vt_|vc_|do_con_|console_|uart_|serial8250_|pty_|ptmx_|n_gsm|gsm|n_hdlc|ppp_async|slip_|disassociate_ctty$|printk_|vprintk' },
  { name: 'an input device', layer: 'device', prefixes: 'evdev_|input_|serio_|uinput_|mousedev_|hid_|hidraw_|uhid_|joydev_|atkbd_|psmouse_|ps2_|i8042_' },
  { name: 'a random number device', layer: 'device', prefixes: 'rng_|hwrng_|set_current_rng$|add_early_randomness$|wait_for_random_bytes$|getrandom' },
  { name: 'a TPM', layer: 'device', prefixes: 'tpm\\d?_', modules: 'tpm\\w*' },
  { name: 'RDMA', layer: 'device', prefixes: 'ib_|rdma_|ucma_|uverbs_|mlx\\d_|rxe_|siw_|nldev_|cma_', modules: 'ib_\\w+|mlx\\d_ib|rdma_\\w+|rxe|siw' },
  { name: 'a network device', layer: 'device', prefixes: 'e1000e?_|igb_|ixgbe_|iavf_|i40e_|ice_|bnxt_|tg3_|r8169|rtl8|be_|qede?_|ena_|gve_|vmxnet3_|nsim_|netvsc_|stmmac_|phy_|mdio', modules: 'e1000e?|igb|igc|ixgbe\\w*|iavf|i40e|ice|bnxt_en|tg3|mlx\\d_core|r8169|virtio_net|vmxnet3|ena|gve|hv_netvsc' },
  { name: 'PCI', layer: 'device', prefixes: 'pci_|pcie_|pciehp_|local_pci_probe$|vmd_|vfio_|iommu_|dmar_', modules: 'vfio\\w*' },
  { name: 'power management', layer: 'device', prefixes: 'pm_|rpm_|dpm_|device_(?:resume|suspend|prepare|complete)|async_(?:resume|suspend)|regulator_|clk_|genpd_|hibernat|suspend_|cpuidle_|acpi_|thermal_' },
  { name: 'an IPMI device', layer: 'device', prefixes: 'ipmi_', modules: 'ipmi_\\w+' },
  { name: 'the driver core', layer: 'device', prefixes: 'device_|driver_|bus_|really_probe$|driver_probe|wait_for_device_probe$|deferred_probe|async_synchronize|devm_|devres_|devtmpfs|uevent_|kobject_' },

  { name: 'a stacked block device', layer: 'block', prefixes: 'dm_|raid\\d+_|md_|mddev_|bch_|bcache_|cached_dev_|loop_|lo_|nbd_|ublk_|drbd_|zram_|rbd_|crypt_|kcryptd|thin_|dmcrypt_|target_|table_load$|dev_suspend$|do_resume$|multipath_|autoclear', modules: 'dm_\\w+|md_mod|raid\\d+|bcache|nbd|loop|drbd|zram|rbd|ublk_drv|target_core_\\w+|rnbd_\\w+|vdo|kvdo|cas_\\w+' },
  // Requests that a driver makes itself, for itself: what the driver is says more.
  { name: 'the block layer', layer: 'block', general: true, prefixes: 'blk_execute_rq' },
  { name: 'the block layer', layer: 'block', prefixes: 'blk_|bio_|blkdev_|blkg_|blkcg_|submit_bio|submit_bh|del_gendisk$|add_disk|device_add_disk|disk_|bdev_|bd_|wbt_|rq_qos_|elv_|elevator_|part_|bdget|bdput|invalidate_bdev|sync_blockdev|lookup_bdev|generic_make_request|get_request|throtl_|bfq_|dd_|queue_|freeze_bdev|thaw_bdev|set_blocksize|bread|block_read|block_write|block_ioctl|sb_bread|ll_rw_block|__breadahead|mpage_|block_invalidate|rescan_partitions|reread_part|hd_|iomap_|dio_|do_blockdev_direct|do_direct_IO' },

  { name: 'filesystem ext4', layer: 'filesystem', prefixes: 'ext[34]_|mb_|da_', modules: 'ext4' },
  { name: 'filesystem ext2', layer: 'filesystem', prefixes: 'ext2_', modules: 'ext2' },
  { name: 'filesystem xfs', layer: 'filesystem', prefixes: 'xfs_|xlog|xfbtree|xchk_', modules: 'xfs' },
  { name: 'filesystem btrfs', layer: 'filesystem', prefixes: 'btrfs_|extent_write|lock_extent|lock_delalloc|find_free_extent|cow_file_range|run_delalloc|flush_space$|reserve_ticket|cleaner_kthread$|cache_block_group$|end_bio_extent|extent_readahead|read_extent_buffer|relocat', modules: 'btrfs' },
  { name: 'filesystem f2fs', layer: 'filesystem', prefixes: 'f2fs_|issue_discard_thread|issue_flush_thread|gc_thread_func|new_inode_page|read_node_page', modules: 'f2fs' },
  { name: 'filesystem gfs2', layer: 'filesystem', prefixes: 'gfs2_|glock_|do_xmote|run_queue$|freeze_go_|inode_go_|rgrp_go_|quotad_|dlm_|gdlm_', modules: 'gfs2|dlm' },
  { name: 'filesystem ocfs2', layer: 'filesystem', prefixes: 'ocfs2_|o2|dlmlock|user_dlm_', modules: 'ocfs2\\w*' },
  { name: 'filesystem nilfs2', layer: 'filesystem', prefixes: 'nilfs_', modules: 'nilfs2' },
  { name: 'filesystem jfs', layer: 'filesystem', prefixes: 'jfs_|lbm|lmGroup|lmPost|txEnd|txLazy|diRead|diNew|dbAlloc|dbFree|dbMount|dbUnmount|get_metapage|lock_metapage|release_metapage', modules: 'jfs' },
  { name: 'filesystem reiserfs', layer: 'filesystem', prefixes: 'reiserfs_|do_journal_|flush_journal|flush_commit_list|reiser_', modules: 'reiserfs' },
  { name: 'filesystem hfs', layer: 'filesystem', prefixes: 'hfs(?:plus)?_' },
  { name: 'filesystem ntfs', layer: 'filesystem', prefixes: 'ntfs\\w?_|ni_|attr_data_|attr_set_size|indx_|run_|mi_|map_mft|wnd_', modules: 'ntfs3?' },
  { name: 'filesystem fat', layer: 'filesystem', prefixes: 'v?fat_|msdos_', modules: 'v?fat' },
  { name: 'filesystem exfat', layer: 'filesystem', prefixes: 'exfat_', modules: 'exfat' },
  { name: 'a read-only image filesystem', layer: 'filesystem', prefixes: 'udf_|isofs_|squashfs_|erofs_|z_erofs_|cramfs_|romfs_|befs_' },
  { name: 'a flash filesystem', layer: 'filesystem', prefixes: 'ubifs_|ubi_|jffs2_|mtd_|nand_', modules: 'ubifs|ubi|jffs2|mtd\\w*' },
  { name: 'filesystem zfs', layer: 'filesystem', prefixes: 'zpl_|zfs_|zvol_|spa_|dmu_|dsl_|zio_|arc_|dbuf_|vdev_|taskq_|zil_|zap_|zfsvfs_|buf_hash', modules: 'zfs|spl|zcommon|znvpair|icp|zavl|zunicode' },
  { name: 'filesystem overlay', layer: 'filesystem', prefixes: 'ovl_', modules: 'overlay' },
  { name: 'filesystem aufs', layer: 'filesystem', prefixes: 'au_|aufs_|si_(?:read|write)_lock|di_(?:read|write)_lock', modules: 'aufs' },
  { name: 'filesystem ecryptfs', layer: 'filesystem', prefixes: 'ecryptfs_', modules: 'ecryptfs' },
  { name: 'the NFS server', layer: 'filesystem', prefixes: 'nfsd\\d?_|nfsd$|svc_|lockd|nlmsvc_|write_(?:threads|unlock|ports|versions)$|exp_', modules: 'nfsd|lockd' },
  { name: 'filesystem nfs', layer: 'filesystem', prefixes: 'nfs\\d?_|rpc_|xprt_|xs_|sunrpc_|nlm|pnfs_|rpcauth_', modules: 'nfsv?\\d?|sunrpc|nfs_\\w+' },
  { name: 'filesystem smb', layer: 'filesystem', prefixes: 'cifs_|smb\\d?_|SMB2_|SendReceive|compound_send_recv$|ksmbd_|wait_for_response$', modules: 'cifs|ksmbd' },
  { name: 'filesystem ceph', layer: 'filesystem', prefixes: 'ceph_', modules: 'ceph|libceph' },
  { name: 'filesystem lustre', layer: 'filesystem', prefixes: 'll_|ptlrpc_|ldlm_', modules: 'lustre|lnet|ptlrpc|mdc|osc|lov|lmv|ldlm|obdclass|ksocklnd|ko2iblnd|ldiskfs|mgc|fid|fld|osd_\\w+' },
  { name: 'filesystem gpfs', layer: 'filesystem', prefixes: 'gpfsInode', modules: 'mmfs\\w*|tracedev' },
  { name: 'filesystem 9p', layer: 'filesystem', prefixes: 'v9fs_|p9_', modules: '9p|9pnet\\w*' },
  { name: 'filesystem afs', layer: 'filesystem', prefixes: 'afs_', modules: 'kafs' },
  { name: 'network filesystem support', layer: 'filesystem', prefixes: 'netfs_|fscache_|cachefiles_', modules: 'netfs|fscache|cachefiles' },
  { name: 'filesystem orangefs', layer: 'filesystem', prefixes: 'orangefs_', modules: 'orangefs' },
  { name: 'the automounter', layer: 'filesystem', prefixes: 'autofs\\d?_', modules: 'autofs\\d?' },
  { name: 'disk quotas', layer: 'filesystem', prefixes: 'dquot_|dqget$|dqput$|quota_|v2_' },
  { name: 'kernfs or proc', layer: 'filesystem', prefixes: 'kernfs_|sysfs_|proc_|configfs_|debugfs_|seq_|full_proxy_' },
  { name: 'huge pages', layer: 'memory', prefixes: 'hugetlb_|hugetlbfs_' },
  { name: 'writeback', layer: 'filesystem', prefixes: 'wb_|writeback_|balance_dirty|sync_inodes_|bdi_|do_writepages$|write_cache_pages$|fdatawrite|wbc_|inode_switch_wbs|cgroup_writeback' },

  { name: 'asynchronous I/O', layer: 'core', prefixes: 'aio_|exit_aio$|io_submit|io_getevents|read_events$|ioctx_|kill_ioctx|lookup_ioctx|do_io_getevents' },
  { name: 'io_uring', layer: 'core', prefixes: 'io_uring_|io_ring_|io_wq_?|io_wqe?_|io_sq_|io_cqring_|io_rsrc_|io_poll_|io_issue_|io_worker|io_queue' },

  { name: 'the RTNL mutex', layer: 'network', prefixes: 'rtnl_lock' },
  { name: 'netfilter', layer: 'network', prefixes: 'nf_|nft_|nfnl|nfnetlink_|xt_|ip6?t_|ipt_|arpt_|ebt_|ip_set_|ipset_|do_ip_vs|ip_vs_|nfqnl_|htable_|hashlimit', modules: 'nf_\\w+|nft_\\w+|x_tables|ip_tables|xt_\\w+|ip_set\\w*|ip_vs\\w*' },
  { name: 'SCTP', layer: 'network', prefixes: 'sctp_' },
  { name: 'RDS', layer: 'network', prefixes: 'rds_' },
  { name: 'TIPC', layer: 'network', prefixes: 'tipc_' },
  { name: 'a virtual socket', layer: 'network', prefixes: 'vsock_|vmci_|virtio_transport_|hvs_' },
  { name: 'WireGuard', layer: 'network', prefixes: 'wg_' },
  { name: 'PPP', layer: 'network', prefixes: 'ppp_|pppol2tp_|pppoe_|l2tp_|pppox_' },
  { name: 'CAN', layer: 'network', prefixes: 'can_|bcm_|raw_(?:bind|setsockopt|enable)|isotp_|j1939_|vcan_|slcan_' },
  { name: 'networking', layer: 'network', prefixes: 'rtnl_|rtnetlink_|rtm_|netdev_|register_netdev|unregister_netdev|netlink_|genl_|genlmsg_|dev_(?:ioctl|close|open|change|mc|uc|get_by|deactivate|set|ethtool)|devinet_|devlink_|ethtool_|ethnl_|cleanup_net$|copy_net_ns$|setup_net$|ops_(?:exit|init|undo)|register_pernet|unregister_pernet|inet6?_|tcp_|udp_|udpv6_|ip6?_|ipv6_|addrconf_|ndisc_|fib6?_|mld_|igmp|raw_|rawv6_|sock_|sk_|skb_|packet_|unregister_prot_hook|tun_|tap_|br_|bond_|vlan_|macvlan|macsec_|team_|veth_|vxlan|geneve_|gre_|sit_|batadv_|bat_|hsr_|nr_|rose_|ax25_|x25_|llc_|atm|kcm_|strp_|smc_|mptcp_|tls_|xsk_|xfrm_|pfkey_|af_alg_sock|unix_|dccp_|rxrpc_|phonet|pn_|caif|cfusbl|nfc_|nci_|llcp_|rawsock_|ieee802154|lowpan_|switchdev_|dsa_|qdisc_|tc_|tcf_|net_|napi_|linkwatch_|mpls_|mroute|ip6mr|ipmr|do_ipv6|do_ip_|bpf_prog_offload|xdp_|default_device_exit|wait_iff_up' },

  { name: 'a socket', layer: 'network', general: true, prefixes: 'lock_sock' },
  { name: 'KVM', layer: 'core', prefixes: 'kvm_|vmx_|svm_|vcpu_', modules: 'kvm|kvm_intel|kvm_amd' },
  { name: 'vhost', layer: 'device', prefixes: 'vhost_', modules: 'vhost\\w*' },
  { name: 'BPF', layer: 'core', prefixes: 'bpf_|btf_|map_(?:update|lookup|create)' },
  { name: 'perf', layer: 'core', prefixes: 'perf_|swevent_|intel_pmu' },
  { name: 'tracing', layer: 'core', prefixes: 'trace_|tracing_|tracer_|event_(?:trace|enable)|ftrace_|ring_buffer_|kprobe_|uprobe_|register_kprobe|unregister_kprobe|arm_kprobe|relay_|blk_trace' },
  { name: 'crypto', layer: 'core', prefixes: 'crypto_|alg_|af_alg_|skcipher_|aead_|hash_|padata_|pcrypt_|cryptd_|cryptomgr' },
  { name: 'the key store', layer: 'core', prefixes: 'key_|keyctl_|keyring_|request_key|construct_key|big_key' },
  { name: 'control groups', layer: 'core', prefixes: 'cgroup\\d?_|cpuset_|css_|mem_cgroup_|memcg_|freezer_' },
  { name: 'RCU', layer: 'core', prefixes: 'synchronize_|rcu_|srcu_|wait_rcu|kvfree_rcu|call_rcu' },
  { name: 'CPU hotplug', layer: 'core', prefixes: 'cpuhp_|cpu_(?:up|down|hotplug|stop)|stop_(?:machine|cpus|one)|cpus_(?:read|write)_lock|takedown_cpu|multi_cpu_stop|smp_call_function|static_key_|jump_label|text_poke|on_each_cpu|migration_cpu' },
  { name: 'kernel modules', layer: 'core', prefixes: 'load_module$|do_init_module$|init_module|finit_module|idempotent_|delete_module|try_stop_module|module_|call_usermodehelper|request_module' },
  { name: 'memory management', layer: 'memory', prefixes: 'try_to_free_|shrink_|alloc_pages|kswapd|balance_pgdat|throttle_direct|collapse_huge|khugepaged|hpage_|do_swap|swap|swapin_|read_swap|mmap_|do_mmap|vm_mmap|vm_munmap|do_munmap|unmap_|exit_mmap$|exit_mm$|mmput|migrate_|compact_|kcompactd|isolate_|oom_|out_of_memory|pagefault_out|mlock_|do_mlock|munlock_|mprotect_|madvise_|do_madvise|process_madvise|userfaultfd_|handle_userfault|dup_mm|copy_mm|lru_add_drain|shmem_|kmem_cache_|slab_|vmalloc_|ksm_|numa_|change_prot|access_remote_vm|get_user_pages|faultin_|populate_vma|mm_populate|do_brk|brk|anon_vma|uprobe_mmap|lock_mm|rmap_walk|try_to_unmap' },
  { name: 'a core dump', layer: 'core', prefixes: 'do_coredump$|vfs_coredump$|coredump_|zap_threads$|elf_core_dump' },
  { name: 'a futex', layer: 'user', prefixes: 'futex_|do_futex$' },
  { name: 'a pipe', layer: 'user', prefixes: 'pipe_|splice_|do_splice|fifo_open|anon_pipe_|opipe_|ipipe_' },
  { name: 'events', layer: 'user', prefixes: 'ep_|eventfd_|epoll_|do_epoll|do_select|do_poll|do_sys_poll|poll_schedule|core_sys_select|signalfd_|timerfd_|inotify_|fanotify_|fsnotify_' },
  { name: 'its children', layer: 'user', prefixes: 'do_wait$|do_wait_|kernel_wait|wait4' },
  { name: 'IPC', layer: 'user', prefixes: 'sem_|do_semtimedop|do_msgrcv|do_msgsnd|msg_|mq_|shm_|wq_sleep|ipc_|free_ipc' },
  { name: 'the VFS', layer: 'filesystem', general: true, prefixes: 'path_|lookup_|walk_component|link_path_walk|open_last_lookups|do_open|do_last|do_filp_open|filename_|do_unlinkat|do_rmdir|do_mkdirat|do_mknodat|do_renameat|do_linkat|do_symlinkat|do_truncate|do_sys_ftruncate|iterate_|vfs_|chmod_|chown_|notify_change|setxattr|removexattr|iput|evict|find_inode|iget|ilookup|inode_|new_inode|d_|dput|dentry_|shrink_dcache|mount_|do_mount|do_new_mount|do_umount|do_loopback|do_move_mount|do_add_mount|attach_recursive|namespace_|copy_mnt|copy_tree|lock_mount|lock_rename|lock_two|mnt_|mntput|cleanup_mnt|deactivate_|generic_shutdown_super|kill_|get_super|user_get_super|grab_super|super_|sget|iterate_supers|freeze_super|thaw_super|sync_filesystem|sync_inode|ksys_sync|do_fsync|fdget|fget|fput|locks_|fcntl_|flock_|do_dup2|chrdev_|misc_|filemap_|generic_|truncate_|page_cache_|do_read_cache|read_cache|invalidate_inode|pagecache_|splice_direct|fs_context|legacy_get_tree|do_lock_file' },
  { name: 'process management', layer: 'core', general: true, prefixes: 'do_exit$|do_group_exit|exit_|copy_process$|kernel_clone|do_fork|begin_new_exec|bprm_|load_|do_execve|exec_|flush_old_exec|de_thread|ptrace_|get_signal|do_signal_stop|zap_pid|cad_pid|setpgid|kthread_' },
  { name: 'a work queue', layer: 'core', general: true, prefixes: 'flush_|cancel_|drain_workqueue|destroy_workqueue|process_one_work|worker_|rescuer_|work_on_cpu|schedule_on_each' },
];

const COMPILED = ROWS.map((row) => ({ row, pattern: new RegExp(`^_*(?:${row.prefixes})`) }));
const MODULES = ROWS.flatMap((row) =>
  row.modules === undefined ? [] : [{ row, pattern: new RegExp(`^(?:${row.modules})$`) }],
);

/** The part of the kernel that one function belongs to, or null. */
export const subjectOfSymbol = perSymbol((symbol): Subject | null => {
  const name = baseSymbol(symbol);
  return COMPILED.find(({ pattern }) => pattern.test(name))?.row ?? null;
});

/** The part of the kernel that a module is, or null. */
const subjectOfModule = perSymbol(
  (module): Subject | null => MODULES.find(({ pattern }) => pattern.test(module))?.row ?? null,
);

/** By its name, and by its module where that is known: a filesystem's own journal is the filesystem's. */
function subjectOfFrame({ symbol, module }: Frame): Subject | null {
  const byName = subjectOfSymbol(symbol);
  const byModule = module === null ? null : subjectOfModule(module);
  if (!byModule || byModule === byName) return byName;
  return byName?.layer === 'journal' ? { name: byModule.name, layer: 'journal' } : byModule;
}

/**
 * The part of the kernel a stack is stuck in: that of its operation frame, or of the nearest frame outwards that tells
 * one. A module without a row is a part by its name; a part that serves all others is said only where no other is.
 */
export const subjectOf = perStack((frames): Subject | null => {
  const firm = firmFrames(frames);
  const operation = operationFrame(frames);
  let general: Subject | null = null;
  for (const frame of operation ? firm.slice(firm.indexOf(operation)) : firm) {
    const subject = subjectOfFrame(frame);
    if (subject && subject.general !== true) return subject;
    if (!subject && frame.module !== null) return { name: `module ${frame.module}`, layer: 'filesystem' };
    general ??= subject;
  }
  return general;
});

export const subjectRank = (frames: readonly Frame[]): number => {
  const subject = subjectOf(frames);
  return subject ? RANKS[subject.layer] : 0;
};
