/** Layouts that were learned, not told: what could not be learned is null. */
import type { Layouts } from './model.js';

export interface Member {
  offset: number;
  size: number | null;
}

export class LearnedLayouts implements Layouts {
  readonly by = 'learned';
  private readonly members = new Map<string, Member>();

  /** A member of `list_head` is asked for as itself, and by its two pointers. */
  add(struct: string, path: string, offset: number | null, size: number | null): void {
    if (offset !== null) this.members.set(`${struct} ${path}`, { offset, size });
  }

  offset(struct: string, path: string): number | null {
    return this.find(struct, path)?.offset ?? null;
  }

  memberSize(struct: string, path: string): number | null {
    return this.find(struct, path)?.size ?? null;
  }

  /** Where structures end cannot be seen, but for those that never changed. */
  size(struct: string): number | null {
    return fixedSizes.get(struct) ?? null;
  }

  private find(struct: string, paths: string): Member | null {
    for (const path of paths.split('|')) {
      const known = this.members.get(`${struct} ${path}`);
      if (known !== undefined) return known;
      const [, list, pointer] = /^(.+)\.(next|prev)$/.exec(path) ?? [];
      const head = list === undefined ? undefined : this.members.get(`${struct} ${list}`);
      if (head?.size === listSize) return { offset: head.offset + (pointer === 'prev' ? 8 : 0), size: 8 };
    }
    return null;
  }
}

export const listSize = 16;

const fixedSizes = new Map([
  ['list_head', listSize],
  ['pt_regs', 168],
  ['inactive_task_frame', 56],
]);

const wordsInOrder = (names: readonly string[]): [string, number][] =>
  names.map((name, index) => [name, index * 8]);

/** arch/x86/include/asm/ptrace.h, switch_to.h */
const x86: Record<string, [string, number][]> = {
  pt_regs: wordsInOrder(
    'r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss'.split(' '),
  ),
  inactive_task_frame: wordsInOrder('r15 r14 r13 r12 bx bp ret_addr'.split(' ')),
};

/** The same from 5.10 to 7.3. */
const everywhere: Record<string, [string, number][]> = {
  mod_kallsyms: [
    ['symtab', 0],
    ['num_symtab', 8],
    ['strtab', 16],
  ],
};

/** Of kernels without PREEMPT_RT, from 5.10 to 7.3. */
const sleepingLocks: Record<string, [string, number][]> = {
  mutex: [['owner', 0]],
  mutex_waiter: [
    ['list', 0],
    ['task', 16],
  ],
  rw_semaphore: [
    ['count', 0],
    ['owner', 8],
  ],
  rwsem_waiter: [
    ['list', 0],
    ['task', 16],
  ],
  semaphore_waiter: [
    ['list', 0],
    ['task', 16],
  ],
};

const oddSizes = new Map([
  ['list', listSize],
  ['num_symtab', 4],
]);

export function addConstants(layouts: LearnedLayouts, arch: 'x86-64' | 'arm64', isRealTime: boolean): void {
  const tables = [everywhere, ...(arch === 'x86-64' ? [x86] : []), ...(isRealTime ? [] : [sleepingLocks])];
  for (const [struct, members] of tables.flatMap((table) => Object.entries(table))) {
    for (const [path, offset] of members) layouts.add(struct, path, offset, oddSizes.get(path) ?? 8);
  }
}
