import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { bootPlace } from '../../../src/core/analysis/boot-places.js';
import { LogPlaces } from '../../../src/core/analysis/log-places.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Verdict } from '../../../src/core/model.js';
import { dump, task } from '../../support/stacks.js';

describe('lines that name a place', () => {
  it.each<[string, string, string | null]>([
    ['EXT4-fs (vda1): mounted filesystem 1b2c r/w with ordered data mode. Quota mode: none.', 'ext4', 'vda1'],
    ['[    2.101] EXT4-fs (dm-0): re-mounted. Opts: errors=remount-ro', 'ext4', 'dm-0'],
    ['XFS (dm-0): Mounting V5 Filesystem', 'xfs', 'dm-0'],
    ['BTRFS info (device sdb): using crc32c (crc32c-intel) checksum algorithm', 'btrfs', 'sdb'],
    ['BTRFS info (device sdb state M): turning on async discard', 'btrfs', 'sdb'],
    ['F2FS-fs (vdb): Mounted with checkpoint version = 7', 'f2fs', 'vdb'],
    ['virtiofs virtio0: virtio_fs_setup_dax: No cache capability', 'virtiofs', null],
  ])('%s', (line, filesystem, device) => {
    expect(bootPlace(line)).toEqual({ filesystem, device });
  }); // prettier-ignore

  it.each([
    'EXT4-fs (vda1): unmounting filesystem',
    'TITLE: cat:9 blocked in read → filesystem virtiofs:store (inferred; virtiofsd stopped)',
    'virtio_blk virtio2: [vda] 4194304 512-byte logical blocks (2.15 GB/2.00 GiB)',
    'EXT4-fs error (device vda1): ext4_lookup:1785',
  ])('not %s', (line) => {
    expect(bootPlace(line)).toBeNull();
  });
});

describe('a place in the title', () => {
  const read = (...names: string[]) => task('cat', 9, 'D', ['__schedule', 'io_schedule', ...names, '__x64_sys_read'].map((name) => `${name}+0x1/0x2`)); // prettier-ignore
  const ext4 = read('__wait_on_buffer', 'ext4_bread', 'ext4_readdir');
  const block = read('blk_mq_get_tag', 'blk_mq_submit_bio', 'submit_bio_noacct');
  const nfs = read('rpc_wait_bit_killable', 'nfs_getattr');
  const verdict = (stack: string[], lines: string[], kernelCommandLine: string | null = null): Verdict => {
    const places = new LogPlaces();
    for (const line of lines) places.push(line, { boot: 0, dumpsOfBoot: 0 });
    const { bootPlaces, troubles } = places;
    return analyze(parseDumps(dump('w', 1, stack)), {
      secondsBetweenLooks: null,
      shares: [],
      kernelCommandLine,
      bootPlaces,
      troubles,
    }).verdict;
  };
  const onVda = 'EXT4-fs (vda1): mounted filesystem';
  const failed = 'I/O error, dev vda, sector 1';

  it.each<[string, string[], string[], RegExp, number]>([
    ['the only mount', ext4, [onVda, onVda], /→ filesystem ext4 on vda1 \(inferred\)$/, 1],
    ['beside another kind', ext4, [onVda, 'XFS (vdb): Mounting V5 Filesystem'], /ext4 on vda1 \(inferred\)$/, 1],
    ['a choice of two', ext4, [onVda, 'EXT4-fs (vdb): mounted filesystem'], /→ filesystem ext4$/, 0],
    ['of another kind', ext4, ['XFS (vdb): Mounting V5 Filesystem'], /→ filesystem ext4$/, 0],
    ['the only disk with errors', block, [failed, 'Buffer I/O error on dev vda1, logical block 0'], /→ disk vda, which reported I\/O errors \(inferred\)$/, 1],
    ['two disks with errors', block, [failed, 'I/O error, dev vdb, sector 1'], /→ the block layer$/, 0],
    ['no errors', block, [onVda], /→ the block layer$/, 0],
  ])('%s', (_case, stack, lines, title, inferred) => {
    const found = verdict(stack, lines);
    expect(found.title).toMatch(title);
    expect(found.inferred).toHaveLength(inferred);
  }); // prettier-ignore

  it('of an NFS root', () => {
    const found = verdict(nfs, [], 'root=/dev/nfs nfsroot=10.0.2.2:/srv/root,v3 ip=dhcp');
    expect(found.title).toContain('→ an NFS server, perhaps 10.0.2.2:/srv/root (inferred)');
    expect(found.inferred).toHaveLength(1);
  });

  it.each<[string, string[], boolean]>([
    ['a filesystem within another', ['jbd2_log_wait_commit', 'ext4_evict_inode', 'shrink_slab', 'try_to_free_pages', '__alloc_pages_slowpath', 'xfs_buf_alloc'], true],
    ['a filesystem within itself', ['wait_transaction_locked', 'ext4_evict_inode', 'shrink_slab', 'do_try_to_free_pages', 'try_to_free_pages', 'ext4_writepages'], true],
    ['a filesystem within a program', ['wait_transaction_locked', 'ext4_evict_inode', 'shrink_slab', 'try_to_free_pages', 'do_anonymous_page'], false],
    ['a device below a filesystem', ['blk_mq_get_tag', 'swap_writepage', 'shrink_folio_list', 'try_to_free_pages', 'ext4_writepages'], false],
    ['the block layer within a disk', ['blk_mq_get_tag', 'swap_writepage', 'shrink_folio_list', 'try_to_free_pages', 'loop_process_work'], true],
    ['kswapd', ['wait_transaction_locked', 'ext4_evict_inode', 'shrink_slab', 'balance_pgdat', 'kswapd'], false],
  ])('reclaim: %s', (_case, names, recursed) => {
    const reasons = verdict(read(...names), []).reasons.join('\n');
    if (recursed) expect(reasons).toMatch(/Memory reclaim recursed: (?:ext4_writepages|xfs_buf_alloc|loop_process_work) .* into \w+/);
    else expect(reasons).not.toContain('recursed');
  }); // prettier-ignore
});
