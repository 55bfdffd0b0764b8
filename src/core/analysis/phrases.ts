import type { Frame, Task } from '../model.js';
import { backendOf, requestedBy } from './backends.js';
import { firmSymbols, lockWanted, operationFrame } from './frames.js';
import { baseSymbol } from './layers.js';

interface Row {
  /** Any firm function. */
  frame: RegExp;
  what: string;
}

/** What a wait is for, the most telling first. */
const ROWS: readonly Row[] = [
  { frame: /^jbd2_log_wait_commit$|^xfs_log_force\w*$|^btrfs_commit_transaction$/, what: 'a journal commit' },
  { frame: /^blk_mq_get_tag$|^__?blk_mq_alloc_requests?$|^rq_qos_wait$/, what: 'a free block request' },
  { frame: /^blk_mq_freeze_queue_wait$/, what: 'the freeze of a block queue' },
  { frame: /^blk_execute_rq\w*$|^submit_bio_wait$/, what: 'a block request' },
  { frame: /^synchronize_(?:s?rcu|net)\w*$|^__wait_rcu_gp$/, what: 'an RCU grace period' },
  { frame: /^rcu_barrier$/, what: 'an RCU barrier' },
  { frame: /^balance_dirty_pages\w*$/, what: 'dirty pages to be written' },
  { frame: /^try_to_free_\w+$|^shrink_\w+$|^throttle_direct_reclaim$/, what: 'memory to be reclaimed' },
  { frame: /^do_coredump$|^zap_threads$/, what: 'the other threads for a core dump' },
  { frame: /^wait_for_vfork_done$/, what: 'its vfork child' },
  {
    frame: /^_*flush_work\w*$|^cancel_(?:delayed_)?work_sync$|^drain_workqueue$/,
    what: 'a work item to finish',
  },
  { frame: /^kthread_stop$/, what: 'a kernel thread to stop' },
  { frame: /^usleep_range\w*$|^msleep\w*$/, what: 'polling' },
  { frame: /^wait_for_completion\w*$|^_*wait_for_common$/, what: 'a completion' },
  { frame: /^folio_wait_\w+$|^_*lock_page\w*$|^_*folio_lock\w*$|^wait_on_page\w*$/, what: 'a page' },
  { frame: /^_*lock_buffer$|^__wait_on_buffer$/, what: 'a buffer' },
  { frame: /^io_schedule\w*$/, what: 'I/O' },
];

const EXEC =
  /^(?:bprm_execve|do_execveat?_common|load_elf_binary|load_script|begin_new_exec|search_binary_handler|exec_binprm|elf_read|do_open_execat)$/;

/** What a stuck task does or waits for, in words: the middle of the title. */
export function whatOf(task: Pick<Task, 'frames'>): string {
  const operation = operationFrame(task.frames);
  if (!operation) return 'no stack';
  const names = firmSymbols(task.frames);
  const exec = names.some((name) => EXEC.test(name));
  const backend = backendOf(task.frames);
  if (backend) {
    const by = requestedBy(task.frames, backend);
    return by === null || by === baseSymbol(operation.symbol)
      ? backend.request
      : `${backend.request} of ${by}`;
  }
  const name = baseSymbol(operation.symbol);
  if (/^(?:filemap_|generic_file_buffered_read|do_read_cache_)/.test(name)) return reading(name, exec);
  const lock = lockWanted(task.frames);
  if (lock !== null) return `waiting for ${lock}`;
  const what = ROWS.find(({ frame }) => names.some((symbol) => frame.test(symbol)))?.what;
  return what === undefined ? 'a wait' : what === 'polling' ? what : `waiting for ${what}`;
}

function reading(name: string, exec: boolean): string {
  if (exec) return "reading its binary's pages";
  return name === 'filemap_fault' ? 'page-in of a mapped file' : "reading a file's pages";
}

/** The name of the place, as it stands in `frame`: without compiler suffixes. Null for an empty stack. */
export function frameName(frames: readonly Frame[]): string | null {
  const operation = operationFrame(frames);
  return operation === null ? null : baseSymbol(operation.symbol);
}
