/**
 * What the kernel says of a device or a server that fails it. Each line counts wherever it stands: these are looked for
 * in the text behind any prefix. Wording of Linux 2.6 to 7.x and of NVIDIA's driver.
 */

/** Whose hangs such a line may explain. */
export type TroubleKind = 'disk' | 'gpu' | 'usb' | 'server' | 'filesystem' | 'memory' | 'time';

interface DeviceRow {
  kind: TroubleKind;
  /** Its group, where it has one, is the name of the device or the server. */
  line: RegExp;
  /** As the name is said; `NAME` stands for it. */
  called: string;
  /** What it did, as a clause behind its name. */
  did: string;
  /** It answers again. */
  over?: true;
  examples: readonly [line: string, name: string | null][];
}

const NAME = String.raw`((?:\w|-){2,32})`;
const SD = String.raw`\bsd [\d:]{7,20}: `;
const PCI = String.raw`((?:[\da-f]{4}:)?[\da-f]{2}:[\da-f]{2}(?:\.\d)?)`;

export const DEVICE_ROWS: readonly DeviceRow[] = [
  // block/blk-core.c, fs/buffer.c
  {
    kind: 'disk',
    line: new RegExp(String.raw`\b(?:I/O|critical \w+|timeout|recoverable transport) error, dev ${NAME}, sector`),
    called: 'disk NAME',
    did: 'which reported I/O errors',
    examples: [
      ['blk_update_request: I/O error, dev vda, sector 2048 op 0x0:(READ) flags 0x80700', 'vda'],
      ['print_req_error: critical medium error, dev sdb, sector 16', 'sdb'],
    ],
  },
  {
    kind: 'disk',
    line: new RegExp(String.raw`\bBuffer I/O error on dev(?:ice)? ${NAME},`),
    called: 'disk NAME',
    did: 'which reported I/O errors',
    examples: [['Buffer I/O error on dev nvme0n1p2, logical block 0, async page read', 'nvme0n1']],
  },
  // drivers/block/nbd.c
  {
    kind: 'disk',
    line: new RegExp(String.raw`\bblock ${NAME}: (?:Connection timed out|Receive control failed|Possible stuck request|Dead connection)`),
    called: 'disk NAME',
    did: 'which lost its server',
    examples: [['block nbd0: Connection timed out', 'nbd0']],
  },
  // drivers/scsi: sd.c, scsi_error.c; vmw_pvscsi.c and virtio_scsi.c; mpt3sas
  {
    kind: 'disk',
    line: new RegExp(String.raw`${SD}\[${NAME}\] .{0,40}(?:timing out|FAILED Result)`),
    called: 'disk NAME',
    did: 'whose commands failed',
    examples: [
      ['sd 0:0:0:0: [sda] tag#0 timing out command, waited 180s', 'sda'],
      ['sd 5:0:0:0: [sdf] tag#4 FAILED Result: hostbyte=DID_BAD_TARGET driverbyte=DRIVER_OK', 'sdf'],
    ],
  },
  {
    kind: 'disk',
    line: new RegExp(String.raw`${SD}\[${NAME}\] (?:tag#\d+ )?(?:task )?abort\b`),
    called: 'disk NAME',
    did: 'whose commands were aborted',
    examples: [
      ['sd 2:0:0:0: [sdc] tag#41 task abort on host 2, 000000004be2107a', 'sdc'],
      ['sd 2:0:0:0: [sda] abort', 'sda'],
    ],
  },
  {
    kind: 'disk',
    line: /\bsd ([\d:]{7,20}): attempting task abort!/,
    called: 'SCSI device NAME',
    did: 'whose commands were aborted',
    examples: [['sd 0:0:4:0: attempting task abort! scmd(ffffa0c131f79b00)', '0:0:4:0']],
  },
  // drivers/ata/libata-eh.c, libata-core.c
  {
    kind: 'disk',
    line: /\b(ata\d{1,3})(?:\.\d\d)?: (?:failed command: |hard resetting link|qc timeout|disabled\b|disable device|softreset failed|COMRESET failed|exception .{0,80}\bfrozen)/,
    called: 'the disk at NAME',
    did: 'whose commands failed',
    examples: [
      ['ata6.00: failed command: FLUSH CACHE EXT', 'ata6'],
      ['ata6: hard resetting link', 'ata6'],
      ['ata1.00: exception Emask 0x0 SAct 0x1 SErr 0x0 action 0x6 frozen', 'ata1'],
    ],
  },
  // drivers/nvme/host
  {
    kind: 'disk',
    line: /\bnvme (nvme\d{1,3}): (?:I\/O .{0,80}\btimeout\b|queue \d+: timeout request|controller is down|Device not ready|Removing after probe failure|Device shutdown incomplete|IO queues lost)/,
    called: 'disk NAME',
    did: 'which timed out',
    examples: [
      ['nvme nvme0: I/O 12 QID 0 timeout, completion polled', 'nvme0'],
      ['nvme nvme0: I/O tag 451 opcode 0x2 (Read) QID 1 timeout, aborting', 'nvme0'],
      ['nvme nvme2: queue 0: timeout request 0x0 type 4', 'nvme2'],
      ['nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff', 'nvme0'],
    ],
  },
  // drivers/nvme/host: multipath.c, fabrics.c
  {
    kind: 'disk',
    line: /\bblock (nvme\d{1,3}n\d{1,4}): no (?:usable|available)? ?path(?: available)?\b/,
    called: 'disk NAME',
    did: 'which has no path left',
    examples: [
      ['block nvme0n1: no usable path - requeuing I/O', 'nvme0n1'],
      ['block nvme3n1: no path available - requeuing I/O', 'nvme3n1'],
    ],
  },
  {
    kind: 'disk',
    line: /\bnvme (nvme\d{1,3}): (?:Failed reconnect attempt|Reconnecting in \d|starting error recovery|Removing controller)/,
    called: 'disk NAME',
    did: 'which lost its connection',
    examples: [
      ['nvme nvme0: Failed reconnect attempt 3', 'nvme0'],
      ['nvme nvme1: Reconnecting in 10 seconds...', 'nvme1'],
    ],
  },
  {
    kind: 'disk',
    line: /\bnvme (nvme\d{1,3}): Successfully reconnected/,
    called: 'disk NAME',
    did: 'which lost its connection',
    over: true,
    examples: [['nvme nvme0: Successfully reconnected (2 attempts)', 'nvme0']],
  },
  // drivers/scsi: aacraid, megaraid_sas, mpt3sas, hpsa
  {
    kind: 'disk',
    line: /\b(aacraid): Host (?:adapter (?:abort|reset)|bus reset) request|\b(megaraid_sas|megasas) [\da-f:.]{7,12}: (?:resetting fusion adapter|FW in FAULT state|Found FW in FAULT|pending commands remain|IO\/DCMD timeout is detected)|\b(hpsa) [\da-f:.]{7,12}: .{0,60}(?:resetting logical|lockup detected)/,
    called: 'controller NAME',
    did: 'which aborted its commands',
    examples: [
      ['aacraid: Host adapter abort request (0,0,0,0)', 'aacraid'],
      ['megaraid_sas 0000:18:00.0: FW in FAULT state Fault code:0x10000', 'megaraid_sas'],
    ],
  },
  // drivers/md
  {
    kind: 'disk',
    line: new RegExp(String.raw`\bmd/raid\d*:\w+: Disk failure on ${NAME}, disabling`),
    called: 'disk NAME',
    did: 'which fell out of its array',
    examples: [['md/raid1:md0: Disk failure on sdb1, disabling device.', 'sdb']],
  },
  {
    kind: 'disk',
    line: /\bmd\/raid\d*:(md\w{1,20}): Cannot continue operation/,
    called: 'array NAME',
    did: 'which lost too many disks',
    examples: [['md/raid:md0: Cannot continue operation (2/4 failed).', 'md0']],
  },
  // drivers/mmc/host/sdhci.c
  {
    kind: 'disk',
    line: /\b(mmc\d{1,2}): Timeout waiting for hardware/,
    called: 'the card at NAME',
    did: 'which timed out',
    examples: [['mmc0: Timeout waiting for hardware interrupt.', 'mmc0']],
  },
  // NVIDIA; amdgpu; i915 and xe
  {
    kind: 'gpu',
    line: new RegExp(String.raw`\bNVRM: Xid \(PCI:${PCI}\): \d+`),
    called: 'GPU NAME',
    did: 'which reported an Xid error',
    examples: [
      ["NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", '0000:01:00'],
    ],
  },
  {
    kind: 'gpu',
    line: new RegExp(String.raw`\bamdgpu ${PCI}: (?:amdgpu: )?(?:GPU reset\(\d+\) failed|GPU reset end with ret = -|GPU reset begin|ring \S+ timeout)`),
    called: 'GPU NAME',
    did: 'which timed out and was reset',
    examples: [
      ['amdgpu 0000:03:00.0: amdgpu: GPU reset begin!', '0000:03:00.0'],
      ['amdgpu 0000:0c:00.0: ring gfx_0.0.0 timeout, signaled seq=5389552, emitted seq=5389554', '0000:0c:00.0'],
    ],
  },
  {
    kind: 'gpu',
    line: /\bamdgpu_job_timedout\b.{0,40}\*ERROR\* ring \S+ timeout/,
    called: 'the GPU',
    did: 'which timed out',
    examples: [['[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, signaled seq=2, emitted seq=3', null]],
  },
  {
    kind: 'gpu',
    line: new RegExp(String.raw`\b(?:i915|xe) ${PCI}: .{0,40}(?:GPU HANG:|Timedout job:)`),
    called: 'GPU NAME',
    did: 'which hung',
    examples: [['i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:85dffffb, in Xorg [1234]', '0000:00:02.0']],
  },
  // net/sunrpc/clnt.c; fs/smb/client; net/ceph
  {
    kind: 'server',
    line: /\bnfs: server (\S{1,64}) not responding/,
    called: 'NFS server NAME',
    did: 'which did not respond',
    examples: [['nfs: server filer3 not responding, still trying', 'filer3']],
  },
  {
    kind: 'server',
    line: /\bnfs: server (\S{1,64}) OK\b/,
    called: 'NFS server NAME',
    did: 'which did not respond',
    over: true,
    examples: [['nfs: server filer3 OK', 'filer3']],
  },
  {
    kind: 'server',
    line: /\bCIFS:? ?VFS: (?:\\\\|Server )(\S{1,64}) has not responded in \d+ seconds/,
    called: 'SMB server NAME',
    did: 'which did not respond',
    examples: [
      ['CIFS: VFS: \\\\nas has not responded in 180 seconds. Reconnecting...', 'nas'],
      ['CIFS VFS: Server nas has not responded in 120 seconds. Reconnecting...', 'nas'],
    ],
  },
  {
    kind: 'server',
    line: /\bceph: (mds\d{1,4}) (?:hung|caps stale)|\blibceph: ((?:osd|mon|mds)\d{1,5}) .{0,80}(?:session lost|socket closed|down$)/,
    called: 'Ceph server NAME',
    did: 'which did not respond',
    examples: [
      ['ceph: mds0 hung', 'mds0'],
      ['libceph: osd3 (1)10.0.0.3:6801 socket closed (con state OPEN)', 'osd3'],
      ['libceph: mon0 10.0.0.1:6789 session lost, hunting for new mon', 'mon0'],
    ],
  },
  // drivers/usb/core, usb/host; mt76 and others that ask a device on USB
  {
    kind: 'usb',
    line: /\b(?:usb|\w{3,16}) (\d{1,3}-[\d.]{1,12})(?::\d+\.\d+)?: (?:device descriptor read\/\w+, error -|device not (?:accepting|responding)|vendor request .{0,60}failed:? ?-|USB disconnect, |can't set config|cannot reset \()/,
    called: 'USB device NAME',
    did: 'whose requests failed',
    examples: [
      ['mt7921u 2-2:1.3: vendor request req:63 off:d7f0 failed:-71', '2-2'],
      ['usb 1-1.2: device descriptor read/64, error -110', '1-1.2'],
      ['usb 2-1: USB disconnect, device number 4', '2-1'],
    ],
  },
  {
    kind: 'usb',
    line: new RegExp(String.raw`\bxhci_hcd ${PCI}: (?:xHCI host (?:controller )?not responding|HC died|Host halt failed|Abort failed to stop command ring|Timeout while waiting)`),
    called: 'USB controller NAME',
    did: 'which did not respond',
    examples: [['xhci_hcd 0000:00:14.0: xHCI host controller not responding, assume dead', '0000:00:14.0']],
  },
  // drivers/net/wireless
  {
    kind: 'usb',
    line: /\b(?:iwlwifi|ath\w{1,6}|mt7\w{1,6}|rtw\w{1,6}|brcmfmac|mwifiex\w{0,8}) ([\da-f:.-]{3,20}): .{0,60}(?:[Tt]imeout|timed out|Failed to (?:wake|send)|firmware (?:crash|error)|chip reset failed)/,
    called: 'wireless device NAME',
    did: 'which did not answer',
    examples: [['mt7921e 0000:02:00.0: Message 00020007 (seq 3) timeout', '0000:02:00.0']],
  },
  // fs/xfs/kmem.c
  {
    kind: 'filesystem',
    line: /\bXFS: .{0,40}possible memory allocation deadlock/,
    called: 'filesystem xfs',
    did: 'which found no memory (kmem_alloc)',
    examples: [
      ['XFS: possible memory allocation deadlock in kmem_alloc (mode:0x250)', null],
      ['XFS: runc:[1:CHILD](3580) possible memory allocation deadlock in kmem_zone_alloc (mode:0x82d0)', null],
    ],
  },
  // mm
  {
    kind: 'memory',
    line: /\bpage allocation stalls for \d+ms|\bOut of memory: Kill(?:ed)? process|\binvoked oom-killer:/,
    called: 'memory',
    did: 'which ran out',
    examples: [['qemu invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0', null]],
  },
  // kernel/sched: time that jumped, or that the host kept
  {
    kind: 'time',
    line: /\bsched: (?:DL replenish lagged too much|RT throttling activated)/,
    called: 'the scheduler',
    did: 'which fell behind',
    examples: [
      ['sched: DL replenish lagged too much', null],
      ['sched: RT throttling activated', null],
    ],
  },
]; // prettier-ignore

/** Most lines are none of these: one look tells. */
const LIKELY =
  /error, dev |Buffer I\/O error|\bblock \w+: |\bsd \d|\bata\d|\bnvme\d|\bmd\/raid|\bmmc\d+: T|NVRM: X|amdgpu|i915|\bxe \d|nfs: server|CIFS:? ?VFS|ceph: |\d-[\d.]+(?::\d+\.\d+)?: |xhci_hcd|iwlwifi|\bath\w+ |mt7|rtw|brcmfmac|mwifiex|XFS: |allocation stalls|[Oo]om-killer|Out of memory|\bsched: |aacraid|megaraid_sas|megasas|hpsa /;

export interface Trouble {
  row: DeviceRow;
  /** The device as disks are called, its partition off; null where the line names none. */
  name: string | null;
}

/** `vda`, `vda1` and `nvme0n1p2` are of disks; what hangs on a partition hangs on its disk. */
const PARTITION =
  /^((?:sd|vd|xvd|hd)[a-z]{1,3})\d{1,3}$|^((?:nvme\d+n\d+|mmcblk\d+|nbd\d+|loop\d+|md\d+))p\d{1,3}$/;

/** The disk of a block device's name. */
export function diskOf(device: string): string {
  const [, plain, numbered] = PARTITION.exec(device) ?? [];
  return plain ?? numbered ?? device;
}

/** What one line says of a device or a server, or null for nearly all lines. */
export function troubleIn(line: string): Trouble | null {
  if (!LIKELY.test(line)) return null;
  for (const row of DEVICE_ROWS) {
    const found = row.line.exec(line);
    if (found) return { row, name: nameIn(found) };
  }
  return null;
}

function nameIn([, ...names]: readonly (string | undefined)[]): string | null {
  const name = names.find((one) => one !== undefined);
  return name === undefined ? null : diskOf(name);
}

/** As a title says it: `disk sda`. */
export const calledOf = ({ row, name }: Trouble): string => row.called.replace('NAME', name ?? '?');
