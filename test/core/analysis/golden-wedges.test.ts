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
  /** What the analysis gets wrong as yet. Its row must fail; take this away once it does not. */
  miss?: string;
}

const table: Row[] = [
  {
    // percpu_rwsem_wait below mnt_want_write, and nobody holds it for writing: that is a freeze.
    log: 'frozen-fs',
    class: ['blocked'],
    frame: ['mnt_want_write'],
    culprit: ['touch'],
    title: [/frozen/, /\+2 others/],
    miss: 'a lock whose owner is not seen, no word of a freeze',
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
    culprit: ['kworker/u4:0'],
    title: [/virtiofs:store/, /\+1 other/],
    storeStopped: true,
    miss: 'dd is accused, not the worker that serves its device',
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
    frame: ['rq_qos_wait', 'wbt_wait', 'jbd2_journal_commit_transaction'],
    culprit: ['kworker/u4:0', 'jbd2/vda-8'],
    title: [/block|journal/],
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
  it.each(table.filter(({ miss }) => miss === undefined))('$log', check);
  it.fails.each(table.filter(({ miss }) => miss !== undefined))('$log, a known miss: $miss', check);

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
