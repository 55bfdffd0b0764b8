/** Short console text for tests: kernel stacks as the versions print them. */

export const fence = 'sysrq: HELP : loglevel(0-9) reboot(b) crash(c) show-blocked-tasks(w)';
const page = [
  '__schedule+0x34d/0xa00',
  'schedule+0x5a/0xd0',
  'io_schedule+0x42/0x70',
  'folio_wait_bit_common+0x13d/0x380',
];

export const stacks = {
  pageIn: [
    ...page,
    'filemap_fault+0xda/0x910',
    '__do_fault+0x33/0x110',
    'do_user_addr_fault+0x191/0x570',
    'asm_exc_page_fault+0x22/0x30',
  ],
  execRead: [
    ...page,
    'filemap_read+0x2f0/0x3a0',
    'kernel_read+0x50/0x60',
    'bprm_execve+0x2c1/0x650',
    'do_execveat_common.isra.0+0x1ad/0x220',
    '__x64_sys_execve+0x32/0x40',
    'do_syscall_64+0x5d/0xb0',
  ],
  fuse: [
    '__schedule+0x34d/0xa00',
    'schedule+0x5a/0xd0',
    'request_wait_answer+0x159/0x2a0 [fuse]',
    'fuse_simple_request+0x18b/0x2b0 [fuse]',
    'fuse_permission+0x101/0x1b0 [fuse]',
    'inode_permission+0x13f/0x1d0',
    '__x64_sys_execve+0x32/0x40',
    'do_syscall_64+0x5d/0xb0',
  ],
  mutex: [
    '__schedule+0x34d/0xa00',
    'schedule+0x5a/0xd0',
    'schedule_preempt_disabled+0x15/0x20',
    '__mutex_lock.constprop.0+0x511/0xb00',
    'thing_update+0x54/0x1a0 [thing]',
    '__x64_sys_ioctl+0x8f/0xc0',
    'do_syscall_64+0x5d/0xb0',
  ],
  firmware: [
    '__schedule+0x34d/0xa00',
    'schedule+0x5a/0xd0',
    'schedule_timeout+0x11/0x150',
    'wait_for_completion+0x8a/0x160',
    'thing_reset+0x77/0x90 [thing]',
    'process_one_work+0x1c7/0x380',
    'worker_thread+0x4d/0x380',
    'kthread+0xe9/0x110',
    'ret_from_fork+0x22/0x30',
  ],
  neverRun: ['__schedule+0x34d/0xa00', 'schedule+0x5a/0xd0', 'kthread+0xb1/0x100', 'ret_from_fork+0x22/0x30'],
  shell: [
    '__schedule+0x34d/0xa00',
    'schedule+0x5a/0xd0',
    'do_wait+0x114/0x320',
    '__do_sys_wait4+0xa2/0xb0',
    'do_syscall_64+0x5d/0xb0',
  ],
};

/** A task as 6.1 prints it. */
export function task(
  comm: string,
  pid: number,
  state: string,
  frames: readonly string[],
  ppid = 1,
): string[] {
  const header = `task:${comm.slice(0, 15).padEnd(15)} state:${state} stack:0     pid:${pid}     ppid:${ppid}      flags:0x00000002`;
  return [header, 'Call Trace:', ' <TASK>', ...frames.map((frame) => `  ${frame}`), ' </TASK>'];
}

const headers = { w: 'sysrq: Show Blocked State', t: 'sysrq: Show State' };

/** A whole dump with its fence, printed at a time. */
export function dump(key: 'w' | 't', at: number, ...tasks: string[][]): string[] {
  return [headers[key], ...tasks.flat(), fence].map((line) => `[${at.toFixed(6).padStart(12)}] ${line}`);
}
