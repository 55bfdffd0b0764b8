/**
 * The parts of the kernel, a record each: by what a stack, a module, a line of the log or a program is known to be of
 * it. The other tables derive theirs from this one; so a new filesystem with a server is one record here. The more special
 * stand before the more general: of several whose prefixes fit a function, the first has it.
 *
 * All but `examples` are regular expressions. Names are from the kernel's sources, 2.6 to 7.x, and from those of modules
 * kept outside of it (ZFS, Lustre, aufs).
 */

/** For ties between the ends of chains, see subjects.ts. */
export type SubjectLayer =
  'device' | 'block' | 'journal' | 'filesystem' | 'network' | 'memory' | 'core' | 'user';

/** Who answers outside of the guest's kernel: on the host, on another machine, or a program in the guest. */
interface Server<Kind extends string> {
  /** What the wait for it is called in annotations. */
  kind: Kind;
  /** What is awaited, and where it goes, for the title. */
  request: string;
  where: string;
  /** Functions that only the server's answer ends; in S too, which a dump of blocked tasks does not show. */
  waits: readonly string[];
  /** What the names of the filesystem's methods begin with: the outermost of them made the request. */
  methods: readonly string[];
  /** Requests for a file lock wait as long as somebody holds the lock, which is no sign of a dead server. */
  fileLocks?: readonly string[];
  /** The servers of the guest's shares on the host may be the ones. */
  shared?: true;
  /** The parameter of the kernel's command line that names the server of the root. */
  rootParameter?: string;
}

interface Journal {
  /** Prefixes of functions that belong to the journal and not to the filesystem at large. */
  prefixes?: readonly string[];
  /** Functions that wait for a commit. */
  commitWaits?: readonly string[];
  /** Functions that wait for a transaction to begin or end. */
  transactionWaits?: readonly string[];
  /** The thread that `waiters` wait for: by its name, or by a function it is in, and not while it waits itself. */
  thread?: {
    waiters: readonly string[];
    comm?: RegExp;
    works?: readonly string[];
    notWhile?: readonly string[];
    /** What is awaited, and why it is this thread's, for the edge of the wait-for graph. */
    through: string;
    reason: string;
  };
}

export interface Subsystem<Kind extends string = ServerKind> {
  /** As it stands at the end of a title. */
  name: string;
  layer: SubjectLayer;
  /** Serves all the others: another frame outwards may tell more. */
  general?: true;
  /** Prefixes of the names of its functions, leading underscores off; a whole name ends in `$`. */
  prefixes: readonly string[];
  /** Its modules, by whole names. They tell what short names of functions do not. */
  modules?: readonly string[];
  /** Functions that name the place, although they sound like a helper around a sleep. */
  anchors?: readonly string[];
  server?: Server<Kind>;
  /** Programs in the guest that answer for it, by their names, which the kernel cuts to 15 characters. */
  programs?: RegExp;
  /** The same by a function on their stack: in these a program takes requests. */
  takesRequests?: readonly string[];
  /** What the kernel says when it has mounted one; DEVICE stands for the device's name. */
  mounted?: { line: string; example: string };
  journal?: Journal;
  /** Functions that wait for a lock of the cluster. */
  clusterLocks?: readonly string[];
  /** Functions, at least one for each prefix. */
  examples: readonly string[];
}

