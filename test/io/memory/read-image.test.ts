import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { imageDumps } from '../../../src/core/analysis/image-dumps.js';
import { readLogFile } from '../../../src/io/console-log.js';
import { readImage } from '../../../src/io/memory/read-image.js';
import { writeElfFile } from '../../golden-memory/elf-file.js';
import { memoryAt } from '../../support/memory-dumps.js';
import { temporaryDirectory } from '../../support/temporary.js';

const MB = 2 ** 20;

describe('readImage', () => {
  it('reads the stacks and the verdict of a crash dump, and of one that was cut what it lacks', async () => {
    const path = join(await temporaryDirectory(), 'vmcore');
    const size = writeElfFile(path, '6.1-pagein');
    const whole = readImage(path);
    expect(whole).toMatchObject({ ok: true, release: expect.stringMatching(/^6\.1\./) as string });
    expect(whole.ok && whole.analysis.verdict.title).toMatch(
      /^ash:132 stuck ≥\d+ s in page fault → page-in of a mapped file/,
    );
    expect(whole.ok && whole.analysis.dumps.map(({ key, complete }) => [key, complete])).toEqual([
      ['memory', true],
    ]);

    truncateSync(path, size - 3 * MB);
    const cut = readImage(path);
    const [dump] = cut.ok ? cut.analysis.dumps : [];
    expect(dump?.complete).toBe(false);
    expect(dump?.incompleteBecause[0]).toMatch(/^the image was cut: it lacks 3 of \d+ MB of memory$/);

    expect((await readLogFile(path)).cutShort).toMatch(/^the image was cut: /);

    truncateSync(path, 30 * MB);
    const gone = readImage(path);
    expect(gone).toMatchObject({
      ok: false,
      why: expect.stringMatching(/^the image was cut: .*; no kernel found/) as string,
    });
    truncateSync(path, 4096);
    expect(readImage(path)).toEqual({
      ok: false,
      why: expect.stringMatching(/^the image was cut: it lacks (\d+) of \1 MB of memory$/) as string,
    });
  }, 30_000);
});

/** As kernels of 6.1 and 6.12 print them, shortened. */
const OOPS = [
  '[   50.100000] BUG: kernel NULL pointer dereference, address: 0000000000000008',
  '[   50.100001] #PF: supervisor write access in kernel mode',
  '[   50.100002] Oops: 0002 [#1] PREEMPT SMP NOPTI',
  '[   50.100003] CPU: 1 PID: 273 Comm: sh Not tainted 6.1.0-56-cloud-amd64 #1',
  '[   50.100004] RIP: 0010:xfs_buf_item_init+0x16/0x20 [xfs]',
  '[   50.100005] Call Trace:',
  '[   50.100006]  <TASK>',
  '[   50.100007]  xfs_trans_read_buf_map+0x24/0x40 [xfs]',
  '[   50.100008]  vfs_write+0xc7/0x3f0',
  '[   50.100009]  </TASK>',
];
const PANIC = [
  '[   58.930123] Kernel panic - not syncing: sysrq triggered crash',
  '[   58.930609] CPU: 0 PID: 273 Comm: sh Not tainted 6.1.0-56-cloud-amd64 #1',
  '[   58.931720] Call Trace:',
  '[   58.932862]  <TASK>',
  '[   58.932862]  dump_stack_lvl+0x44/0x5c',
  '[   58.932862]  panic+0x118/0x2f4',
  '[   58.932862]  sysrq_handle_crash+0x16/0x20',
  '[   58.932862]  </TASK>',
];
const FIRST = '[    0.000000] Linux version 6.1.0-56-cloud-amd64 (gcc) #1 SMP';

describe('imageDumps', () => {
  const memory = memoryAt([], 60_000, { since: null });
  const judged = (lines: readonly string[], cut: string | null = null) => {
    const log = { text: [FIRST, ...lines].map((line) => `${line}\n`).join(''), lost: 0, leftOut: 0 };
    const dumps = imageDumps({ dump: memory, log }, cut);
    const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
    return { keys: dumps.map(({ key }) => key), verdict: analyze(dumps, context).verdict };
  };

  it('tells a panic of which only the log in memory knows', () => {
    const { keys, verdict } = judged(PANIC);
    expect(keys).toEqual(['panic', 'memory']);
    expect(verdict).toMatchObject({
      class: 'panicked',
      title: 'kernel panicked: sysrq triggered crash → sh:273 on CPU 0 in sysrq_handle_crash',
    });
  });

  it('tells the oops in whose middle kdump’s kernel was started', () => {
    const { keys, verdict } = judged(OOPS);
    expect(keys).toEqual(['oops', 'memory']);
    expect(verdict.title).toContain('xfs_buf_item_init');
  });

  it('leaves alone what a kernel that lives on once said, and what somebody asked it', () => {
    expect(judged([...OOPS, '[   50.100010] ---[ end trace 0000000000000000 ]---']).keys).toEqual(['memory']);
    expect(judged(['[   51.000000] sysrq: Show Blocked State', ...PANIC]).keys).toEqual(['panic', 'memory']);
    expect(judged([]).verdict.class).toBe('none');
  });

  it('is no verdict on an image that was cut', () => {
    expect(judged([], 'the image was cut').verdict).toMatchObject({ class: 'unknown' });
    expect(imageDumps({ dump: memory, log: null }, null)).toEqual([{ ...memory, boot: 0 }]);
  });
});
