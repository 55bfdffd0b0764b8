/** A real ELF file with debug information stands for a kernel: its own return addresses say which line is right. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/core/analysis/analysis.js';
import { renderStacks } from '../../src/core/analysis/groups.js';
import { parseDumps } from '../../src/core/dump/parse-dumps.js';
import { symbolise } from '../../src/io/symbols.js';
import { fence } from '../support/stacks.js';

const SOURCE = `#include <stdio.h>
int filemap_fault(void);
__attribute__((noinline)) void io_schedule(void) {
  printf("%lx\\n", (long)((char *)__builtin_return_address(0) - (char *)filemap_fault));
}
static inline __attribute__((always_inline)) void folio_wait(void) {
  io_schedule();
}
__attribute__((noinline)) int filemap_fault(void) {
  folio_wait();
  return 1;
}
int main(void) { return filemap_fault() - 1; }
`;

let vmlinux = '';
let directory = '';
let offset = '';
let size = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wedgewatch-test-'));
  const source = join(directory, 'filemap.c');
  vmlinux = join(directory, 'vmlinux');
  writeFileSync(source, SOURCE);
  execFileSync('gcc', ['-g', '-O1', '-o', vmlinux, source]);
  offset = execFileSync(vmlinux, { encoding: 'utf8' }).trim();
  const symbols = execFileSync('nm', ['-S', vmlinux], { encoding: 'utf8' });
  size = /^\w+ 0*(\w+) T filemap_fault$/m.exec(symbols)?.[1] ?? '';
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const analysisOf = (frames: readonly string[]) =>
  analyze(
    parseDumps([
      'sysrq: Show Blocked State',
      'task:cat             state:D stack:0     pid:9     ppid:1      flags:0x00000002',
      'Call Trace:',
      ...frames.map((frame) => ` ${frame}`),
      fence,
    ]),
    { secondsBetweenLooks: null, shares: [], kernelCommandLine: null },
  );
const frames = () => [
  '__schedule+0x1/0x9000',
  `filemap_fault+0x${offset}/0x${size}`,
  'thing+0x1/0x2 [thing]',
];
const limit = { timeoutMs: 30_000 };

describe('source lines', () => {
  it('are those of the call, and of what it was inlined into', async () => {
    const before = analysisOf(frames());
    const { analysis, problem } = await symbolise(before, vmlinux, limit);
    expect(problem).toBeNull();
    const [, fault, thing] = analysis.dumps[0]?.tasks[0]?.frames ?? [];
    expect(fault?.source).toBe('filemap.c:7 filemap.c:10'.replaceAll('filemap.c', join(directory, 'filemap.c')));
    expect(thing?.source).toBeUndefined();
    expect(renderStacks(analysis.groups)).toMatch(/^ {4}filemap_fault +\S*filemap\.c:7 \S*filemap\.c:10$/m);
    expect(analysis.verdict).toBe(before.verdict);
    expect(analysis.fingerprint).toBe(before.fingerprint);
  });

  it('are not taken from another build', async () => {
    const before = analysisOf([`filemap_fault+0x${offset}/0x999`, 'io_schedule+0x1/0x999']);
    const { analysis, problem } = await symbolise(before, vmlinux, limit);
    expect(analysis).toBe(before);
    expect(problem).toMatch(/vmlinux: it is of another build: 2 of 2 functions have another size there$/);
  });

  it.each([
    ['no such file', '/nowhere/vmlinux', undefined, /\/nowhere\/vmlinux cannot be read \(ENOENT\)\. Fix: symbols\.vmlinux/],
    ['a file that is none', '/etc/hostname', undefined, /^no source lines: nm: .*hostname.*format not recogni[sz]ed/],
    ['no binutils', '', '/nowhere', /^no source lines: nm is missing\. Fix: apt-get install binutils$/],
  ])('say what is wrong: %s', async (_case, file, path, words) => {
    const before = analysisOf(frames());
    const kept = process.env['PATH'];
    if (path !== undefined) process.env['PATH'] = path;
    const { analysis, problem } = await symbolise(before, file || vmlinux, limit).finally(() => {
      process.env['PATH'] = kept;
    });
    expect(analysis).toBe(before);
    expect(problem).toMatch(words);
  });

  it('say so where the debug information was stripped, and where time is up', async () => {
    const stripped = join(directory, 'stripped');
    execFileSync('strip', ['-g', '-o', stripped, vmlinux]);
    const { problem } = await symbolise(analysisOf(frames()), stripped, limit);
    expect(problem).toMatch(/stripped has no debug information\. Fix: /);
    const late = await symbolise(analysisOf(frames()), vmlinux, { timeoutMs: 1 });
    expect(late.problem).toMatch(/did not finish within 1 ms$/);
  });
}); // prettier-ignore
