/** A guest's memory made by hand: structures of a few kinds at addresses of the direct map. */
import { createBuilds } from '../../src/core/memory/builds.js';
import type { AddressSpace, Kernel, MemoryFrame, MemoryTask, Snapshot } from '../../src/core/memory/model.js';

const PAGE = 4096n;
export const DIRECT = 0xffff888000000000n;
export const VMEMMAP = 0xffffea0000000000n;
export const TEXT = 0xffffffff81000000n;

type Offsets = Record<string, Record<string, number>>;

/** As of no kernel in particular, with the members of 6.x. */
export const LAYOUT: Offsets = {
  file: { f_inode: 32, 'f_path.dentry': 24 },
  inode: { i_sb: 40, i_mapping: 48, i_ino: 64, i_dentry: 80, i_rwsem: 160 },
  dentry: { 'd_u.d_alias': 176, d_sb: 104, d_inode: 48, d_parent: 24, 'd_name.name': 40 },
  super_block: { s_list: 0, s_type: 40, s_id: 200, s_mounts: 160, s_umount: 112 },
  file_system_type: { name: 0 },
  address_space: { host: 0 },
  mount: { mnt_parent: 16, mnt_mountpoint: 24, mnt_devname: 56, mnt_instance: 64 },
  page: { flags: 0, mapping: 24, index: 32 },
  mutex: { owner: 0, wait_list: 16 },
  mutex_waiter: { list: 0, task: 16 },
  rw_semaphore: { count: 0, owner: 8, wait_list: 24 },
  rwsem_waiter: { list: 0, task: 16 },
};

export class HandMade {
  readonly pages = new Map<bigint, DataView>();
  readonly tasks: MemoryTask[] = [];
  reads = 0;
  private free = DIRECT + 0x10000n;
  private readonly names = new Map<string, bigint>();

  constructor(readonly layout: Offsets = structuredClone(LAYOUT)) {}

  /** A piece of memory, all zeros. */
  make(size = 256): bigint {
    const at = this.free;
    this.free += (BigInt(size) + 63n) & ~63n;
    for (let page = at & ~(PAGE - 1n); page < this.free; page += PAGE) this.view(page);
    return at;
  }

  private view(page: bigint): DataView {
    const known = this.pages.get(page);
    if (known) return known;
    const view = new DataView(new ArrayBuffer(Number(PAGE)));
    this.pages.set(page, view);
    return view;
  }

  put(at: bigint, value: bigint): void {
    this.view(at & ~(PAGE - 1n)).setBigUint64(Number(at % PAGE), BigInt.asUintN(64, value), true);
  }

  put32(at: bigint, value: number): void {
    this.view(at & ~(PAGE - 1n)).setUint32(Number(at % PAGE), value, true);
  }

  text(text: string): bigint {
    const bytes = new TextEncoder().encode(`${text}\0`);
    const at = this.make(bytes.length);
    bytes.forEach((byte, index) => {
      const where = at + BigInt(index);
      this.view(where & ~(PAGE - 1n)).setUint8(Number(where % PAGE), byte);
    });
    return at;
  }

  at(struct: string, member: string): bigint {
    return BigInt(this.layout[struct]?.[member] ?? 0);
  }

  set(object: bigint, struct: string, member: string, value: bigint): void {
    this.put(object + this.at(struct, member), value);
  }

  symbol(name: string, at: bigint): bigint {
    this.names.set(name, at);
    return at;
  }

  /** A filesystem with its root, linked behind `super_blocks`. */
  filesystem(type: string, source: string, on: string): { superblock: bigint; root: bigint } {
    const head = this.names.get('super_blocks') ?? this.symbol('super_blocks', TEXT + 0x100000n);
    const superblock = this.make(512);
    const first = this.peek(head) || head;
    this.put(head, superblock);
    this.put(superblock, first);
    const kind = this.make();
    this.put(kind, this.text(type));
    this.set(superblock, 'super_block', 's_type', kind);
    const root = this.dentry('/', superblock, null);
    this.mount(superblock, source, on, root);
    return { superblock, root };
  }

  private mount(superblock: bigint, source: string, on: string, root: bigint): void {
    const [above, mount] = [this.make(), this.make()];
    this.set(above, 'mount', 'mnt_parent', above);
    this.set(mount, 'mount', 'mnt_parent', above);
    this.set(mount, 'mount', 'mnt_mountpoint', this.dentry(on.slice(1), superblock, root));
    this.set(mount, 'mount', 'mnt_devname', this.text(source));
    const list = superblock + this.at('super_block', 's_mounts');
    this.put(list, mount + this.at('mount', 'mnt_instance'));
    this.put(mount + this.at('mount', 'mnt_instance'), list);
  }

