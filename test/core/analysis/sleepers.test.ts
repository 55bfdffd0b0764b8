/** Tasks that sleep where none rests, and those that rest. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { ODD_WAITS } from '../../../src/core/analysis/sleepers.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, task } from '../../support/stacks.js';

const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
const asleep = (pid: number, comm: string, ...names: string[]) =>
  task(
    comm,
    pid,
    'S',
    ['__schedule', 'schedule', ...names, 'do_syscall_64'].map((name) => `${name}+0x1/0x2`),
  );
const verdict = (...tasks: string[][]) => analyze(parseDumps(dump('t', 1, ...tasks)), context).verdict;

const FUNCTIONS: readonly [string, string][] = [
  ['wait_port_writable', 'the host to take what it writes to a virtio port'],
  ['wait_for_random_bytes', 'random numbers'],
  ['tty_wait_until_sent', 'a terminal to send what was written'],
  ['n_tty_write', 'a terminal to take its output'],
  ['unix_wait_for_peer', 'room in the socket of a program that does not read'],
  ['pipe_write', 'the reader of a full pipe'],
  ['wait_for_partner', 'somebody to open the other end of a FIFO'],
  ['futex_lock_pi', 'a mutex of its program'],
  ['read_reply', 'an answer of the Xen store'],
  ['usb_start_wait_urb', 'a USB device'],
  ['dma_fence_default_wait', 'a fence of the GPU'],
];

describe('nobody is in D', () => {
  it.each(FUNCTIONS)('%s', (name, what) => {
    const found = verdict(asleep(7, 'prog', name, '__x64_sys_write'), asleep(8, 'sh', 'do_wait', '__x64_sys_wait4'));
    expect(found).toMatchObject({ class: 'waiting', confidence: 'low', frame: name, culprit: { pid: 7, state: 'S' } });
    expect(found.title).toBe(`prog:7 sleeps in write → waiting for ${what} (${name})`);
  }); // prettier-ignore

  it('has a function for each row', () => {
    const without = ODD_WAITS.filter(({ frame }) => !FUNCTIONS.some(([name]) => frame.test(name)));
    expect(without).toEqual([]);
  });

  it('tells a place that no row knows, with more doubt, after one that a row knows', () => {
    const strange = asleep(7, 'prog', 'fictodev_wait_reply', 'fictodev_ioctl', '__x64_sys_ioctl');
    expect(verdict(strange).title).toBe(
      'prog:7 sleeps in ioctl → waiting for something that no other task waits for (fictodev_ioctl)',
    );
    const both = verdict(strange, asleep(9, 'cat', 'pipe_write', 'vfs_write', '__x64_sys_write'));
    expect(both.culprit?.pid).toBe(9);
    expect(both.reasons.join()).toContain('prog:7 for something');
  });

  it.each([
    ['ep_poll', '__x64_sys_epoll_wait'],
    ['do_sys_poll', '__x64_sys_poll'],
    ['futex_wait_queue', '__x64_sys_futex'],
    ['do_nanosleep', '__x64_sys_nanosleep'],
    ['do_wait', '__x64_sys_wait4'],
    ['n_tty_read', '__x64_sys_read'],
    ['pipe_read', '__x64_sys_read'],
    ['unix_stream_read_generic', '__x64_sys_recvmsg'],
    ['inet_csk_accept', '__x64_sys_accept4'],
    ['fcntl_setlk', '__x64_sys_fcntl'],
    ['fuse_dev_do_read', '__x64_sys_read'],
    ['io_cqring_wait', '__do_sys_io_uring_enter'],
    ['do_syslog', '__x64_sys_syslog'],
  ])('%s is where a task may rest', (name, entry) => {
    expect(verdict(asleep(7, 'prog', name, entry))).toMatchObject({ class: 'none', confidence: 'high' });
  });

  it('what a kernel thread rests in has no table', () => {
    const thread = task('ficto/0', 7, 'S', ['__schedule', 'schedule', 'ficto_idle', 'ficto_quiesce', 'ficto_main', 'thread_wrapper', 'kthread', 'ret_from_fork'].map((name) => `${name}+0x1/0x2`)); // prettier-ignore
    expect(verdict(thread).class).toBe('none');
  });

  const registers = (value: string, operation: string) => [
    'RIP: 0033:0x411b4b',
    'RSP: 002b:00007f0ced107228 EFLAGS: 00000282 ORIG_RAX: 00000000000000ca',
    'RAX: ffffffffffffffda RBX: 00007f0ced1076c0 RCX: 0000000000411b4b',
    `RDX: ${value.padStart(16, '0')} RSI: ${operation.padStart(16, '0')} RDI: 00000000004bb360`,
  ];

  it.each([
    ['a mutex that is held', '2', '80', 'waiting'],
    ['a condition', '2', '189', 'none'],
    ['a counter', '0', '80', 'none'],
    ['the end of a thread', '70', '109', 'none'],
  ])('a futex is, by its registers, %s', (_case, value, operation, kind) => {
    const stack = asleep(7, 'prog', 'futex_wait_queue', '__x64_sys_futex');
    const thread = [...stack.slice(0, -1), ...registers(value, operation), ...stack.slice(-1)];
    expect(parseDumps(dump('t', 1, thread))[0]?.tasks[0]?.futex).toEqual({
      address: '0x4bb360',
      operation: Number.parseInt(operation, 16),
      value: Number.parseInt(value, 16),
    });
    expect(verdict(thread).class).toBe(kind);
  });

  const reader = (pid: number, comm: string, ppid: number) =>
    task(
      comm,
      pid,
      'S',
      ['schedule', 'pipe_read', '__x64_sys_read'].map((name) => `${name}+0x1/0x2`),
      ppid,
    );
  const parent = (pid: number, rest: string) => asleep(pid, 'sh', rest, '__x64_sys_wait4');
  it.each<[string, string[][], string]>([
    ['all children of a shell that waits', [parent(5, 'do_wait'), reader(6, 'a', 5), reader(7, 'b', 5)], 'waiting'],
    ['one program below init', [parent(1, 'do_wait'), reader(6, 'a', 1), reader(7, 'a', 1)], 'waiting'],
    ['two programs below init', [parent(1, 'do_wait'), reader(6, 'a', 1), reader(7, 'b', 1)], 'none'],
    ['one alone', [parent(5, 'do_wait'), reader(6, 'a', 5)], 'none'],
    ['beside one that may write', [parent(5, 'do_wait'), reader(6, 'a', 5), reader(7, 'b', 5), task('w', 8, 'S', ['do_nanosleep+0x1/0x2', '__x64_sys_nanosleep+0x1/0x2'], 5)], 'none'],
    ['with a child that may write', [parent(5, 'do_wait'), reader(6, 'a', 5), reader(7, 'b', 5), task('w', 8, 'R', [], 7)], 'none'],
    ['of a parent that may write', [parent(5, 'do_select'), reader(6, 'a', 5), reader(7, 'b', 5)], 'none'],
  ])('readers of pipes: %s', (_case, tasks, kind) => {
    expect(verdict(...tasks).class).toBe(kind);
  }); // prettier-ignore

  it('whoever decides by the verdict is told nothing of it', () => {
    const dumps = parseDumps(dump('t', 1, asleep(7, 'prog', 'pipe_write', '__x64_sys_write')));
    expect(analyze(dumps, { ...context, proofOnly: true }).verdict).toMatchObject({
      class: 'none',
      confidence: 'high',
    });
  });
});