// prettier-ignore
const TABLE = [
  {
    name: 'FUSE', layer: 'filesystem',
    prefixes: ['fuse_', 'virtio_fs_', 'cuse_', 'request_wait_answer$'],
    modules: ['fuse', 'virtiofs', 'cuse'],
    anchors: ['request_wait_answer'],
    server: {
      kind: 'fuse', request: 'FUSE request', where: 'a FUSE server', shared: true,
      waits: ['request_wait_answer', '_*fuse_simple_request', '_*fuse_request_send', 'fuse_get_req\\w*', 'virtio_fs_enqueue_req'],
      methods: ['_*fuse_', 'virtio_fs_', 'cuse_'],
      fileLocks: ['fuse_setlk', 'fuse_file_lock', 'fuse_file_flock'],
    },
    programs: /fuse\d?$|^fused$|^fuse(?:[-_.]|2fs|iso|dav)|^(?:virtiofsd|xdg-document-po|gvfsd|sshfs|s3fs|goofys|rclone|mount\.ntfs|ntfs-3g|lxcfs|encfs|gocryptfs|cryfs|mergerfs|gluster|bindfs)/i,
    takesRequests: ['fuse_dev_(?:do_read|read|splice_read)'],
    examples: [
      'fuse_simple_request', 'virtio_fs_probe', 'cuse_open', 'request_wait_answer', '__fuse_request_send',
      'fuse_get_req', 'virtio_fs_enqueue_req', 'fuse_setlk', 'fuse_file_lock', 'fuse_file_flock', 'fuse_dev_do_read',
    ],
  },
  {
    name: 'filesystem bcachefs', layer: 'filesystem',
    prefixes: ['bch2_', 'journal_res_get'],
    modules: ['bcachefs'],
    examples: ['bch2_trans_commit', '__journal_res_get'],
  },
  {
    name: 'a filesystem journal', layer: 'journal',
    prefixes: [
      'jbd2_', 'jbd_', 'journal_', 'kjournald', 'start_this_handle$', 'add_transaction_credits$', 'wait_transaction_',
    ],
    modules: ['jbd2?'],
    journal: {
      commitWaits: ['(?:jbd2?_)?log_wait_commit'],
      transactionWaits: ['start_this_handle', 'add_transaction_credits', 'wait_transaction_\\w+'],
      thread: {
        waiters: [
          'jbd2_log_wait_commit', 'start_this_handle', 'jbd2_journal_\\w+', 'wait_transaction_\\w+', 'add_transaction_credits',
          'jbd2_complete_transaction',
        ],
        comm: /^jbd2\//,
        through: 'a journal commit', reason: 'this thread commits the journal',
      },
    },
    examples: [
      'jbd2_journal_commit_transaction', 'jbd_alloc', 'journal_commit_transaction', 'kjournald2', 'start_this_handle',
      'add_transaction_credits', 'wait_transaction_locked', 'jbd2_log_wait_commit', 'jbd2_complete_transaction',
    ],
  },
  {
    name: 'the firmware loader', layer: 'device',
    prefixes: ['request_firmware', 'firmware_', 'fw_', 'request_partial_firmware'],
    examples: ['_request_firmware', 'firmware_data_read', 'fw_destroy', 'request_partial_firmware_into_buf'],
  },
  { name: 'NVMe', layer: 'device', prefixes: ['nvmet?_'], modules: ['nvme\\w*'], examples: ['nvme_submit_user_cmd'] },
  {
    name: 'a SCSI target', layer: 'block',
    prefixes: [
      'target_(?!message)', 'transport_(?:clear|generic|wait|send|lookup|deregister|free)_', 'core_(?:tmr|tpg|scsi3|alua)_',
      'iscsit_', 'iscsi_target_', 'iscsi_check_for_session', 'isert_', 'srpt_', 'tcm_', 'lio_',
    ],
    modules: ['target_core_\\w+', 'iscsi_target_mod', 'tcm_\\w+', 'ib_isert', 'ib_srpt'],
    examples: [
      'target_wait_for_sess_cmds', 'transport_clear_lun_ref', 'core_tmr_lun_reset', 'iscsit_close_connection',
      'iscsi_target_tx_thread', 'iscsi_check_for_session_reinstatement', 'isert_wait_conn', 'srpt_remove_one',
      'tcm_loop_issue_tmr', 'lio_target_tpg_enable_store',
    ],
  },
  {
    name: 'SCSI or ATA', layer: 'device',
    prefixes: [
      'scsi_', 'async_port_probe$', 'do_scan_async$', 'do_scsi_scan', 'sd_', 'sr_', 'sg_', 'st_', 'ata_', 'ahci_',
      'sas_', 'virtscsi_', 'megasas_', 'mpt3?sas_', 'mptscsih_', 'ufshcd_', 'qla2', 'lpfc_', 'iscsi_', 'srp_', 'fc_',
      'hpsa_', 'cciss_', 'do_cciss', 'storvsc_', 'pvscsi_',
    ],
    modules: [
      'scsi_\\w+', '[sh]d_mod', 's[rdg]', 'libata', 'ata_\\w+', 'ahci', 'libahci', 'libsas', 'mpt3?sas',
      'megaraid_sas', 'qla2xxx', 'lpfc', 'hpsa', 'smartpqi', 'aacraid', 'iscsi_\\w+', 'libiscsi\\w*', 'ib_srp',
      'virtio_scsi', 'ufshcd\\w*', 'storvsc', 'hv_storvsc', 'vmw_pvscsi',
    ],
    programs: /^(?:tgtd|iscsid)/,
    examples: [
      'scsi_ioctl', 'async_port_probe', 'do_scan_async', 'do_scsi_scan_host', 'sd_open', 'sr_open', 'sg_open',
      'st_open', 'ata_scsi_queuecmd', 'ahci_reset_em', 'sas_discover_domain', 'virtscsi_probe', 'megasas_suspend',
      'mptsas_probe', 'mptscsih_remove', 'ufshcd_remove', 'qla2x00_do_work', 'lpfc_do_work', 'iscsi_conn_stop',
      'srp_reconnect_rport', 'fc_remote_port_delete', 'hpsa_ioctl', 'cciss_ioctl', 'do_cciss_request',
      'storvsc_probe', 'pvscsi_probe',
    ],
  },
  {
    name: 'MMC', layer: 'device',
    prefixes: ['mmc_', 'sdhci_', 'sdio_', 'dw_mci_'],
    modules: ['mmc_\\w+', 'sdhci\\w*'],
    examples: ['__mmc_poll_for_busy', 'sdhci_reset', 'sdio_reset', 'dw_mci_request'],
  },
  {
    name: 'USB', layer: 'device',
    prefixes: [
      'usb_', 'usbdev_', 'usbhid_', 'usblp_', 'usbtmc_', 'usbfs_', 'hub_', 'xhci_', 'ehci_', 'ohci_', 'uhci_',
      'dwc[23]_', 'vhci_', 'dummy_hcd', 'proc_(?:bulk|control)', 'do_proc_(?:bulk|control)',
      'raw_(?:ioctl|release|event)', 'gadget', 'uvc_', 'wdm_', 'chaoskey_', 'port_event$', 'read_descriptors$',
    ],
    modules: ['usb\\w*', 'xhci_\\w+', 'ehci_\\w+', 'uas', 'dwc[23]\\w*', 'cdc_\\w+'],
    examples: [
      'usb_unbind_interface', 'usbdev_open', 'usbhid_open', 'usblp_open', 'usbtmc_open', 'usbfs_notify_suspend',
      'hub_port_init', 'xhci_stop', 'ehci_stop', 'ohci_stop', 'uhci_stop', 'dwc3_gadget_run_stop', 'vhci_open',
      'dummy_hcd_probe', 'proc_bulk', 'do_proc_bulk', 'raw_ioctl', 'gadgetfs_kill_sb', 'uvc_alloc', 'wdm_open',
      'chaoskey_disconnect', 'port_event', 'read_descriptors',
    ],
  },
  {
    name: 'virtio', layer: 'device',
    prefixes: ['virtblk_', 'virtio_(?!transport_|vsock_)', 'virtnet_', 'virtqueue_', 'vring_', 'vp_', 'virtgpu_', 'balloon'],
    modules: ['virtio_\\w+', 'virtio'],
    examples: [
      'virtblk_probe', 'virtio_dev_probe', 'virtnet_open', 'virtqueue_reset', 'vring_alloc_queue', 'vp_reset',
      'virtgpu_gem_map_dma_buf', 'balloon_probe',
    ],
  },
  {
    name: 'graphics', layer: 'device',
    prefixes: [
      'drm_', 'i915_', 'intel_', 'amdgpu_', 'radeon_', 'nouveau_', 'ttm_', 'dma_fence_', 'dma_resv_', 'vkms_', 'fb_',
      'do_fb_', 'fbcon_', 'qxl_',
    ],
    modules: ['drm\\w*', 'i915', 'xe', 'amdgpu', 'radeon', 'nouveau', 'ttm', 'vmwgfx', 'bochs', 'qxl', 'nvidia\\w*'],
    examples: [
      'drm_atomic_commit', 'i915_l3_read', 'intel_atomic_commit', 'amdgpu_cs_wait_ioctl', 'radeon_cs_ioctl',
      'nouveau_read', 'ttm_bo_wait', 'dma_fence_default_wait', 'dma_resv_wait_timeout', 'vkms_atomic_commit_tail',
      'fb_release', 'do_fb_ioctl', 'fbcon_sis_sync', 'qxl_gc_work',
    ],
  },
  {
    name: 'a media device', layer: 'device',
    prefixes: ['dvb_', 'v4l2?_', 'video_', 'vb2_', 'media_', 'vivid_', 'vidtv_', 'cec_', 'dvbdev_', 'subdev_'],
    examples: [
      'dvb_frontend_open', 'v4l2_open', 'video_open', 'vb2_read', 'media_open', 'vivid_stop_generating_vid_cap',
      'vidtv_start_feed', 'cec_open', 'dvbdev_get_free_id', 'subdev_open',
    ],
  },
  {
    name: 'sound', layer: 'device',
    prefixes: ['snd_', 'soc_'],
    modules: ['snd_\\w+'],
    examples: ['snd_pcm_release', 'soc_pcm_close'],
  },
  {
    name: 'Bluetooth', layer: 'device',
    prefixes: ['hci_', 'l2cap_', 'btusb_', 'rfcomm_', 'sco_', 'bt_', 'mgmt_'],
    modules: ['bluetooth', 'btusb', 'btintel', 'btbcm', 'btrtl', 'hci_uart', 'rfcomm', 'bnep', 'hidp'],
    examples: [
      'hci_dev_do_close', 'l2cap_do_send', 'btusb_open', 'rfcomm_send_dm', 'sco_sock_kill', 'bt_accept_dequeue',
      'mgmt_alloc_skb',
    ],
  },
  {
    name: 'wireless networking', layer: 'device',
    prefixes: [
      'ieee80211_', 'cfg80211_', 'nl80211_', 'wiphy_', 'rfkill_', 'ath\\d', 'iwl_', 'mt76', 'brcmf_', 'rtw_', 'wext_',
      'reg_',
    ],
    modules: ['mac80211', 'cfg80211', 'ath\\d\\w*', 'iwl\\w+', 'mt76\\w*', 'brcm\\w+', 'rtw\\w*'],
    examples: [
      'ieee80211_open', 'cfg80211_wext_siwscan', 'nl80211_stop_ap', 'wiphy_unregister', 'rfkill_epo', 'ath5k_stop',
      'iwl_drv_stop', 'mt76_tx', 'brcmf_alloc', 'rtw_ioctl', 'wext_handle_ioctl', 'reg_process_hint',
    ],
  },
  {
    name: 'I2C or SPI', layer: 'device',
    prefixes: ['i2c_', 'i2cdev_', 'spi_', 'aspeed_i2c', 'smbus_'],
    examples: ['i2c_transfer', 'i2cdev_read', 'spi_read', 'aspeed_i2c_master_xfer', 'smbus_cmi_probe'],
  },
  {
    name: 'a serial line or terminal', layer: 'device',
    prefixes: [
      'tty_', 'n_tty_', 'con_', 'vt_', 'vc_', 'do_con_', 'console_', 'uart_', 'serial8250_', 'pty_', 'ptmx_', 'gsm',
      'n_hdlc', 'ppp_async', 'slip_', 'disassociate_ctty$', 'printk_', 'vprintk',
    ],
    examples: [
      'tty_release', 'n_tty_read', 'con_flush_chars', 'vt_ioctl', 'vc_reset_params', 'do_con_write', 'console_lock',
      'uart_console_write', 'serial8250_console_write', 'pty_open', 'ptmx_open', 'gsm_dlci_close', 'n_hdlc_tty_open',
      'ppp_async_push', 'slip_open', 'disassociate_ctty', 'printk_trigger_flush', 'vprintk',
    ],
  },
  {
    name: 'an input device', layer: 'device',
    prefixes: [
      'evdev_', 'input_', 'serio_', 'uinput_', 'mousedev_', 'hid_', 'hidraw_', 'uhid_', 'joydev_', 'atkbd_',
      'psmouse_', 'ps2_', 'i8042_',
    ],
    examples: [
      'evdev_open', 'input_event', 'serio_interrupt', 'uinput_destroy_device', 'mousedev_open', 'hid_reset',
      'hidraw_open', 'uhid_hid_open', 'joydev_open', 'atkbd_interrupt', 'psmouse_reset', 'ps2_interrupt',
      'i8042_interrupt',
    ],
  },
  {
    name: 'a random number device', layer: 'device',
    prefixes: ['rng_', 'hwrng_', 'set_current_rng$', 'add_early_randomness$', 'wait_for_random_bytes$'],
    examples: [
      'rng_dev_read', 'hwrng_unregister', 'set_current_rng', 'add_early_randomness', 'wait_for_random_bytes',
    ],
  },
  { name: 'a TPM', layer: 'device', prefixes: ['tpm\\d?_'], modules: ['tpm\\w*'], examples: ['tpm_transmit'] },
  {
    name: 'RDMA', layer: 'device',
    prefixes: ['ib_', 'rdma_', 'ucma_', 'uverbs_', 'mlx\\d_', 'rxe_', 'siw_', 'nldev_', 'cma_(?!alloc|release|declare|init|range|clear|debug)'],
    modules: ['ib_\\w+', 'mlx\\d_ib', 'rdma_\\w+', 'rxe', 'siw'],
    examples: [
      'ib_unregister_device', 'rdma_close', 'ucma_open', 'uverbs_alloc_api', 'mlx4_reset', 'rxe_alloc',
      'siw_create_qp', 'nldev_dellink', 'cma_remove_one',
    ],
  },
  {
    name: 'a network device', layer: 'device',
    prefixes: [
      'e1000e?_', 'igb_', 'ixgbe_', 'iavf_', 'i40e_', 'ice_', 'bnxt_', 'tg3_', 'r8169', 'rtl8', 'be_', 'qede?_',
      'ena_', 'gve_', 'vmxnet3_', 'nsim_', 'netvsc_', 'stmmac_', 'phy_', 'mdio',
    ],
    modules: [
      'e1000e?', 'igb', 'igc', 'ixgbe\\w*', 'iavf', 'i40e', 'ice', 'bnxt_en', 'tg3', 'mlx\\d_core', 'r8169',
      'virtio_net', 'vmxnet3', 'ena', 'gve', 'hv_netvsc',
    ],
    examples: [
      'e1000_open', 'igb_open', 'ixgbe_open', 'iavf_remove', 'i40e_open', 'ice_remove', 'bnxt_open', 'tg3_open',
      'r8169_mdio_read', 'rtl8139_open', 'be_open', 'qed_drain', 'ena_close', 'gve_open', 'vmxnet3_open',
      'nsim_dev_reload_destroy', 'netvsc_open', 'stmmac_open', 'phy_stop', 'mdiobus_read',
    ],
  },
  {
    name: 'PCI', layer: 'device',
    prefixes: ['pci_', 'pcie_', 'pciehp_', 'local_pci_probe$', 'vmd_', 'vfio_', 'iommu_', 'dmar_'],
    modules: ['vfio\\w*'],
    examples: [
      'pci_reset_function', 'pcie_wait_for_link', 'pciehp_ist', 'local_pci_probe', 'vmd_probe',
      'vfio_unregister_group_dev', 'iommu_map', 'dmar_fault',
    ],
  },
  {
    name: 'power management', layer: 'device',
    prefixes: [
      'pm_', 'rpm_', 'dpm_', 'device_(?:resume|suspend|prepare|complete)', 'async_(?:resume|suspend)', 'regulator_',
      'clk_', 'genpd_', 'hibernat', 'suspend_', 'cpuidle_', 'acpi_', 'thermal_',
    ],
    examples: [
      'pm_runtime_barrier', 'rpm_resume', 'dpm_sysfs_remove', 'device_resume', 'async_resume', 'regulator_led_probe',
      'clk_prepare_lock', 'genpd_power_off', 'hibernate', 'suspend_devices_and_enter', 'cpuidle_pause_and_lock',
      'acpi_read', 'thermal_zone_device_check',
    ],
  },
  {
    name: 'an IPMI device', layer: 'device',
    prefixes: ['ipmi_'],
    modules: ['ipmi_\\w+'],
    examples: ['ipmi_request_settime'],
  },
  {
    name: 'the driver core', layer: 'device',
    prefixes: [
      'device_', 'driver_', 'bus_', 'really_probe$', 'driver_probe', 'wait_for_device_probe$', 'deferred_probe',
      'async_synchronize', 'devm_', 'devres_', 'devtmpfs', 'uevent_', 'kobject_',
    ],
    examples: [
      'device_release_driver_internal', 'driver_register', 'bus_add_driver', 'really_probe', 'driver_probe_device',
      'wait_for_device_probe', 'deferred_probe_work_func', 'async_synchronize_full', 'devm_kmalloc', 'devres_remove',
      'devtmpfs_work_loop', 'uevent_filter', 'kobject_create_and_add',
    ],
  },
  {
    name: 'a network block device', layer: 'block',
    prefixes: ['nbd_', 'recv_work$'],
    modules: ['nbd'],
    examples: ['nbd_ioctl', 'recv_work'],
  },
  {
    name: 'a stacked block device', layer: 'block',
    prefixes: [
      'dm_', 'raid\\d+_', 'md_', 'mddev_', 'bch_', 'bcache_', 'cached_dev_', 'loop_', 'lo_', 'ublk_', 'drbd_',
      'zram_', 'rbd_', 'crypt_', 'kcryptd', 'thin_', 'dmcrypt_', 'table_load$', 'dev_suspend$',
      'do_resume$', 'multipath_',
    ],
    modules: [
      'dm_\\w+', 'md_mod', 'raid\\d+', 'bcache', 'loop', 'drbd', 'zram', 'rbd', 'ublk_drv',
      'rnbd_\\w+', 'vdo', 'kvdo', 'cas_\\w+',
    ],
    programs: /^(?:nbd|qemu-nbd|qemu-storage|ublk|target_|drbd|tcmu-runner|multipathd|dmeventd)/,
    examples: [
      'dm_suspend', 'raid5_do_work', 'md_thread', 'mddev_unlock', 'bch_alloc', 'bcache_device_stop',
      'cached_dev_flush', 'loop_process_work', 'lo_release', 'ublk_ctrl_uring_cmd', 'drbd_open',
      'zram_open', 'rbd_open', 'crypt_alloc_tfms', 'kcryptd_crypt', 'thin_presuspend', 'dmcrypt_write',
      'table_load', 'dev_suspend', 'do_resume', 'multipath_presuspend',
    ],
  },
  {
    name: 'the block layer', layer: 'block', general: true,
    prefixes: ['blk_execute_rq'],
    examples: ['blk_execute_rq'],
  },
  {
    name: 'the block layer', layer: 'block',
    prefixes: [
      'blk_(?!trace_|add_trace_|log_)', 'bio_', 'blkdev_', 'blkg_', 'blkcg_', 'submit_bio', 'submit_bh', 'del_gendisk$', 'add_disk', 'disk_',
      'bdev_', 'bd_', 'wbt_', 'rq_qos_', 'elv_', 'elevator_', 'part_', 'bdget', 'bdput', 'invalidate_bdev',
      'sync_blockdev', 'lookup_bdev', 'generic_make_request', 'get_request', 'throtl_', 'bfq_', 'dd_', 'queue_(?!(?:delayed_|rcu_)?work|stop_cpus)',
      'freeze_bdev', 'thaw_bdev', 'set_blocksize', 'bread', 'block_read', 'block_write', 'block_ioctl', 'sb_bread',
      'll_rw_block', '__breadahead', 'mpage_', 'block_invalidate', 'rescan_partitions', 'hd_', 'iomap_', 'dio_',
      'do_blockdev_direct', 'do_direct_IO',
    ],
    anchors: ['rq_qos_wait'],
    examples: [
      '__blk_mq_alloc_requests', 'bio_reset', 'blkdev_close', 'blkg_async_bio_workfn', 'blkcg_css_alloc',
      'submit_bio', 'submit_bh', 'del_gendisk', 'add_disk_fwnode', 'disk_scan_partitions', 'bdev_disk_changed',
      'bd_prepare_to_claim', 'wbt_wait', 'rq_qos_wait', 'elv_merge', 'elevator_alloc', 'part_release', 'bdget',
      'bdput', 'invalidate_bdev', 'sync_blockdev', 'lookup_bdev', 'generic_make_request', 'get_request',
      'throtl_pd_alloc', 'bfq_has_work', 'dd_dispatch_request', 'queue_attr_store', 'freeze_bdev', 'thaw_bdev',
      'set_blocksize', '__bread_gfp', 'block_read_full_folio', 'block_write_end', 'block_ioctl', '__sb_bread',
      'll_rw_block', '__breadahead', 'mpage_prepare_extent_to_map', 'block_invalidate_folio', 'rescan_partitions',
      'hd_struct_free', 'iomap_write_end', 'dio_bio_complete', 'do_blockdev_direct_IO', 'do_direct_IO',
    ],
  },
  {
    name: 'filesystem ext4', layer: 'filesystem',
    prefixes: ['ext[34]_', 'mb_', 'da_'],
    modules: ['ext4'],
    mounted: { line: 'EXT4-fs \\(DEVICE\\): (?:re-?)?mounted', example: 'EXT4-fs (vda1): mounted filesystem 1b2c r/w' },
    examples: ['ext4_sync_file', 'mb_cache_create', 'da_ui'],
  },
  {
    name: 'filesystem ext2', layer: 'filesystem',
    prefixes: ['ext2_'],
    modules: ['ext2'],
    mounted: { line: 'EXT2-fs \\(DEVICE\\): (?:re-?)?mounted', example: 'EXT2-fs (vda): mounted' },
    examples: ['ext2_get_block'],
  },
  {
    name: 'filesystem xfs', layer: 'filesystem',
    prefixes: ['xfs_', 'xfbtree', 'xchk_'],
    modules: ['xfs'],
    mounted: { line: 'XFS \\(DEVICE\\): (?:Mounting|Ending clean mount)', example: 'XFS (vda): Mounting V5 Filesystem' },
    journal: {
      prefixes: ['xlog_', 'xfs_log_', 'xfsaild', 'xfs_trans_reserve'],
      commitWaits: ['xfs_log_force\\w*', 'xlog_wait_on_iclog'],
      transactionWaits: ['xlog_grant_head_\\w+'],
      thread: {
        waiters: ['xlog_\\w+', 'xfs_log_\\w+', 'xfs_trans_reserve\\w*'],
        works: ['xfsaild', 'xfsaild_push', 'xlog_cil_push_work', 'xlog_ioend_work', 'xfs_log_worker'],
        notWhile: ['xlog_grant_head_\\w+'],
        through: 'the XFS log', reason: 'this thread pushes the log',
      },
    },
    examples: [
      'xfs_buf_lock', 'xfbtree_trans_commit', 'xchk_bmap', 'xlog_grant_head_wait', 'xfs_log_force', 'xfsaild',
      'xfs_trans_reserve_quota_icreate', 'xlog_wait_on_iclog', 'xfsaild_push', 'xlog_cil_push_work',
      'xlog_ioend_work', 'xfs_log_worker',
    ],
  },
  {
    name: 'filesystem btrfs', layer: 'filesystem',
    prefixes: [
      'btrfs_', 'extent_write', 'lock_extent', 'lock_delalloc', 'find_free_extent', 'cow_file_range', 'run_delalloc',
      'flush_space$', 'cleaner_kthread$', 'cache_block_group$', 'end_bio_extent', 'extent_readahead',
      'read_extent_buffer', 'relocat',
    ],
    modules: ['btrfs'],
    mounted: { line: 'BTRFS info \\(device DEVICE\\b', example: 'BTRFS info (device sdb): using crc32c' },
    journal: {
      prefixes: ['wait_current_trans', 'btrfs_commit_transaction', 'start_transaction$', 'transaction_kthread$', 'flush_async_commits$'],
      transactionWaits: ['wait_current_trans\\w*', 'btrfs_commit_transaction\\w*', 'btrfs_wait_for_commit'],
      thread: {
        waiters: ['wait_current_trans\\w*', 'btrfs_commit_transaction\\w*', 'btrfs_wait_for_commit', 'btrfs_async_run_delayed_root'],
        comm: /^btrfs-transacti/, notWhile: ['wait_current_trans\\w*'],
        through: 'a btrfs transaction', reason: 'this thread commits transactions',
      },
    },
    examples: [
      '__btrfs_tree_read_lock', 'extent_write_cache_pages', 'lock_extent_bits', 'lock_delalloc_pages',
      'find_free_extent', 'cow_file_range', 'run_delalloc_cow', 'flush_space', 'cleaner_kthread', 'cache_block_group',
      'end_bio_extent_readpage', 'extent_readahead', 'read_extent_buffer', 'relocate_block_group',
      'wait_current_trans', 'btrfs_commit_transaction', 'start_transaction', 'transaction_kthread',
      'flush_async_commits', 'btrfs_wait_for_commit', 'btrfs_async_run_delayed_root',
    ],
  },
  {
    name: 'filesystem f2fs', layer: 'filesystem',
    prefixes: [
      'f2fs_', 'issue_discard_thread', 'issue_flush_thread', 'gc_thread_func', 'new_inode_page', 'read_node_page',
    ],
    modules: ['f2fs'],
    mounted: { line: 'F2FS-fs \\(DEVICE\\): Mounted', example: 'F2FS-fs (vdb): Mounted with checkpoint version = 7' },
    examples: [
      'f2fs_balance_fs', 'issue_discard_thread', 'issue_flush_thread', 'gc_thread_func', 'new_inode_page',
      'read_node_page',
    ],
  },
  {
    name: 'filesystem gfs2', layer: 'filesystem',
    prefixes: [
      'gfs2_', 'glock_', 'do_xmote', 'run_queue$', 'freeze_go_', 'inode_go_', 'rgrp_go_', 'quotad_', 'gdlm_',
    ],
    modules: ['gfs2'],
    journal: { prefixes: ['gfs2_log_', 'gfs2_trans_begin'] },
    clusterLocks: ['gfs2_glock_wait'],
    examples: [
      'gfs2_glock_wait', 'glock_work_func', 'do_xmote', 'run_queue', 'freeze_go_callback', 'inode_go_sync',
      'rgrp_go_sync', 'quotad_check_timeo', 'gdlm_lock', 'gfs2_log_flush', 'gfs2_trans_begin',
    ],
  },
  {
    name: 'the lock manager of a cluster (DLM)', layer: 'filesystem',
    prefixes: ['dlm_'],
    modules: ['dlm'],
    clusterLocks: ['dlm_lock_sync\\w*'],
    examples: ['dlm_lock', 'dlm_lock_sync'],
  },
  {
    name: 'filesystem ocfs2', layer: 'filesystem',
    prefixes: ['ocfs2_', 'o2', 'dlmlock', 'user_dlm_'],
    modules: ['ocfs2\\w*'],
    journal: { prefixes: ['ocfs2_commit_', 'ocfs2_start_trans'] },
    clusterLocks: ['_*ocfs2_cluster_lock', 'ocfs2_wait_for_mask'],
    examples: [
      '__ocfs2_cluster_lock', 'o2hb_thread', 'dlmlock', 'user_dlm_lock', 'ocfs2_commit_trans', 'ocfs2_start_trans',
      'ocfs2_wait_for_mask',
    ],
  },
  {
    name: 'filesystem nilfs2', layer: 'filesystem',
    prefixes: ['nilfs_'],
    modules: ['nilfs2'],
    journal: {
      prefixes: ['nilfs_segctor_', 'nilfs_transaction_'],
      transactionWaits: ['nilfs_segctor_sync', 'nilfs_transaction_lock'],
    },
    examples: ['nilfs_mdt_read_block', 'nilfs_segctor_sync', 'nilfs_transaction_lock'],
  },
  {
    name: 'filesystem jfs', layer: 'filesystem',
    prefixes: [
      'jfs_', 'lbm', 'lmGroup', 'lmPost', 'txEnd', 'txLazy', 'diRead', 'diNew', 'dbAlloc', 'dbFree', 'dbMount',
      'dbUnmount', 'get_metapage', 'lock_metapage', 'release_metapage',
    ],
    modules: ['jfs'],
    journal: { prefixes: ['lmLog', 'txCommit', 'txBegin'] },
    examples: [
      'jfs_commit_inode', 'lbmfree', 'lmGroupCommit', 'lmPostGC', 'txEnd', 'txLazyUnlock', 'diRead', 'diNewExt',
      'dbAlloc', 'dbFree', 'dbMount', 'dbUnmount', '__get_metapage', 'lock_metapage', 'release_metapage', 'lmLogSync',
      'txCommit', 'txBegin',
    ],
  },
  {
    name: 'filesystem reiserfs', layer: 'filesystem',
    prefixes: ['reiserfs_', 'do_journal_', 'flush_journal', 'flush_commit_list'],
    modules: ['reiserfs'],
    examples: ['reiserfs_write_lock', 'do_journal_write', 'flush_journal_list', 'flush_commit_list'],
  },
  { name: 'filesystem hfs', layer: 'filesystem', prefixes: ['hfs(?:plus)?_'], examples: ['hfsplus_find_init'] },
  {
    name: 'filesystem ntfs', layer: 'filesystem',
    prefixes: ['ntfs\\w?_', 'ni_', 'attr_data_', 'attr_set_size', 'indx_', 'run_(?:\\w+_entry|get_|truncate|unpack|is_mapped|collapse|deallocate)', 'mi_', 'map_mft', 'wnd_'],
    modules: ['ntfs3?'],
    examples: [
      'ntfs_set_size', 'ni_write_inode', 'attr_data_get_block', 'attr_set_size', 'indx_insert_entry', 'run_get_entry',
      'mi_read', 'map_mft_record', 'wnd_set_used',
    ],
  },
  {
    name: 'filesystem fat', layer: 'filesystem',
    prefixes: ['v?fat_', 'msdos_'],
    modules: ['v?fat'],
    examples: ['fat_update_time', 'msdos_create'],
  },
  {
    name: 'filesystem exfat', layer: 'filesystem',
    prefixes: ['exfat_'],
    modules: ['exfat'],
    examples: ['exfat_write_inode'],
  },
  {
    name: 'a read-only image filesystem', layer: 'filesystem',
    prefixes: ['udf_', 'isofs_', 'squashfs_', 'erofs_', 'z_erofs_', 'cramfs_', 'romfs_', 'befs_'],
    examples: [
      'udf_bread', 'isofs_bread', 'squashfs_read_folio', 'erofs_bread', 'z_erofs_read_folio', 'cramfs_read_folio',
      'romfs_lookup', 'befs_lookup',
    ],
  },
  {
    name: 'a flash filesystem', layer: 'filesystem',
    prefixes: ['ubifs_', 'ubi_', 'jffs2_', 'mtd_', 'nand_'],
    modules: ['ubifs', 'ubi', 'jffs2', 'mtd\\w*'],
    examples: ['ubifs_budget_space', 'ubi_wl_flush', 'jffs2_fsync', 'mtd_lock', 'nand_lock'],
  },
  {
    name: 'filesystem zfs', layer: 'filesystem',
    prefixes: [
      'zpl_', 'zfs_', 'zvol_', 'spa_', 'dmu_', 'dsl_', 'zio_', 'arc_', 'dbuf_', 'vdev_', 'taskq_', 'zil_',
      'zap_(?!threads|process|p\\w{1,3}_range|page|vma|pid_ns|huge|other)',
      'zfsvfs_', 'buf_hash',
    ],
    modules: ['zfs', 'spl', 'zcommon', 'znvpair', 'icp', 'zavl', 'zunicode'],
    anchors: ['txg_wait_\\w+', 'zio_wait'],
    journal: {
      prefixes: ['txg_'],
      transactionWaits: ['txg_wait_\\w+', 'dmu_tx_wait'],
      thread: {
        waiters: ['txg_wait_\\w+', 'dmu_tx_\\w*wait', 'zil_commit\\w*'],
        comm: /^txg_sync/,
        through: 'a ZFS transaction group', reason: 'this thread syncs them',
      },
    },
    examples: [
      'zpl_writepages', 'zfs_sync', 'zvol_request', 'spa_sync', 'dmu_tx_wait', 'dsl_pool_sync', 'zio_wait',
      'arc_read', 'dbuf_free', 'vdev_disk_io_start', 'taskq_wait', 'zil_commit', 'zap_lookup', 'zfsvfs_teardown',
      'buf_hash_insert', 'txg_wait_open',
    ],
  },
  {
    name: 'filesystem overlay', layer: 'filesystem',
    prefixes: ['ovl_'],
    modules: ['overlay'],
    examples: ['ovl_create_or_link'],
  },
  {
    name: 'filesystem aufs', layer: 'filesystem',
    prefixes: ['au_', 'aufs_', 'si_(?:read|write)_lock', 'di_(?:read|write)_lock'],
    modules: ['aufs'],
    examples: ['au_xino_sync', 'aufs_d_revalidate', 'si_write_lock', 'di_write_lock'],
  },
  {
    name: 'filesystem ecryptfs', layer: 'filesystem',
    prefixes: ['ecryptfs_'],
    modules: ['ecryptfs'],
    examples: ['ecryptfs_open'],
  },
  {
    name: 'filesystem 9p', layer: 'filesystem',
    prefixes: ['v9fs_', 'p9_'],
    modules: ['9p', '9pnet\\w*'],
    server: {
      kind: '9p', request: '9p request', where: 'a 9p server',
      waits: ['p9_client_(?:zc_)?rpc', 'p9_virtio_(?:zc_)?request', 'p9_fd_request'],
      methods: ['v9fs_', 'p9_'],
      fileLocks: ['v9fs_file_\\w*lock\\w*'],
    },
    programs: /^(?:diod|u9fs|npfs|9p)/,
    examples: ['v9fs_mount', 'p9_client_rpc', 'p9_virtio_request', 'p9_fd_request', 'v9fs_file_do_lock'],
  },
  {
    name: 'the NFS server', layer: 'filesystem',
    prefixes: ['nfsd\\d?_', 'nfsd$', 'svc_', 'lockd$', 'nlmsvc_', 'write_(?:threads|unlock|ports|versions)$', 'exp_'],
    modules: ['nfsd', 'lockd'],
    examples: ['nfsd_shutdown_threads', 'nfsd', 'svc_recv', 'lockd', 'nlmsvc_lock', 'write_ports', 'exp_find'],
  },
  {
    name: 'filesystem nfs', layer: 'filesystem',
    prefixes: ['nfs\\d?_', 'rpc_', 'xprt_', 'xs_', 'sunrpc_', 'nlm', 'pnfs_', 'rpcauth_'],
    modules: ['nfsv?\\d?', 'sunrpc', 'nfs_\\w+'],
    anchors: ['rpc_wait_bit_killable'],
    server: {
      kind: 'nfs', request: 'NFS request', where: 'an NFS server', rootParameter: 'nfsroot',
      waits: [
        'rpc_wait_bit_killable', '_*rpc_wait_for_completion_task', 'nfs_wait_bit_killable', 'nfs_wait_on_request',
        'nfs4_wait_clnt_recover', 'nfs_wait_client_init_complete',
      ],
      methods: ['_*nfs\\d?_'],
      fileLocks: ['nfs_lock', 'nfs_flock'],
    },
    programs: /^(?:nfs|ganesha|unfsd|lockd)/,
    examples: [
      'nfs4_proc_getattr', 'rpc_call_sync', 'xprt_alloc', 'xs_tcp_setup_socket', 'sunrpc_cache_update',
      'nlmclnt_lock', 'pnfs_roc_release', 'rpcauth_create', 'rpc_wait_bit_killable', '__rpc_wait_for_completion_task',
      'nfs_wait_bit_killable', 'nfs_wait_on_request', 'nfs4_wait_clnt_recover', 'nfs_wait_client_init_complete',
      'nfs_lock', 'nfs_flock',
    ],
  },
  {
    name: 'filesystem smb', layer: 'filesystem',
    prefixes: ['cifs_', 'smb\\d?_', 'SMB2_', 'SendReceive', 'compound_send_recv$', 'ksmbd_', 'wait_for_response$'],
    modules: ['cifs', 'ksmbd'],
    anchors: ['wait_for_response'],
    server: {
      kind: 'smb', request: 'SMB request', where: 'an SMB server',
      waits: ['wait_for_response', 'cifs_send_recv', 'compound_send_recv', 'SendReceive\\d?', 'cifs_wait_for_server_reconnect'],
      methods: ['cifs_', 'smb\\d?_'],
      fileLocks: ['cifs_lock', 'cifs_flock'],
    },
    programs: /^(?:smbd|ksmbd)/,
    examples: [
      'cifs_lock', 'smb_send', 'SMB2_lock', 'SendReceive', 'compound_send_recv', 'ksmbd_open_fd', 'wait_for_response',
      'cifs_send_recv', 'cifs_wait_for_server_reconnect', 'cifs_flock',
    ],
  },
  {
    name: 'filesystem ceph', layer: 'filesystem',
    prefixes: ['ceph_'],
    modules: ['ceph', 'libceph'],
    server: {
      kind: 'ceph', request: 'Ceph request', where: 'a Ceph server',
      waits: ['_*ceph_(?:mdsc_wait_request|mdsc_do_request|osdc_wait_request|get_caps)'],
      methods: ['_*ceph_'],
    },
    programs: /^ceph-/,
    examples: ['ceph_mdsc_do_request', 'ceph_write_iter'],
  },
  {
    name: 'filesystem lustre', layer: 'filesystem',
    prefixes: ['ll_', 'ptlrpc_', 'ldlm_'],
    modules: [
      'lustre', 'lnet', 'ptlrpc', 'mdc', 'osc', 'lov', 'lmv', 'ldlm', 'obdclass', 'ksocklnd', 'ko2iblnd', 'ldiskfs',
      'mgc', 'fid', 'fld', 'osd_\\w+',
    ],
    examples: ['ll_file_io_generic', 'ptlrpc_queue_wait', 'ldlm_completion_ast'],
  },
  {
    name: 'filesystem gpfs', layer: 'filesystem',
    prefixes: ['gpfsInode'],
    modules: ['mmfs\\w*', 'tracedev'],
    examples: ['gpfsInodeDirty'],
  },
  { name: 'filesystem afs', layer: 'filesystem', prefixes: ['afs_'], modules: ['kafs'], examples: ['afs_make_call'] },
  {
    name: 'filesystem coda', layer: 'filesystem',
    prefixes: ['coda_', 'venus_'],
    modules: ['coda'],
    server: {
      kind: 'coda', request: 'Coda request', where: 'the Coda cache manager',
      waits: ['coda_(?:waitfor_)?upcall'],
      methods: ['coda_'],
    },
    programs: /^venus/,
    takesRequests: ['coda_psdev_read'],
    examples: ['coda_upcall', 'venus_getattr', 'coda_lookup', 'coda_psdev_read'],
  },
  {
    name: 'network filesystem support', layer: 'filesystem',
    prefixes: ['netfs_', 'fscache_', 'cachefiles_'],
    modules: ['netfs', 'fscache', 'cachefiles'],
    examples: ['netfs_wait_for_request', 'fscache_n_read', 'cachefiles_read'],
  },
  {
    name: 'filesystem orangefs', layer: 'filesystem',
    prefixes: ['orangefs_'],
    modules: ['orangefs'],
    examples: ['orangefs_clean_up_interrupted_operation'],
  },
  {
    name: 'the automounter', layer: 'filesystem',
    prefixes: ['autofs\\d?_'],
    modules: ['autofs\\d?'],
    anchors: ['autofs_wait'],
    examples: ['autofs_mount_wait', 'autofs_wait'],
  },
  {
    name: 'disk quotas', layer: 'filesystem',
    prefixes: ['dquot_', 'dqget$', 'dqput$', 'quota_', 'v2_'],
    examples: ['dquot_disable', 'dqget', 'dqput', 'quota_sync_one', 'v2_read_dquot'],
  },
  {
    name: 'kernfs or proc', layer: 'filesystem',
    prefixes: ['kernfs_', 'sysfs_', 'proc_', 'configfs_', 'debugfs_', 'seq_', 'full_proxy_'],
    examples: [
      'kernfs_drain', 'sysfs_kf_read', 'proc_reg_write', 'configfs_create', 'debugfs_read', 'seq_read_iter',
      'full_proxy_read',
    ],
  },
  {
    name: 'huge pages', layer: 'memory',
    prefixes: ['hugetlb_', 'hugetlbfs_'],
    examples: ['hugetlb_fault', 'hugetlbfs_create'],
  },
  {
    name: 'writeback', layer: 'filesystem',
    prefixes: [
      'wb_', 'writeback_', 'balance_dirty', 'sync_inodes_', 'bdi_', 'do_writepages$', 'write_cache_pages$', 'wbc_',
      'inode_switch_wbs', 'cgroup_writeback',
    ],
    examples: [
      'wb_writeback', 'writeback_sb_inodes', 'balance_dirty_pages', 'sync_inodes_sb', 'bdi_put', 'do_writepages',
      'write_cache_pages', 'wbc_detach_inode', 'inode_switch_wbs_work_fn', 'cgroup_writeback_by_id',
    ],
  },
  {
    name: 'asynchronous I/O', layer: 'core',
    prefixes: [
      'aio_', 'exit_aio$', 'io_submit', 'read_events$', 'ioctx_', 'kill_ioctx', 'lookup_ioctx', 'do_io_getevents',
    ],
    examples: [
      'aio_read', 'exit_aio', 'io_submit_one', 'read_events', 'ioctx_alloc', 'kill_ioctx', 'lookup_ioctx',
      'do_io_getevents',
    ],
  },
  {
    name: 'io_uring', layer: 'core',
    prefixes: [
      'io_uring_', 'io_ring_', 'io_wq_?', 'io_wqe?_', 'io_sq_', 'io_cqring_', 'io_rsrc_', 'io_poll_', 'io_issue_',
      'io_worker', 'io_queue',
    ],
    examples: [
      'io_uring_release', 'io_ring_exit_work', 'io_wq_exit_workers', 'io_wqe_worker', 'io_sq_thread',
      'io_cqring_wait', 'io_rsrc_data_alloc', 'io_poll_remove', 'io_issue_sqe', 'io_worker_release', 'io_queue_async',
    ],
  },
  {
    name: 'the RTNL mutex', layer: 'network',
    prefixes: ['rtnl_lock'],
    anchors: ['_*rtnl_lock\\w*'],
    examples: ['rtnl_lock'],
  },
  {
    name: 'netfilter', layer: 'network',
    prefixes: [
      'nf_', 'nft_', 'nfnl', 'nfnetlink_', 'xt_', 'ip6?t_', 'ipt_', 'arpt_', 'ebt_', 'ip_set_', 'ipset_', 'do_ip_vs',
      'ip_vs_', 'nfqnl_', 'htable_', 'hashlimit',
    ],
    modules: ['nf_\\w+', 'nft_\\w+', 'x_tables', 'ip_tables', 'xt_\\w+', 'ip_set\\w*', 'ip_vs\\w*'],
    examples: [
      'nf_tables_newtable', 'nft_hash_flush', 'nfnl_lock', 'nfnetlink_net_exit_batch', 'xt_compat_lock',
      'ip6t_alloc_initial_table', 'ipt_alloc_initial_table', 'arpt_alloc_initial_table', 'ebt_nflog_tg_destroy',
      'ip_set_alloc', 'ipset_nest_start', 'do_ip_vs_set_ctl', 'ip_vs_flush', 'nfqnl_flush', 'htable_gc',
      'hashlimit_mt_destroy',
    ],
  },
  { name: 'SCTP', layer: 'network', prefixes: ['sctp_'], examples: ['sctp_sendmsg'] },
  { name: 'RDS', layer: 'network', prefixes: ['rds_'], examples: ['rds_release'] },
  { name: 'TIPC', layer: 'network', prefixes: ['tipc_'], examples: ['tipc_release'] },
  {
    name: 'a virtual socket', layer: 'network',
    prefixes: ['vsock_', 'vmci_', 'hvs_', 'virtio_(?:transport|vsock)_', 'vhost_(?:transport|vsock)_'],
    modules: ['vsock', 'vhost_vsock', '\\w+_vsock_transport', 'vmw_vsock_\\w+', 'hv_sock'],
    examples: [
      'vsock_connect', 'vmci_qp_alloc', 'hvs_probe', 'virtio_transport_send_pkt_work', 'vhost_transport_do_send_pkt',
    ],
  },
  { name: 'WireGuard', layer: 'network', prefixes: ['wg_'], examples: ['wg_set_device'] },
  {
    name: 'PPP', layer: 'network',
    prefixes: ['ppp_', 'pppol2tp_', 'pppoe_', 'l2tp_', 'pppox_'],
    examples: ['ppp_release', 'pppol2tp_ioctl', 'pppoe_ioctl', 'l2tp_ioctl', 'pppox_ioctl'],
  },
  {
    name: 'CAN', layer: 'network',
    prefixes: ['can_', 'bcm_', 'raw_(?:bind|setsockopt|enable)', 'isotp_', 'j1939_', 'vcan_', 'slcan_'],
    examples: ['can_create', 'bcm_release', 'raw_bind', 'isotp_release', 'j1939_tp_send', 'vcan_tx', 'slcan_open'],
  },
  {
    name: 'networking', layer: 'network',
    prefixes: [
      'rtnl_', 'rtnetlink_', 'rtm_', 'netdev_', 'register_netdev', 'unregister_netdev', 'netlink_', 'genl_',
      'genlmsg_', 'dev_(?:ioctl|close|open|change|mc|uc|get_by|deactivate|set|ethtool)', 'devinet_', 'devlink_',
      'ethtool_', 'ethnl_', 'cleanup_net$', 'copy_net_ns$', 'setup_net$', 'ops_(?:exit|init|undo)', 'register_pernet',
      'unregister_pernet', 'inet6?_', 'tcp_', 'udp_', 'udpv6_', 'ip6?_', 'ipv6_', 'addrconf_', 'ndisc_', 'fib6?_',
      'mld_', 'igmp', 'raw_(?!spin_|read_|write_|notifier_|irq)', 'rawv6_', 'sock_', 'sk_', 'skb_', 'packet_', 'unregister_prot_hook', 'tun_', 'tap_',
      'br_', 'bond_', 'vlan_', 'macvlan', 'macsec_', 'team_', 'veth_', 'vxlan', 'geneve_', 'gre_', 'sit_', 'batadv_',
      'bat_', 'hsr_', 'nr_', 'rose_', 'ax25_', 'x25_', 'llc_', 'atm', 'kcm_', 'strp_', 'smc_', 'mptcp_', 'tls_',
      'xsk_', 'xfrm_', 'pfkey_', 'unix_', 'dccp_', 'rxrpc_', 'phonet', 'pn_', 'caif', 'cfusbl', 'nfc_', 'nci_',
      'llcp_', 'rawsock_', 'ieee802154', 'lowpan_', 'switchdev_', 'dsa_', 'qdisc_', 'tc_', 'tcf_', 'net_', 'napi_',
      'linkwatch_', 'mpls_', 'mroute', 'ip6mr', 'ipmr', 'do_ipv6', 'do_ip_', 'bpf_prog_offload', 'xdp_',
      'default_device_exit',
    ],
    examples: [
      'rtnl_unlock', 'rtnetlink_rcv', 'rtm_del_nexthop', 'netdev_run_todo', 'register_netdevice_notifier',
      'unregister_netdevice_many', 'netlink_rcv_skb', 'genl_lock', 'genlmsg_put', 'dev_ioctl', 'devinet_ioctl',
      'devlink_alloc_ns', 'ethtool_mmsv_stop', 'ethnl_pse_send_ntf', 'cleanup_net', 'copy_net_ns', 'setup_net',
      'ops_exit_list', 'register_pernet_device', 'unregister_pernet_device', 'inet6_ioctl', 'tcp_close',
      'udp_sendmsg', 'udpv6_destroy_sock', 'ip_setsockopt', 'ipv6_route_ioctl', 'addrconf_dad_stop', 'ndisc_send_na',
      'fib_flush', 'mld_gq_work', 'igmp6_send', 'raw_sendmsg', 'rawv6_close', 'sock_close', 'sk_setsockopt',
      'skb_put', 'packet_bind', '__unregister_prot_hook', 'tun_chr_close', 'tap_open', 'br_work', 'bond_open',
      'vlan_dev_open', 'macvlan_open', 'macsec_init', 'team_open', 'veth_open', 'vxlan_open', 'geneve_open',
      'gre_create', 'sit_cleanup', 'batadv_tp_send', 'bat_socket_read', 'hsr_dev_finalize', 'nr_release', 'rose_open',
      'ax25_ioctl', 'x25_connect', 'llc_open', 'atm_dev_ioctl', 'kcm_ioctl', 'strp_stop', 'smc_open', 'mptcp_close',
      'tls_ctx_create', 'xsk_create', 'xfrm_lookup_route', 'pfkey_flush', 'unix_copy_addr', 'dccp_close',
      'rxrpc_read', 'phonet_route_add', 'pn_socket_bind', 'caif_connect', 'cfusbl_device_notify', 'nfc_release',
      'nci_close_device', 'llcp_sock_create', 'rawsock_create', 'ieee802154_create', 'lowpan_open',
      'switchdev_port_obj_add', 'dsa_port_disable', 'qdisc_alloc', 'tc_setup_cb_destroy', 'tcf_block_get',
      'net_rx_action', 'napi_complete_done', 'linkwatch_sync_dev', 'mpls_rt_alloc', 'mroute_clean_tables',
      'ip6mr_ioctl', 'ipmr_ioctl', 'do_ipv6_getsockopt', 'do_ip_getsockopt', 'bpf_prog_offload_remove_insns',
      'xdp_do_flush', 'default_device_exit_batch',
    ],
  },
  {
    name: 'a socket', layer: 'network', general: true,
    prefixes: ['lock_sock'],
    anchors: ['lock_sock_\\w+'],
    examples: ['lock_sock_nested'],
  },
  {
    name: 'KVM', layer: 'core',
    prefixes: ['kvm_', 'vmx_', 'svm_', 'vcpu_'],
    modules: ['kvm', 'kvm_intel', 'kvm_amd'],
    examples: ['kvm_vm_release', 'vmx_handle_exit', 'svm_vcpu_reset', 'vcpu_enter_guest'],
  },
  { name: 'vhost', layer: 'device', prefixes: ['vhost_(?!transport_|vsock_)'], modules: ['vhost\\w*'], examples: ['vhost_dev_flush'] },
  {
    name: 'BPF', layer: 'core',
    prefixes: ['bpf_', 'btf_', 'map_(?:update|lookup|create)'],
    examples: ['bpf_prog_load', 'btf_release', 'map_create'],
  },
  {
    name: 'perf', layer: 'core',
    prefixes: ['perf_', 'swevent_'],
    examples: ['perf_event_release_kernel', 'swevent_hlist_put_cpu'],
  },
  {
    name: 'tracing', layer: 'core',
    prefixes: [
      'trace_', 'tracing_', 'tracer_', 'event_(?:trace|enable)', 'ftrace_', 'ring_buffer_', 'kprobe_', 'uprobe_',
      'register_kprobe', 'unregister_kprobe', 'arm_kprobe', 'relay_', 'blk_(?:trace|add_trace|log)_',
    ],
    examples: [
      'trace_array_put', 'tracing_open', 'tracer_tracing_on', 'event_enable_read', 'ftrace_kill', 'ring_buffer_wait',
      'kprobe_optimizer_thread', 'uprobe_munmap', 'register_kprobe', 'unregister_kprobe', 'arm_kprobe', 'relay_open',
      'blk_trace_remove',
    ],
  },
  {
    name: 'crypto', layer: 'core',
    prefixes: [
      'crypto_', 'alg_', 'af_alg_', 'skcipher_', 'aead_', 'hash_', 'padata_', 'pcrypt_', 'cryptd_', 'cryptomgr',
    ],
    examples: [
      'crypto_alg_lookup', 'alg_create', 'af_alg_sendmsg', 'skcipher_release', 'aead_sendmsg', 'hash_sendmsg',
      'padata_alloc', 'pcrypt_create', 'cryptd_create', 'cryptomgr_probe',
    ],
  },
  {
    name: 'the key store', layer: 'core',
    prefixes: ['key_', 'keyctl_', 'keyring_', 'request_key', 'construct_key', 'big_key'],
    examples: [
      'key_alloc', 'keyctl_instantiate_key', 'keyring_read', 'request_key_auth_read', 'construct_key',
      'big_key_preparse',
    ],
  },
  {
    name: 'control groups', layer: 'core',
    prefixes: ['cgroup\\d?_', 'cpuset_', 'css_', 'mem_cgroup_', 'memcg_', 'freezer_'],
    examples: [
      'cgroup_kn_lock_live', 'cpuset_lock', 'css_release', 'mem_cgroup_reset', 'memcg_charge_slab', 'freezer_read',
    ],
  },
  {
    name: 'RCU', layer: 'core',
    prefixes: ['synchronize_', 'rcu_', 'srcu_', 'wait_rcu', 'kvfree_rcu', 'call_rcu'],
    anchors: ['_*synchronize_s?rcu\\w*', 'synchronize_(?:net|sched)\\w*'],
    examples: [
      'synchronize_rcu', 'rcu_gp_kthread', 'srcu_gp_end', '__wait_rcu_gp', 'kvfree_rcu_cb', 'call_rcu',
      'synchronize_net',
    ],
  },
  {
    name: 'CPU hotplug', layer: 'core',
    prefixes: [
      'cpuhp_', 'cpu_(?:up|down|hotplug|stop)', 'stop_(?:machine|cpus|one)', 'cpus_(?:read|write)_lock',
      'takedown_cpu', 'multi_cpu_stop', 'smp_call_function', 'static_key_', 'jump_label', 'text_poke', 'on_each_cpu',
      'migration_cpu',
    ],
    examples: [
      'cpuhp_kick_ap', 'cpu_stop_park', 'stop_machine', 'cpus_read_lock', 'takedown_cpu', 'multi_cpu_stop',
      'smp_call_function_many_cond', '__static_key_deferred_flush', 'jump_label_lock', 'text_poke',
      'on_each_cpu_cond_mask', 'migration_cpu_stop',
    ],
  },
  {
    name: 'kernel modules', layer: 'core',
    prefixes: [
      'load_module$', 'do_init_module$', 'init_module', 'finit_module', 'idempotent_', 'try_stop_module', 'module_',
      'call_usermodehelper', 'request_module',
    ],
    examples: [
      'load_module', 'do_init_module', 'init_module', 'finit_module', 'idempotent_init_module', 'try_stop_module',
      'module_read', 'call_usermodehelper_exec_work', 'request_module_async',
    ],
  },
  {
    name: 'memory management', layer: 'memory',
    prefixes: [
      'try_to_free_', 'shrink_', 'alloc_pages', 'kswapd', 'balance_pgdat', 'throttle_direct', 'collapse_huge',
      'khugepaged', 'hpage_', 'do_swap', 'swap', 'swapin_', 'read_swap', 'mmap_', 'do_mmap', 'vm_mmap', 'vm_munmap',
      'do_munmap', 'unmap_', 'exit_mmap$', 'exit_mm$', 'mmput', 'migrate_', 'compact_', 'kcompactd', 'isolate_',
      'oom_', 'out_of_memory', 'pagefault_out', 'mlock_', 'do_mlock', 'munlock_', 'mprotect_', 'madvise_',
      'do_madvise', 'process_madvise', 'userfaultfd_', 'handle_userfault', 'dup_mm', 'copy_mm', 'lru_add_drain',
      'shmem_', 'kmem_cache_', 'slab_', 'vmalloc_', 'ksm_', 'numa_', 'change_prot', 'access_remote_vm',
      'get_user_pages', 'faultin_', 'populate_vma', 'mm_populate', 'do_brk', 'anon_vma', 'lock_mm', 'rmap_walk',
      'try_to_unmap', 'cma_(?:alloc|release)', 'zap_p\\w+_range',
    ],
    anchors: ['throttle_direct_reclaim'],
    examples: [
      'try_to_free_pages', 'shrink_lruvec', 'alloc_pages_vma', 'kswapd', 'balance_pgdat', 'throttle_direct_reclaim',
      'collapse_huge_page', 'khugepaged', 'hpage_collapse_scan_pmd', 'do_swap_page', 'swap_writepage',
      'swapin_readahead', 'read_swap_cache_async', 'mmap_region', 'do_mmap', 'vm_mmap_pgoff', 'vm_munmap',
      'do_munmap', 'unmap_vmas', 'exit_mmap', 'exit_mm', 'mmput', 'migrate_swap_stop', 'compact_page_work',
      'kcompactd_do_work', 'isolate_migratepages_range', 'oom_reaper', 'out_of_memory', 'pagefault_out_of_memory',
      'mlock_fixup', 'do_mlock', 'munlock_folio', 'mprotect_fixup', 'madvise_lock', 'do_madvise',
      'process_madvise_remote_valid', 'userfaultfd_ioctl', 'handle_userfault', 'dup_mmap', 'copy_mm', 'lru_add_drain',
      'shmem_alloc_inode', 'kmem_cache_alloc', 'slab_alloc_node', 'vmalloc_user', 'ksm_scan_thread',
      'numa_migrate_prep', 'change_protocol', 'access_remote_vm', 'get_user_pages_remote', 'faultin_page_range',
      'populate_vma_page_range', '__mm_populate', 'do_brk_flags', '__anon_vma_prepare', 'lock_mm_and_find_vma',
      'rmap_walk', 'try_to_unmap_flush', 'cma_alloc', 'zap_page_range_single',
    ],
  },
  {
    name: 'a core dump', layer: 'core',
    prefixes: ['do_coredump$', 'vfs_coredump$', 'coredump_', 'elf_core_dump', 'zap_(?:threads|process)'],
    examples: ['do_coredump', 'vfs_coredump', 'coredump_sock_mark', 'elf_core_dump', 'zap_threads'],
  },
  {
    name: 'a futex', layer: 'user',
    prefixes: ['futex_', 'do_futex$'],
    anchors: ['futex_wait_queue\\w*'],
    examples: ['futex_wait', 'do_futex', 'futex_wait_queue'],
  },
  {
    name: 'a pipe', layer: 'user',
    prefixes: ['pipe_', 'splice_', 'do_splice', 'fifo_open', 'anon_pipe_', 'opipe_', 'ipipe_'],
    examples: [
      'pipe_read', 'splice_write_null', 'do_splice_direct', 'fifo_open', 'anon_pipe_read', 'opipe_prep', 'ipipe_prep',
    ],
  },
  {
    name: 'events', layer: 'user',
    prefixes: [
      'ep_', 'eventfd_', 'epoll_', 'do_epoll', 'do_select', 'do_poll', 'do_sys_poll', 'poll_schedule',
      'core_sys_select', 'signalfd_', 'timerfd_', 'inotify_', 'fanotify_', 'fsnotify_',
    ],
    examples: [
      'ep_poll', 'eventfd_read', 'epoll_sendevents', 'do_epoll_wait', 'do_select', 'do_poll', 'do_sys_poll',
      'poll_schedule_timeout', 'core_sys_select', 'signalfd_release', 'timerfd_ioctl', 'inotify_read',
      'fanotify_read', 'fsnotify_mark_destroy_workfn',
    ],
  },
  {
    name: 'its children', layer: 'user',
    prefixes: ['do_wait$', 'do_wait_', 'kernel_wait'],
    anchors: ['do_wait'],
    examples: ['do_wait', 'do_wait_intr', 'kernel_wait4'],
  },
  {
    name: 'IPC', layer: 'user',
    prefixes: [
      'sem_', 'do_semtimedop', 'do_msgrcv', 'do_msgsnd', 'msg_', 'mq_', 'shm_', 'wq_sleep', 'ipc_', 'free_ipc',
    ],
    examples: [
      'sem_exit_ns', 'do_semtimedop', 'do_msgrcv', 'do_msgsnd', 'msg_insert', 'mq_create_mount', 'shm_close',
      'wq_sleep', 'ipc_obtain_object_check', 'free_ipc',
    ],
  },
  {
    name: 'the VFS', layer: 'filesystem', general: true,
    prefixes: [
      'path_', 'lookup_', 'walk_component', 'link_path_walk', 'open_last_lookups', 'do_open', 'do_last',
      'do_filp_open', 'filename_', 'do_unlinkat', 'do_rmdir', 'do_mkdirat', 'do_mknodat', 'do_renameat', 'do_linkat',
      'do_symlinkat', 'do_truncate', 'do_sys_ftruncate', 'iterate_', 'vfs_', 'chmod_', 'chown_', 'notify_change',
      'setxattr', 'removexattr', 'iput', 'evict', 'find_inode', 'iget', 'ilookup', 'inode_', 'new_inode', 'd_',
      'dput', 'dentry_', 'mount_', 'do_mount', 'do_new_mount', 'do_umount', 'do_loopback', 'do_move_mount',
      'do_add_mount', 'attach_recursive', 'namespace_', 'copy_mnt', 'copy_tree', 'lock_mount', 'lock_rename',
      'lock_two', 'mnt_', 'mntput', 'cleanup_mnt', 'deactivate_', 'generic_shutdown_super', 'kill_', 'get_super',
      'user_get_super', 'grab_super', 'super_', 'sget', 'iterate_supers', 'freeze_super', 'thaw_super',
      'sync_filesystem', 'sync_inode', 'ksys_sync', 'do_fsync', 'fdget', 'fget', 'fput', 'locks_', 'fcntl_', 'flock_',
      'do_dup2', 'chrdev_', 'misc_', 'filemap_', 'generic_', 'truncate_', 'page_cache_', 'do_read_cache',
      'read_cache', 'invalidate_inode', 'pagecache_', 'fs_context', 'legacy_get_tree', 'do_lock_file',
    ],
    examples: [
      'path_openat', '__lookup_slow', 'walk_component', 'link_path_walk', 'open_last_lookups', 'do_open_execat',
      'do_last', 'do_filp_open', 'filename_create', 'do_unlinkat', 'do_rmdir', 'do_mkdirat', 'do_mknodat',
      'do_renameat2', 'do_linkat', 'do_symlinkat', 'do_truncate', 'do_sys_ftruncate', 'iterate_fd', 'vfs_open',
      'chmod_common', 'chown_common', 'notify_change', 'setxattr', 'removexattr', 'iput', 'evict',
      'find_inode_nowait', 'iget5_locked', 'ilookup', 'inode_permission', 'new_inode', 'd_alloc_parallel', 'dput',
      'dentry_open', 'mount_fs', 'do_mount', 'do_new_mount', 'do_umount', '__do_loopback', 'do_move_mount',
      'do_add_mount', 'attach_recursive_mnt', 'namespace_unlock', 'copy_mnt_ns', 'copy_tree', 'lock_mount',
      'lock_rename', 'lock_two_directories', 'mnt_want_write', 'mntput', 'cleanup_mnt', 'deactivate_super',
      'generic_shutdown_super', 'kill_block_super', 'get_super_block', 'user_get_super', 'grab_super', 'super_lock',
      'sget', 'iterate_supers', 'freeze_super', 'thaw_super', 'sync_filesystem', 'sync_inode_metadata', 'ksys_sync',
      'do_fsync', '__fdget_pos', 'fget', 'fput', 'locks_remove_file', 'fcntl_getlk', 'flock_lock_inode', 'do_dup2',
      'chrdev_open', 'misc_open', 'filemap_read', 'generic_file_read_iter', 'truncate_inode_pages',
      'page_cache_sync_ra', 'do_read_cache_folio', 'read_cache_page', 'invalidate_inode_pages2', 'pagecache_read',
      'fs_context_for_mount', 'legacy_get_tree', 'do_lock_file_wait',
    ],
  },
  {
    name: 'process management', layer: 'core', general: true,
    prefixes: [
      'do_exit$', 'do_group_exit', 'exit_', 'copy_process$', 'kernel_clone', 'do_fork', 'begin_new_exec', 'bprm_',
      'load_', 'do_execve', 'exec_', 'flush_old_exec', 'de_thread', 'ptrace_', 'get_signal', 'do_signal_stop',
      'kthread_',
    ],
    examples: [
      'do_exit', 'do_group_exit', 'exit_files', 'copy_process', 'kernel_clone', 'do_fork', 'begin_new_exec',
      'bprm_execve', 'load_elf_binary', 'do_execveat_common', 'exec_mm_put_old', 'flush_old_exec', 'de_thread',
      'ptrace_notify', 'get_signal', 'do_signal_stop', 'kthread_stop',
    ],
  },
  {
    name: 'a work queue', layer: 'core', general: true,
    prefixes: [
      'flush_', 'cancel_', 'queue_(?:delayed_|rcu_)?work', 'drain_workqueue', 'destroy_workqueue', 'process_one_work', 'worker_', 'rescuer_',
      'work_on_cpu', 'schedule_on_each',
    ],
    examples: [
      'flush_workqueue', 'cancel_work_sync', 'queue_work_on', 'drain_workqueue', 'destroy_workqueue', 'process_one_work',
      'worker_thread', 'rescuer_thread', 'work_on_cpu_key', 'schedule_on_each_cpu',
    ],
  },
] as const satisfies readonly Subsystem<string>[];

export const SUBSYSTEMS: readonly Subsystem[] = TABLE;

export type ServerKind = Extract<(typeof TABLE)[number], { server: unknown }>['server']['kind'];

/** The kinds of waits for a server. */
export const SERVER_KINDS: readonly ServerKind[] = TABLE.flatMap((one) =>
  'server' in one ? [one.server.kind] : [],
);
