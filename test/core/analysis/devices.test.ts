import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { LogPlaces } from '../../../src/core/analysis/log-places.js';
import { DumpParser } from '../../../src/core/dump/parse-dumps.js';
import { task } from '../../support/stacks.js';

/** As a log is read: its dumps, and what else it says. */
function verdict(lines: readonly string[]) {
  const parser = new DumpParser();
  const places = new LogPlaces();
  for (const line of lines) {
    parser.push(line);
    places.push(line, parser);
  }
  const { bootPlaces, troubles } = places;
  return analyze(parser.finish(), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: null,
    bootPlaces,
    troubles,
  }).verdict;
}

const hung = (comm: string, ...frames: string[]) => [
  `INFO: task ${comm}:402 blocked for more than 122 seconds.`,
  ...task(
    comm,
    402,
    'D',
    ['schedule', ...frames].map((name) => `${name}+0x1/0x2`),
  ),
];
const journal = hung(
  'jbd2/sdb2-8',
  'io_schedule',
  'jbd2_journal_commit_transaction',
  'kjournald2',
  'kthread',
);
const block = hung('dd', 'io_schedule', 'blk_mq_get_tag', 'submit_bio_noacct', '__x64_sys_read');
const aborted = (disk: string) => `sd 1:0:0:0: [${disk}] tag#17 task abort on host 1, 00000000be70b3aa`;
const port = 'ata2.00: failed command: FLUSH CACHE EXT';

describe('what the log says of a device', () => {
  it.each<[string, string[], RegExp]>([
    ['before the hang, and about its disk', [aborted('sdb'), ...journal], /→ disk sdb, whose commands were aborted \(inferred\)$/],
    ['after the hang', [...journal, aborted('sdb')], /→ a filesystem journal, perhaps disk sdb \(inferred\)$/],
    ['about another disk', [aborted('sdc'), ...journal], /→ a filesystem journal$/],
    ['about a disk and its port', [port, aborted('sdc'), ...block], /→ disk sdc, whose/],
    ['about a port alone', [port, ...block], /→ the disk at ata2, whose commands failed/],
    ['about two disks', [aborted('sda'), aborted('sdc'), ...block], /→ the block layer$/],
    ['about a GPU, and the hang about a disk', ['NVRM: Xid (PCI:0000:01:00): 79, x', ...block], /→ the block layer$/],
    ['about a server that came back', ['nfs: server a not responding, timed out', 'nfs: server a OK', ...hung('ls', 'rpc_wait_bit_killable', 'nfs_getattr')], /→ perhaps NFS server a \(inferred\)$/],
    ['in an earlier boot', [aborted('sdb'), 'Linux version 6.1.0 (x@y) (gcc)', ...journal], /→ a filesystem journal$/],
    ['and a hang without a stack', [aborted('sdb'), 'INFO: task dd:402 blocked for more than 122 seconds.', 'task:dd state:D stack:0 pid:402 ppid:1 flags:0x0'], /→ perhaps disk sdb \(inferred\)$/],
  ])('%s', (_case, lines, title) => {
    expect(verdict(lines).title).toMatch(title);
  }); // prettier-ignore

  it('is a reason where it is not the cause', () => {
    expect(verdict(['sched: DL replenish lagged too much', ...block]).reasons).toContain(
      'The log says as well of the scheduler: "sched: DL replenish lagged too much".',
    );
    const { reasons, inferred } = verdict([aborted('sdb'), ...journal]);
    expect(inferred.join()).toMatch(/^disk sdb is inferred: before the hang the log says "sd 1:0:0:0: /);
    expect(reasons.join()).not.toContain('task abort');
  });

  it('keeps a bounded number of them', () => {
    const places = new LogPlaces();
    for (let host = 0; host < 999; host += 1)
      places.push(`nfs: server s${host} not responding, still trying`, { boot: 0, dumpsOfBoot: 0 });
    expect(places.troubles).toHaveLength(50);
  });
});
