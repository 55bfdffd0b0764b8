import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { showDiff } from '../../src/cli/diff.js';
import { showStacks } from '../../src/cli/stacks.js';
import type { StackGroup } from '../../src/core/model.js';
import { archive, run } from '../support/archive.js';
import { dump, stacks as sample, task } from '../support/stacks.js';
import { temporaryDirectory } from '../support/temporary.js';

type Options = Parameters<typeof showStacks>[2];
const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}.log`, import.meta.url));
const stacks = (root: string, wanted: string | undefined, options: Options = {}) =>
  run((terminal) => showStacks(root, wanted, options, terminal));
const diff = (root: string, pair: [string, string], options: Parameters<typeof showDiff>[2] = {}) =>
  run((terminal) => showDiff(root, pair, options, terminal));
const groups = (out: string) => JSON.parse(out) as StackGroup[];

/** A log of a w and a t dump: a page-in stands still, an exec comes, a worker goes. */
async function log(): Promise<string> {
  const path = join(await temporaryDirectory(), 'console.log');
  const stuck = task('reader', 50, 'D', sample.pageIn);
  const lines = [
    ...dump('w', 10, stuck, task('kworker/1:1', 60, 'D', sample.firmware)),
    ...dump('t', 14, stuck, task('sh', 70, 'S', sample.fuse), task('parked', 80, 'D', sample.neverRun)),
  ];
  await writeFile(path, lines.join('\n'));
  return path;
}

describe('stacks', () => {
  it('prints the culprit first, and counts the idle ones it hides', async () => {
    const { code, out } = await stacks('/nowhere', golden('inode-lock'));
    expect(code).toBe(0);
    expect(out).toMatch(/^1 task in S: init:108\n {4}__schedule\n/);
    expect(out).toMatch(/\n2 tasks in D: rm:1562, rm:1563\n/);
    expect(out).toMatch(/\n50 idle kernel threads not shown; -a shows them\n$/);
    const all = await stacks('/nowhere', golden('inode-lock'), { all: true });
    expect(all.out).toMatch(/\n\d+ tasks in S: (?:\S+, )*ksoftirqd\/0:\d+[^]*\n {4}smpboot_thread_fn\n/);
    expect(all.out).not.toContain('not shown');
  });

  it.each<[Options, string[]]>([
    [{ function: 'request_wait_answer' }, ['init:108']],
    [{ function: 'fuse_*' }, ['init:108']],
    [{ function: 'fuse_' }, []],
    [{ module: 'fuse' }, ['init:108']],
    [{ state: 'd' }, ['rm:1562']],
    [{ state: 'DS', function: 'do_wait' }, ['init:107']],
    [{ function: 'do_unlinkat.isra.0' }, ['rm:1562']],
  ])('selects by %j', async (options, wanted) => {
    const { code, out } = await stacks('/nowhere', golden('inode-lock'), { ...options, json: true });
    expect(groups(out).map(({ comms, pids }) => `${comms[0]}:${pids[0]}`)).toEqual(wanted);
    expect(code).toBe(wanted.length === 0 ? 3 : 0);
  });

  it('takes an incident by id, directory, or neither, and says that its evidence is incomplete', async () => {
    const root = await archive();
    for (const wanted of [
      'aa000001',
      'bb',
      undefined,
      join(root, 'incidents/20260918T101502Z.store.aa000001/'),
    ])
      expect(await stacks(root, wanted)).toMatchObject({
        code: 0,
        out: '1 task in D: chroot:441\n    io_schedule\n    filemap_read\n',
      });
    expect(await stacks(root, 'aa000002')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/aa000002 is incomplete\n$/) as string,
    });
  });

  it('takes one dump by its name', async () => {
    const path = await log();
    expect(groups((await stacks('/', `${path}:w`, { json: true })).out)).toHaveLength(2);
    expect(await stacks('/', `${path}:w.2`)).toMatchObject({
      code: 3,
      err: `wedgewatch: no dump w.2 in ${path}; there are w, t\n`,
    });
    for (const dump of ['z.9', 'w.x', '7', 'sysrq-w.1'])
      expect(await stacks('/', `${path}:${dump}`)).toMatchObject({
        code: 3,
        err: `wedgewatch: no dump ${dump} in ${path}; there are w, t\n`,
      });
    expect(await stacks(await archive(), 'aa000001:z.9')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/: no dump z\.9 in 2026\S+aa000001; there are \w/) as string,
    });
  });

  it('takes a file whose name has a colon', async () => {
    const path = join(await temporaryDirectory(), 'console:w');
    await writeFile(path, dump('t', 1, task('reader', 9, 'D', sample.pageIn)).join('\n'));
    expect((await stacks('/', path)).code).toBe(0);
    expect((await stacks('/', `${path}:t`)).code).toBe(0);
  });

  it.each([
    ['ee', 3, 'no incident ee; wedgewatch list shows'],
    ['aa', 2, 'aa could be any of'],
    ['/nowhere/console.log', 5, 'cannot be read: no such file'],
    ['/nowhere/a:b.log', 5, '/nowhere/a:b.log cannot be read: no such file'],
  ])('of %s ends with %d', async (wanted, code, text) => {
    const said = await stacks(await archive(), wanted, { json: true });
    expect(said.code).toBe(code);
    expect(said.err).toContain(text);
    expect(said.out).toBe(code === 3 ? '[]\n' : '');
  });

  it('keeps a terminal from obeying a guest', async () => {
    const path = join(await temporaryDirectory(), 'evil.log');
    await writeFile(path, dump('t', 1, task('\u001b[2J\u202evil', 9, 'D', sample.pageIn)).join('\n'));
    for (const json of [false, true])
      // eslint-disable-next-line no-control-regex -- their absence is the point
      expect((await stacks('/', path, { json })).out).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('diff', () => {
  it('says what came, went and stayed within one log', async () => {
    const path = await log();
    const { code, out } = await diff('/', [`${path}:w`, `${path}:t`]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Came: 1 stack, 1 task, in \S+:t only\n {2}1 task in S: sh:70\n {6}__schedule\n/);
    expect(out).toMatch(/\nWent: 1 stack, 1 task, in \S+:w only\n {2}1 task in D: kworker\/1:1:60\n/);
    expect(out).toMatch(
      /\nStayed: 1 stack, 1 task, in both\n {2}1 task in D at filemap_fault, 1 of them stood still: reader:50\n$/,
    );
  });

  it('knows nothing of standing still between two runs, and of none', async () => {
    const [one, two] = [await log(), await log()];
    const { out } = await diff('/', [one, two], { json: true, all: true });
    expect(JSON.parse(out)).toMatchObject({
      before: one,
      after: two,
      came: [],
      went: [],
      stayed: [{ before: 1, stoodStill: null }, { state: 'S' }, { state: 'D', idle: true }],
    });
    expect(await diff('/', [one, `${two}:q`], { json: true })).toMatchObject({ code: 3, out: '[]\n' });
  });

  it('compares incidents, and says which side is not whole', async () => {
    const root = await archive();
    expect((await diff(root, ['aa000001', 'bb'])).code).toBe(0);
    expect(await diff(root, ['aa000002', 'bb'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('aa000002 is incomplete') as string,
    });
  });
});
