/** Who called a place: for a title the functions that tell, without those that serve every caller. */
import type { Frame } from '../model.js';
import { backendOf, requestedBy } from './backends.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol, layerOf } from './layers.js';
import { whole } from './patterns.js';
import { subjectOfSymbol } from './subjects.js';

const CALLERS_MAX = 6;

/** Of functions, innermost first, the nearest that tell anything, and those further out that must not be missed. */
export function callersOf(names: readonly string[], wanted: readonly string[] = iterating(names)): string[] {
  const telling = tellingOf(names);
  const far = telling.slice(CALLERS_MAX).filter((name) => wanted.includes(name));
  return [...telling.slice(0, CALLERS_MAX - far.length), ...far];
}

/** Without those that tell nothing. */
export const tellingOf = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name) => tells(name) && !SERVES_ALL.test(name))),
];

function tells(name: string): boolean {
  const layer = layerOf(name);
  return layer === 'operation' || (layer === 'plumbing' && ITERATES.test(name));
}

/** The innermost function that goes through many of something by its name, of the code that the stack is in. */
export function iterating(names: readonly string[]): string[] {
  const telling = tellingOf(names);
  const kin = new Set(telling.slice(0, 2).map(wordOf));
  const loop = telling.find((name) => ITERATES.test(name) && kin.has(wordOf(name)));
  return loop === undefined ? [] : [loop];
}

const wordOf = (name: string): string => /^_*([a-z]+\d*)/i.exec(name)?.[1] ?? name;

const ITERATES =
  /(?:^|_)(?:i?truncate|walk|scan|shrink|purge|drain|reclaim|iterate|foreach|for_each|each|loop|batch|range|all|extents|pages|folios|items|inodes|entries|nodes|objects|blocks|segments|sections|chunks|buffers|slots|files|tasks|lists?(?=$)|maps|pfns|ptes)(?:_|$)|(?:^|_)for_each_/;

/** The same of the function that names the place of a sleeping task, as far as the code of the same part reaches. */
export function callersOfPlace(frames: readonly Frame[]): string[] {
  // A request to a server says who made it; to one of NFS, not always what it is.
  const backend = backendOf(frames);
  if (backend && backend.kind !== 'nfs') return [];
  const place = operationFrame(frames);
  const firm = firmFrames(frames);
  const from = place === null ? -1 : firm.indexOf(place);
  if (place === null || from < 0) return [];
  const outwards = firm.slice(from + 1);
  const end = outwards.findIndex(
    ({ symbol }) => layerOf(symbol) === 'entry' || subjectOfSymbol(symbol)?.general === true,
  );
  const own = baseSymbol(place.symbol);
  const reached = submitted(
    (end < 0 ? outwards : outwards.slice(0, end)).filter(({ symbol }) => baseSymbol(symbol) !== own),
  );
  const nearest = callersOf(reached.map(nameOf));
  if (backend) {
    const said = requestedBy(frames, backend);
    return nearest.filter((name) => name !== said && /^_*nfs/.test(name)).slice(0, 1);
  }
  const user = callersOf(reached.filter((frame) => isUser(frame, place)).map(nameOf));
  if (user.length === 0) return nearest;
  if (SERVICE.test(own)) return user;
  const shown = reached.filter((frame) => nearest.slice(0, SHOWN).includes(nameOf(frame)));
  if (!shown.every((frame) => isSamePart(frame, place))) return nearest;
  return [...new Set([...nearest.slice(0, 1), ...user, ...nearest.slice(1)])].slice(0, CALLERS_MAX);
}

/** Without what carries anybody's request through the block layer, where whoever submitted it is there. */
function submitted(frames: readonly Frame[]): readonly Frame[] {
  const others = frames.filter(({ symbol }) => !CARRIES.test(baseSymbol(symbol)));
  return others.some(({ symbol }) => tells(baseSymbol(symbol))) ? others : frames;
}

const CARRIES = whole([
  '_*rq_qos_throttle|wbt_wait|_*blk_mq_(?:make_request|submit_bio|get_request|get_new_requests|alloc_requests?|get_driver_tag)',
  'blk_queue_bio|_*generic_make_request\\w*|_*submit_bio(?:_noacct\\w*)?|_*submit_bh\\w*|blk_next_bio|_*bio_queue_enter|blk_queue_enter',
]);

/** So many of them a title has room for, mostly. */
const SHOWN = 2;

