/** Who does the work that others wait for inside one filesystem: transactions, ranges of files, space. */
import type { Row } from './edge-row.js';

const WANTS_RANGE = /^(?:_*lock_extent\w*|btrfs_lock_(?:extent\w*|and_flush_ordered_range))$/;
/** Waits for a transaction that another task commits. */
const WANTS_TRANSACTION = /^(?:wait_current_trans\w*|wait_for_commit|btrfs_wait_for_commit)$/;
const FINISHES_WRITES = /^(?:btrfs_finish_(?:one_)?ordered(?:_io)?|finish_ordered_fn)$/;
const NOBODY = /^$/;

/** By fs/btrfs and fs/ext4: what runs with a handle open, because the handle is its parameter or it has just begun it. */
const HOLDS_HANDLE = {
  btrfs:
    /^(?:btrfs_(?:quota_(?:en|dis)able|(?:create|remove|add|limit|del)_qgroup\w*|create\w*|mknod|mkdir|symlink|unlink\w*|rename\w*|insert_\w+|update_inode\w*|drop_extents|replace_file_extents|truncate_inode_items|run_delayed_\w+|delete_\w+|del_(?:items|orphan_item|root_ref|inode_ref|inode_extref)|alloc_tree_block|cow_block|chunk_alloc\w*|inc_block_group_ro|remove_(?:chunk|block_group)\w*|log_inode\w*|log_dentry_safe)|_*btrfs_(?:drop_extents|cow_block|run_delayed_\w+)|find_free_extent|relocate_tree_blocks)$/,
  ext4: /^(?:_*ext[34]_(?:mark_inode_dirty|reserve_inode_write|new_inode|new_metadata_blocks|mb_new_blocks|free_blocks|ext_(?:map_blocks|insert_extent|truncate|remove_space)|ind_map_blocks|add_(?:entry|nondir)|delete_entry|append|getblk|bread|xattr_set_handle|orphan_(?:add|del)|convert_unwritten_extents\w*)|ext4_get_write_access)$/,
};

export const FILESYSTEM_ROWS: readonly Row[] = [
  {
    waiter: WANTS_RANGE,
    owner: {
      frame: /^(?:btrfs_(?:clone\w*|remap_file_range\w*|extent_same\w*|fallocate|punch_hole\w*|ioctl_clone|zero_range|cont_expand|direct_(?:IO|write|read)|dio_\w+|replace_file_extents|fiemap)|extent_fiemap)$/,
      not: WANTS_RANGE,
    },
    through: 'a range of a file',
    confidence: 'medium',
    reason: 'no other stuck task is in code that locks one for long',
  },
  {
    waiter: WANTS_RANGE,
    owner: { frame: FINISHES_WRITES, not: WANTS_RANGE },
    through: 'a range of a file',
    confidence: 'medium',
    reason: 'this worker has it locked while it finishes a write',
  },
  {
    waiter: /^(?:btrfs_start_ordered_extent\w*|btrfs_wait_ordered_\w+|btrfs_run_ordered_extent_work)$/,
    owner: { frame: FINISHES_WRITES, not: NOBODY },
    through: 'a write to be finished',
    confidence: 'medium',
    reason: 'this worker finishes writes',
  },
  {
    waiter: /^(?:btrfs_qgroup_wait_for_completion|btrfs_quota_disable)$/,
    itself: true,
    owner: { frame: /^btrfs_qgroup_rescan_worker$/, not: NOBODY },
    through: 'a rescan of quotas',
    confidence: 'medium',
    reason: 'this worker rescans them',
  },
  {
    waiter: WANTS_TRANSACTION,
    owner: { frame: /^btrfs_commit_transaction$/, not: WANTS_TRANSACTION },
    through: 'a btrfs transaction',
    confidence: 'medium',
    reason: 'this task commits it',
  },
  {
    waiter: /^btrfs_commit_transaction$/,
    itself: true,
    owner: { frame: HOLDS_HANDLE.btrfs, not: /^(?:start_transaction|btrfs_commit_transaction)$/ },
    through: 'the open handles of a transaction',
    confidence: 'medium',
    reason: 'no other stuck task has one',
  },
  {
    waiter: /^jbd2_journal_(?:commit_transaction|wait_updates)$/,
    itself: true,
    waits: 'transaction',
    owner: { frame: HOLDS_HANDLE.ext4, not: /^(?:start_this_handle|wait_transaction_\w+|add_transaction_credits|jbd2_log_wait_commit|do_get_write_access)$/ },
    through: 'the open handles of a transaction',
    confidence: 'medium',
    reason: 'no other stuck task has one',
  },
  {
    waiter: /^xfs_buf_(?:lock|find\w*)$/,
    owner: { frame: /^(?:xfs_buf_wait_unpin|xfs_buf_delwri_submit\w*)$/, not: /^xfs_buf_(?:lock|find\w*)$/ },
    through: 'a buffer of XFS',
    confidence: 'medium',
    reason: 'no other stuck task writes buffers out, which it has locked',
  },
  {
    waiter: /^(?:handle_reserve_ticket|wait_reserve_ticket|_*reserve_(?:metadata_)?bytes)$/,
    owner: { frame: /^btrfs_(?:async_reclaim_\w+|preempt_reclaim_\w+)$/, not: /^(?:handle_reserve_ticket|wait_reserve_ticket)$/ },
    through: 'space to be reserved',
    confidence: 'medium',
    reason: 'this worker makes room',
  },
  {
    waiter: /^(?:btrfs_start_delalloc_\w+|start_delalloc_inodes|try_flush_qgroup)$/,
    owner: { frame: /^btrfs_run_delalloc_work$/, not: /^start_delalloc_inodes$/ },
    through: 'data to be written',
    confidence: 'medium',
    reason: 'this worker writes it',
  },
]; // prettier-ignore
