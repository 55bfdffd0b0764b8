/**
 * Snapshots of recorded guests (record.mjs) against what the same guests printed for SysRq-t moments before, frame by
 * frame.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/core/analysis/analysis.js';
import { parseDumps } from '../../src/core/dump/parse-dumps.js';
import { createBuilds } from '../../src/core/memory/builds.js';
import { KnownGuest } from '../../src/core/memory/known-guest.js';
import type { SnapshotTaken } from '../../src/core/memory/answers.js';
import type { Dump, Task } from '../../src/core/model.js';
import { unpack } from './recording.mjs';

const here = import.meta.dirname;
const END = '.memory.br';

interface Expected {
  /** Of the verdict. */
  title: RegExp;
  /** Tasks that moved between the two, by name. */
  moved: RegExp;
  /** Tasks that began after the dump, by name. */
  began?: RegExp;
}

const EXPECTED: Record<string, Expected> = {
  '6.1-pagein': {
    title:
      /^ash:132 stuck ≥\d+ s in page fault → page-in of a mapped file \(filemap_fault\) → filesystem virtiofs:store \(\/mnt\/store\), page 24 of \/ash$/,
    moved: /^$/,
  },
  '6.12-locks': {
    title:
      /^mv:168 stuck ≥\d+ s in rename → waiting for I\/O \(ext4_read_bh[^)]*\) → filesystem ext4 on \/dev\/vda \(\/mnt\/disk\) \(\+3 others\)$/,
    moved: /^$/,
  },
  '6.12-arm64-frozen': {
    title:
      /^touch:144 stuck ≥\d+ s in openat → waiting for the thaw of a frozen filesystem \(mnt_want_write\) → filesystem ext4 on \/dev\/vda \(\/mnt\) \(\+2 others\)$/,
    // Its init printed the dump, and then started `sleep`.
    moved: /^(?:init|rcu_sched|sleep)$/,
    began: /^sleep$/,
  },
  // Lockdep's fields in every lock, no note of VMCOREINFO, and who prints in every line.
  '7.3-lockdep-frozen': {
    title:
      /^touch:85 stuck ≥\d+ s in openat → waiting for the thaw of a frozen filesystem \(mnt_want_write\) → filesystem ext4 on \/dev\/vda \(\/mnt\/disk\) \(\+2 others\)$/,
    moved: /^$/,
  },
  '7.3-rt-pagein': {
    title:
      /^awk:151 stuck ≥\d+ s in page fault → page-in of a mapped file \(filemap_fault\) → filesystem virtiofs:store \(\/mnt\/store\), page 361 of \/ash$/,
    // The keyboard's thread printed the dump, and woke the other for the console.
    moved: /^irq(?:\/1-i8042|_work\/1)$/,
  },
};

const names = readdirSync(here).flatMap((name) => (name.endsWith(END) ? [name.slice(0, -END.length)] : []));

function snapshotOf(name: string): SnapshotTaken {
  const { ram, registers } = unpack(readFileSync(join(here, `${name}${END}`)));
  const taken = new KnownGuest(ram, createBuilds()).snapshot(registers, 0);
  if (!taken.ok) throw new Error(taken.why);
  return taken;
}

const printedBy = (name: string): Dump => {
  const lines = readFileSync(join(here, `${name}.sysrq-t.txt`), 'utf8').split('\n');
  const dump = parseDumps(lines).find(({ key }) => key === 't');
  if (dump === undefined) throw new Error(`${name}: no dump`);
  return dump;
};

const framesOf = ({ frames }: Task): string[] =>
  frames
    .filter(({ reliable }) => reliable)
    .map(
      ({ symbol, offset, size, module }) =>
        `${symbol}+${offset}/${size}${module === null ? '' : ` ${module}`}`,
    );

const byPid = (dump: Dump) => new Map(dump.tasks.map((task) => [task.pid, task]));
/** Of a zombie the kernel prints no stack. */
const hasStack = ({ state, onCpu }: Task) => !['Z', 'X'].includes(state) && onCpu !== true;

it('there are recordings', () => {
  expect(names.sort()).toEqual(Object.keys(EXPECTED).sort());
});

describe.each(names)('%s', (name) => {
  let taken: SnapshotTaken;
  let printed: Dump;
  beforeAll(() => {
    taken = snapshotOf(name);
    printed = printedBy(name);
  });

  it('has the tasks that SysRq-t shows, in their states', () => {
    const { began } = EXPECTED[name] as Expected;
    const shown = (tasks: readonly Task[]) => tasks.map(({ comm, pid, ppid }) => `${comm} ${pid} ${ppid}`);
    const before = taken.dump.tasks.filter(({ comm }) => began?.test(comm) !== true);
    expect(shown(before)).toEqual(shown(printed.tasks));
    expect(taken.dump.incompleteBecause).toEqual([]);
  });

  it('has the frames that SysRq-t shows', () => {
    const told = byPid(printed);
    const { moved } = EXPECTED[name] as Expected;
    const still = taken.dump.tasks.filter((task) => hasStack(task) && !moved.test(task.comm));
    const compared = still.map((task) => [task.comm, task.state, framesOf(task)]);
    const theirs = still.map(({ pid, comm }) => {
      const other = told.get(pid);
      return [comm, other?.state, other === undefined ? [] : framesOf(other)];
    });
    expect(compared).toEqual(theirs);
    expect(still.length).toBeGreaterThan(50);
  });

  it('gives the verdict', () => {
    const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
    expect(analyze([taken.dump], context).verdict.title).toMatch((EXPECTED[name] as Expected).title);
  });

  it('has the log, up to the dump itself', () => {
    expect(taken.log?.text).toMatch(/Linux version/);
    expect(taken.log?.text).toMatch(/sysrq: Show State/);
  });
});
