import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analyze.js';
import { cleanRow } from '../../../src/core/console/clean.js';
import { parseDumps } from '../../../src/core/dump/parse.js';
import type { Share, VerdictClass } from '../../../src/core/model.js';

interface Row {
  /** In test/golden, made by record.mjs from the script of that name in guest/wedges. */
  log: string;
  /** What a kernel engineer says of it. Where several names are right, any of them will do. */
  class: VerdictClass[];
  frame: (string | null)[];
  culprit: (string | null)[];
  title: RegExp[];
  /** The server of the virtiofs, `store`, was stopped on the host. */
  storeStopped?: true;
}

const table: Row[] = [
  {
    // percpu_rwsem_wait below mnt_want_write, and nobody holds it for writing: that is a freeze.
    log: 'frozen-fs',
    class: ['blocked'],
    frame: ['mnt_want_write'],
    culprit: ['touch'],
    title: [/frozen/, /\+2 others/],
  },
  {
    // All wait for blocks of one device, each on its own, and nothing in the guest works on them.
    log: 'dm-suspended',
    class: ['blocked'],
    frame: ['submit_bio_wait', 'blkdev_issue_flush', '__ext4_find_entry', 'ext4_wait_block_bitmap'],
    culprit: ['sync', 'cp', 'ext4lazyinit', 'dd'],
    title: [/block/],
  },
  {
    // The callers of fsync wait for jbd2, and jbd2 for a block of its log.
    log: 'journal-commit',
    class: ['blocked'],
    frame: ['jbd2_journal_commit_transaction'],
    culprit: ['jbd2/vda-8'],
    title: [/journal/, /\+4 others/],
  },
  {
    // dd waits in D for a page of loop0; the worker of loop0 reads the file behind it, asleep in S for the server.
    log: 'loop-dead-file',
    class: ['waiting'],
    frame: ['request_wait_answer', 'fuse_do_getattr'],
    culprit: ['kworker/u4:1'],
    title: [/virtiofs:store/, /\+1 other/],
    storeStopped: true,
  },
  {
    log: 'module-load',
    class: ['blocked'],
    frame: ['do_read_cache_folio', 'read_part_sector'],
    culprit: ['insmod'],
    title: [/finit_module/, /block/],
  },
  {
    // The flusher waits for requests in flight, jbd2 for what the flusher wrote: both for the disk, and all others for them.
    log: 'writeback',
    class: ['blocked'],
    frame: ['rq_qos_wait', 'wbt_wait', '__rq_qos_throttle', 'jbd2_journal_commit_transaction'],
    culprit: ['kworker/u4:0', 'jbd2/vda-8'],
    title: [/block|journal/],
  },
  {
    // ls reads the directory, which takes its lock; the others want the lock to make an entry.
    log: 'many-victims',
    class: ['blocked', 'lock-chain'],
    frame: ['__ext4_read_dirblock', 'ext4_bread', 'ext4_read_bh'],
    culprit: ['ls'],
    title: [/\+12 others/, /block|disk|ext4/],
  },
  {
    // The first mv reads a directory's block within rename: it holds the rename mutex and both directories.
    log: 'rename-chain',
    class: ['blocked', 'lock-chain'],
    frame: ['ext4_rename_dir_prepare', '__ext4_read_dirblock', 'ext4_bread', 'ext4_read_bh'],
    culprit: ['mv'],
    title: [/rename/, /\+3 others/, /block|disk|ext4/],
  },
  {
    // The parent waits in vfork, its child in execve: the child is the one to name.
    log: 'vfork-exec',
    class: ['waiting'],
    frame: ['request_wait_answer', 'fuse_permission', 'fuse_do_getattr'],
    culprit: ['nc', 'serve-ssh', 'true'],
    title: [/execve/, /virtiofs:store/, /\+1 other/],
    storeStopped: true,
  },
  {
    log: 'nfs-stopped',
    class: ['blocked', 'waiting'],
    frame: ['rpc_wait_bit_killable', '__rpc_wait_for_completion_task'],
    culprit: ['ls', 'cat'],
    title: [/NFS/, /\+1 other/],
  },
  {
    // dd waits for a block that the server, a task of this guest in T, would have to send.
    log: 'nbd-stopped',
    class: ['blocked'],
    frame: ['filemap_read', 'blkdev_read_iter'],
    culprit: ['dd'],
    title: [/nbd/],
  },
  {
    // cat waits for the server, which is in T, and ls for the lock of the root's lookups, which cat holds.
    log: 'fuse-stopped',
    class: ['waiting'],
    frame: ['request_wait_answer', 'fuse_lookup'],
    culprit: ['cat'],
    title: [/fused/, /\+1 other/],
  },
  {
    // cat waits for the server, and the server wants a lock that cat holds.
    log: 'fuse-self',
    class: ['deadlock'],
    frame: ['fuse_lock_inode', 'fuse_lookup'],
    culprit: ['fused'],
    title: [/deadlock/, /cat/],
  },
  {
    log: 'autofs-silent',
    class: ['blocked', 'waiting'],
    frame: ['autofs_wait', 'autofs_mount_wait', 'autofs_d_automount'],
    culprit: ['ls', 'cat'],
    title: [/automount/, /\+1 other/],
  },
  {
    log: 'udev-settle',
    class: ['blocked'],
    frame: ['filemap_read', 'blkdev_read_iter'],
    culprit: ['(udev-worker)'],
    title: [/udev-worker/, /block/],
  },
  {
    // No function is to blame: it runs in user space. Both CPUs run hog, at priority 99 by the scheduler's table, and ksoftirqd, init and others are runnable in vain.
    log: 'rt-starvation',
    class: ['starved'],
    frame: [null],
    culprit: [null],
    title: [/hog/, /real-time|priority/],
  },
  {
    // Nothing is wrong in the kernel, and an idle program's threads sleep like this: which tasks are threads of one process
    // no dump says, nor whose mutex it is. Only the registers (private, no timeout) hint at it, and prove nothing.
    log: 'futex-deadlock',
    class: ['none', 'userspace'],
    frame: [null, 'futex_wait_queue'],
    culprit: [null, 'abba'],
    title: [/nothing is stuck|futex/],
  },
  {
    // Nothing is wrong in the kernel, and which pipe each of them reads is in no dump.
    log: 'pipe-cycle',
    class: ['none', 'userspace'],
    frame: [null, 'pipe_read'],
    culprit: [null, 'head'],
    title: [/nothing is stuck|pipe/],
  },
];

