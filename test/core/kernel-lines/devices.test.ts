import { describe, expect, it } from 'vitest';
import { calledOf, DEVICE_ROWS, troubleIn } from '../../../src/core/kernel-lines/devices.js';

describe('what the kernel says of a device', () => {
  it.each(DEVICE_ROWS.flatMap((row) => row.examples.map(([line, name]) => [line, name, row] as const)))(
    '%s',
    (line, name, row) => {
      expect(troubleIn(line)).toEqual({ row, name });
      expect(troubleIn(`Feb  3 09:14:07 nas kernel: [  311.201944] ${line}`)).toEqual({ row, name });
    },
  );

  it.each([
    'sd 0:0:0:0: [sda] 41943040 512-byte logical blocks: (21.5 GB/20.0 GiB)',
    'sd 0:0:0:0: [sda] tag#0 CDB: Write(10) 2a 00 00 00 00 00 00 00 08 00',
    'ata3: SATA link up 6.0 Gbps (SStatus 133 SControl 300)',
    'nvme nvme0: 8/0/0 default/read/poll queues',
    'amdgpu 0000:03:00.0: amdgpu: GPU reset(1) succeeded!',
    'XFS (vda1): Mounting V5 Filesystem',
    'EXT4-fs error (device vda1): ext4_lookup:1785',
  ])('nothing of %s', (line) => {
    expect(troubleIn(line)).toBeNull();
  });

  it('calls a partition by its disk', () => {
    const found = troubleIn('Buffer I/O error on dev sdb7, logical block 0, async page read');
    expect(found && calledOf(found)).toBe('disk sdb');
  });
});