const nameOf = ({ symbol }: Frame): string => baseSymbol(symbol);

/** Parts of the kernel that do for drivers what these ask of them: their own functions tell the least. */
const SERVICE = /^_*(?:kernfs|sysfs|debugfs|configfs|proc|device|bus|driver|kthread|async)_/;

/** Whether it is a caller of another part of the kernel: who made use of the place. */
function isUser(frame: Frame, place: Frame): boolean {
  if (SERVICE.test(frame.symbol)) return false;
  if (SERVICE.test(place.symbol)) return true;
  if (frame.module !== null && place.module !== null) return frame.module !== place.module;
  return subjectOfSymbol(frame.symbol) !== null && !isSamePart(frame, place);
}

function isSamePart(frame: Frame, place: Frame): boolean {
  if (frame.module !== null && frame.module === place.module) return true;
  const subject = subjectOfSymbol(frame.symbol);
  return subject !== null && subject === subjectOfSymbol(place.symbol);
}

/** Pages, slabs, reference counts, wakeups, lists, time and the like: lib/, mm/, kernel/. */
const SERVES_ALL = whole([
  // What prints, and what keeps books of memory and objects.
  '_*v?printk\\w*|vprintk_\\w+|_*dev_(?:v?printk\\w*|err|warn|info|notice)|_dev_\\w+|netdev_(?:printk|err|warn|info)|_*netdev_printk|console_\\w+|\\w+_console_(?:write|putchar)\\w*|uart_console_write|msg_print_text|io_serial_\\w+|wait_for_(?:xmitr|lsr)|_*dynamic_\\w+_dbg',
  '_*delete_object\\w*|find_and_remove_object|(?:create|put|free)_object|kmemleak_\\w+|_*stack_depot_\\w+|_*k[am]san_(?!(?:de)?populate|release_)\\w+|_*debug_(?:object|check)\\w*|debug_object\\w*|debug_objects?_\\w+|lockdep_\\w+|acpi_(?:os|ut)_\\w+',
  'free_pcppages_bulk|_*apply_to_(?:existing_)?page_range|_*free_(?:unref_|hot_cold_|frozen_)?(?:pages?|folios?)\\w*|_*put_(?:page|folio|task_struct)\\w*|_*alloc_pages?\\w*|get_page_from_freelist|rmqueue\\w*|_*get_free_pages?|release_pages|destroy_large_folio|clear_(?:huge_)?page\\w*|copy_page\\w*',
  'k[vz]?[mf](?:alloc|ree)\\w*|_*kmem_cache_\\w+|_*kmalloc\\w*|_*slab_\\w+|slub?_\\w+|v(?:m|z)alloc\\w*|vfree\\w*|cache_\\w+_refill',
  'mem(?:set|cpy|move|cmp)\\w*|_*copy_(?:to|from)_\\w+|strn?(?:cmp|len|cpy)\\w*|find_(?:first|next)_\\w*bit\\w*|bitmap_\\w+|_*list_\\w+|rb_(?:next|first|insert|erase)\\w*|xas?_\\w+|radix_tree_\\w+|idr_\\w+|refcount_\\w+|kref_\\w+',
  '_*(?:do_)?raw_\\w*(?:lock|unlock)\\w*|btrfs_(?:release|free)_path|btrfs_tree_unlock|of_node_\\w+|kobject_(?:put|release|cleanup)|pointer|v?s[cn]*printf|device_node_string|fwnode_full_name_string|_*local_(?:bh|irq)_\\w+|arch_local_\\w+|_*rcu_read_\\w+|rcu_is_watching|call_rcu\\w*|wake_\\w+|ttwu_\\w+|_*wake_up\\w*|complete(?:_all)?|_*queue_(?:delayed_)?work\\w*|mod_timer\\w*|mod_delayed_work\\w*|try_to_grab_pending',
  'arch_stack_walk|stack_trace_\\w+|unwind_\\w+|__orc_find|__unwind_start|_*alloc_skb\\w*|kmalloc_reserve|_*skb_(?:segment|gso_segment|mac_gso_segment)|(?:tcp|inet|udp|ipv6)_gso_segment|ktime_\\w+|read_(?:tsc|hpet)|_*(?:const_)?udelay|delay_\\w+|_*ndelay|native_\\w+|kvm_\\w*clock\\w*|sched_clock\\w*|trace_\\w+|_*lock_(?:is_held|acquire|release)\\w*|irq_\\w+|preempt_\\w+',
]);
