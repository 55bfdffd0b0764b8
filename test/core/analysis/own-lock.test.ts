import { describe, expect, it } from 'vitest';
import { byOwnStack, ownLock } from '../../../src/core/analysis/own-lock.js';
import type { Task } from '../../../src/core/model.js';

const sleeping = (text: string): Task => ({
  comm: 'ip',
  pid: 7,
  ppid: 1,
  state: 'D',
  workqueue: null,
  blockedForSeconds: null,
  frames: text.split(' ').map((symbol) => ({ symbol, offset: 1, size: 2, module: null, reliable: true })),
});
const RTNL = 'schedule __mutex_lock rtnl_lock';

describe('a lock that its own stack holds', () => {
  it.each<[string, string, string | null]>([
    ['RTNL in a callback', `${RTNL} thing_stop __dev_close_many dev_close_many rtnl_dellink`, '__dev_close_many'],
    ['RTNL let go in between', `${RTNL} netdev_wait_allrefs_any netdev_run_todo rtnl_unlock unregister_netdevice_queue`, null],
    ['RTNL taken by the function itself', `${RTNL} register_netdevice thing_probe`, null],
    ['RTNL wanted by a message', `${RTNL} rtnetlink_rcv_msg netlink_rcv_skb`, null],
    ['no wait for a lock', 'schedule msleep thing_stop __dev_close_many', null],
    ['a page fault in a mapping', 'schedule rwsem_down_read_slowpath down_read do_user_addr_fault asm_exc_page_fault thing_mmap mmap_region do_mmap', 'mmap_region'],
  ])('%s', (_case, text, holder) => {
    expect(ownLock(sleeping(text))?.holder ?? null).toBe(holder);
  }); // prettier-ignore

  it('makes a ring of one', () => {
    const task = sleeping(`${RTNL} thing_stop __dev_close_many`);
    const edge = byOwnStack(task);
    expect(edge).toMatchObject({ waiter: task, owner: { pid: 7, task }, confidence: 'medium' });
  });
});