  dentry(name: string, superblock: bigint, parent: bigint | null): bigint {
    const dentry = this.make();
    this.set(dentry, 'dentry', 'd_name.name', this.text(name));
    this.set(dentry, 'dentry', 'd_sb', superblock);
    this.set(dentry, 'dentry', 'd_parent', parent ?? dentry);
    return dentry;
  }

  inode(dentry: bigint, superblock: bigint): bigint {
    const [inode, mapping] = [this.make(320), this.make()];
    this.set(inode, 'inode', 'i_sb', superblock);
    this.set(inode, 'inode', 'i_mapping', mapping);
    this.set(inode, 'inode', 'i_dentry', dentry + this.at('dentry', 'd_u.d_alias'));
    this.set(dentry, 'dentry', 'd_inode', inode);
    this.put(mapping, inode);
    return inode;
  }

  /** A page of a file, by its number among all pages. */
  folio(inode: bigint, number: bigint, index: bigint, flags: bigint): bigint {
    const folio = VMEMMAP + number * 64n;
    this.set(folio, 'page', 'flags', flags);
    this.set(folio, 'page', 'mapping', this.peek(inode + this.at('inode', 'i_mapping')));
    this.set(folio, 'page', 'index', index);
    return folio;
  }

  peek(at: bigint): bigint {
    return this.pages.get(at & ~(PAGE - 1n))?.getBigUint64(Number(at % PAGE), true) ?? 0n;
  }

  /** A task whose stack holds these words, those of each function in its own frame. */
  task(
    comm: string,
    pid: number,
    stack: readonly (readonly [symbol: string, ...words: bigint[]])[],
  ): MemoryTask {
    const address = this.make(512);
    const base = 0xffffc90000000000n + BigInt(pid) * 0x10000n;
    let at = base;
    const frames = stack.map(([symbol, ...words]): MemoryFrame => {
      const frame = {
        symbol,
        offset: 1,
        size: 2,
        module: null,
        reliable: true,
        ip: TEXT,
        sp: at,
        called: true,
      };
      for (const word of words) {
        this.put(at, word);
        at += 8n;
      }
      return frame;
    });
    const bytes = new Uint8Array(Number(at - base));
    this.space.read(base, bytes);
    const task: MemoryTask = {
      ...{
        address,
        comm,
        pid,
        tgid: pid,
        ppid: 1,
        state: 'D',
        flags: 0,
        kernelThread: false,
        cpu: 0,
        onCpu: false,
      },
      ...{
        offCpuSeconds: 14.2,
        queued: false,
        switches: 3,
        syscall: null,
        frames,
        end: { proper: true, why: 'user' },
      },
      ...{ tries: 1, torn: false, stack: { base, bytes }, blocker: null, blockedOn: null },
    };
    this.tasks.push(task);
    return task;
  }

  /** Copies the stack again, after its words were changed. */
  recopy(task: MemoryTask): void {
    if (task.stack) this.space.read(task.stack.base, task.stack.bytes);
  }

  readonly space: AddressSpace = {
    translate: () => null,
    forget: () => undefined,
    read: (va, into) => {
      this.reads += 1;
      for (let index = 0; index < into.length; index += 1) {
        const at = va + BigInt(index);
        const page = this.pages.get(at & ~(PAGE - 1n));
        if (!page) return false;
        into[index] = page.getUint8(Number(at % PAGE));
      }
      return true;
    },
  };

  get kernel(): Kernel {
    const { space, layout, names } = this;
    return {
      ...{
        arch: 'x86-64',
        release: '6.1.0',
        buildId: null,
        noteAt: null,
        note: new Map(),
        pageOffset: DIRECT,
      },
      how: { kernel: 'note', types: 'btf', stacks: 'orc' },
      ram: { ranges: [], read: () => false },
      space,
      builds: createBuilds(),
      symbols: {
        address: (name) => names.get(name) ?? null,
        at: (va) => {
          const found = [...names].find(([, at]) => at <= va && va < at + 64n);
          return found ? { name: found[0], offset: Number(va - found[1]), size: 64 } : null;
        },
      },
      layouts: {
        by: 'btf',
        offset: (struct, path) =>
          path
            .split('|')
            .map((one) => layout[struct]?.[one])
            .find((found) => found !== undefined) ?? null,
        size: (struct) => (struct === 'page' ? 64 : null),
        memberSize: () => null,
      },
      text: { first: TEXT, end: TEXT + 0x800000n },
      object: () => null,
      vmemmap: VMEMMAP,
    };
  }

  get snapshot(): Snapshot {
    return {
      kernel: this.kernel,
      complete: true,
      incompleteBecause: [],
      clock: 100,
      tasks: this.tasks,
      cpus: [],
    };
  }
}