const stopped: Share = { tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'T' } };
const runs: Share = { tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'S' } };

const directory = new URL('../../golden/', import.meta.url);

function verdictOn({ log, storeStopped }: Row) {
  const rows = readFileSync(new URL(`${log}.log`, directory), 'latin1').split('\n');
  const dumps = parseDumps(rows.flatMap((row) => cleanRow(Buffer.from(row, 'latin1'))));
  const context = {
    secondsBetweenLooks: null,
    shares: [storeStopped ? stopped : runs],
    kernelCommandLine: null,
  };
  return { dumps, verdict: analyze(dumps, context).verdict };
}

function check(row: Row): void {
  const { verdict } = verdictOn(row);
  expect(row.class).toContain(verdict.class);
  expect(row.frame).toContain(verdict.frame);
  expect(row.culprit).toContain(verdict.culprit?.comm ?? null);
  for (const words of row.title) expect(verdict.title).toMatch(words);
}

describe('guests that were wedged for real', () => {
  it.each(table)('$log', check);

  it.each(table)('$log has whole dumps', (row) => {
    const dumps = verdictOn(row).dumps.filter(({ key }) => key === 'w' || key === 't');
    expect(dumps.map(({ key, complete }) => `${key} ${complete}`)).toEqual(['w true', 'w true', 't true']);
  });

  it('has a row for each script', () => {
    const scripts = readdirSync(new URL('../../../guest/wedges/', import.meta.url))
      .filter((name) => name.endsWith('.sh') && name !== 'common.sh')
      .map((name) => name.replace('.sh', ''));
    expect(table.map(({ log }) => log).sort()).toEqual(scripts.sort());
  });
});
