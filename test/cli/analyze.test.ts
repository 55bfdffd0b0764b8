import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { runAnalyze } from '../../src/cli/analyze.js';
import type { Analysis } from '../../src/core/model.js';
import { dump, stacks, task } from '../support/stacks.js';

const directory = mkdtempSync(join(tmpdir(), 'wedgewatch-analyze-'));
afterAll(() => rmSync(directory, { recursive: true }));

const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}.log`, import.meta.url));
function file(name: string, lines: readonly string[] | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, lines instanceof Uint8Array ? lines : lines.join('\n'));
  return path;
}

async function run(files: string[], json = false, input: AsyncIterable<Uint8Array> = Readable.from([])) {
  let out = '';
  let err = '';
  const code = await runAnalyze(
    files,
    { json, ci: 'plain' },
    { in: input, out: (text) => (out += text), err: (text) => (err += text) },
  );
  return { code, out, err };
}

describe('analyze', () => {
  it('prints the title, then why, then the stacks that matter', async () => {
    const { code, out } = await run([golden('page-in')]);
    expect(code).toBe(1);
    const lines = out.split('\n');
    expect(lines[0]).toBe(
      'pagein:109 stuck ≥5 s in page fault → page-in of a mapped file (filemap_fault) → perhaps a virtiofs share (inferred from the boot log)',
    );
    expect(out).toContain('- w.1, w.2 and t: pagein:109 in D with exactly the same stack.');
    expect(out).toContain('\n1 in D: pagein:109\n    __schedule\n');
    expect((await run([golden('inode-lock')])).out).toMatch(
      /\n1 in S: init:108\n[^]*\n2 in D: rm:1562, rm:1563\n/,
    );
  });

  it('says which lines it did not understand', async () => {
    const [header = '', ...body] = dump('w', 1, task('cat', 9, 'D', stacks.pageIn));
    const { out } = await run([file('noise.log', [header, 'hello from a program', ...body])]);
    expect(out).toContain('\nw: 1 line not understood: hello from a program\n');
  });

  it('prints the analysis as JSON, schema version first', async () => {
    const { code, out } = await run([golden('exec')], true);
    const analysis = JSON.parse(out) as Analysis;
    expect(code).toBe(1);
    expect(Object.keys(analysis)).toEqual([
      'schemaVersion',
      'verdict',
      'dumps',
      'groups',
      'waits',
      'fingerprint',
      'fingerprintVersion',
    ]);
    expect(analysis).toMatchObject({
      schemaVersion: 1,
      verdict: { class: 'waiting', frame: 'request_wait_answer' },
    });
    expect(analysis.dumps[0]).toMatchObject({
      key: 'w',
      complete: true,
      incompleteBecause: [],
      tasks: [],
      cpus: [],
      locks: [],
      workqueues: [],
    });
  });

  it.each([
    ['nothing stuck', () => golden('idle'), 0],
    ['no dump', () => file('none', ['hello', 'login:']), 3],
    ['an empty file', () => file('empty', []), 3],
    ['hidden bodies', () => file('hidden', dump('t', 1)), 4],
    ['a missing file', () => join(directory, 'missing'), 5],
    ['a directory', () => directory, 5],
  ])('exit code of %s', async (_case, path, code) => {
    expect((await run([path()])).code).toBe(code);
    expect((await run([path()], true)).code).toBe(code);
  });

  it('prints [] where no dump is found', async () => {
    expect((await run([file('none', ['hello'])], true)).out).toBe('[]\n');
  });

  it('names the missing file in one line', async () => {
    const path = join(directory, 'missing');
    expect(await run([path])).toMatchObject({
      out: '',
      err: `wedgewatch: ${path} cannot be read: no such file\n`,
    });
  });

  it('takes the worst of several files', async () => {
    const idle = golden('idle');
    const hidden = file('hidden', dump('t', 1));
    expect((await run([idle, file('none', ['x'])])).code).toBe(3);
    expect((await run([idle, file('none', ['x']), hidden])).code).toBe(4);
    expect((await run([idle, hidden, join(directory, 'missing')])).code).toBe(5);
    expect((await run([idle, hidden, join(directory, 'missing'), golden('page-in')])).code).toBe(1);
    const { out } = await run([idle, file('none', ['x']), golden('exec')], true);
    expect(
      (JSON.parse(out) as { file: string; verdict: { class: string } }[]).map((one) => [
        one.file,
        one.verdict.class,
      ]),
    ).toEqual([
      [idle, 'none'],
      [golden('exec'), 'waiting'],
    ]);
  });

  it('reads standard input, whatever the chunks', async () => {
    const bytes = readFileSync(golden('page-in'));
    for (const size of [7, 1000, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      const input = Readable.from(chunks);
      const { code, out } = await run(['-'], false, input);
      expect([code, out.split(' ')[0]]).toEqual([1, 'pagein:109']);
    }
  });

  it('finds a dump behind a row that never ends, and shows no control character of it', async () => {
    const evil = task('\u001b]0;x\u0007\u202evil', 9, 'D', stacks.pageIn);
    const log = `${'x'.repeat(300_000)}\n${dump('w', 1, evil).join('\r\n')}\n`;
    const { code, out } = await run([file('evil', Buffer.from(log))]);
    expect(code).toBe(1);
    // eslint-disable-next-line no-control-regex -- what must not come out
    expect(out.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('prints of several files a line each', async () => {
    const { out } = await run([golden('idle'), file('none', ['x']), golden('exec')]);
    expect(out.split('\n')).toEqual([
      `${golden('idle')}: nothing is stuck in these dumps`,
      expect.stringMatching(/none: no SysRq dump and no kernel complaint found$/),
      expect.stringMatching(/exec\.log: init:109 waiting in execve/),
      '',
    ]);
  });

  it('takes standard input where no file is named, unless that is a keyboard', async () => {
    const piped = await run([], false, Readable.from([readFileSync(golden('page-in'))]));
    expect([piped.code, piped.out.split(' ')[0]]).toEqual([1, 'pagein:109']);
    let err = '';
    const streams = { in: null, out: () => undefined, err: (text: string) => (err += text) };
    expect(await runAnalyze([], {}, streams)).toBe(2);
    expect(err).toContain('dmesg | wedgewatch analyze');
  });

  describe('of packed and other files', () => {
    const packed = gzipSync(readFileSync(golden('page-in')));

    it('of a long one leaves no listener behind for each chunk', async () => {
      const warnings: Error[] = [];
      const warned = (warning: Error) => warnings.push(warning);
      process.on('warning', warned);
      const lines = Array.from(
        { length: 40_000 },
        (_, line) => `${line} ${(line * 7919) % 104_729} ${line ** 3}`,
      );
      const long = gzipSync(lines.join('\n'));
      const pieces = Array.from({ length: Math.ceil(long.length / 20_000) }, (_, piece) =>
        long.subarray(piece * 20_000, (piece + 1) * 20_000),
      );
      expect(pieces.length).toBeGreaterThan(20);
      expect((await run(['-'], false, Readable.from(pieces))).code).toBe(3);
      await new Promise((resolve) => setImmediate(resolve));
      process.off('warning', warned);
      expect(warnings).toEqual([]);
    });

    it('reads what gzip packed, also when piped', async () => {
      const plain = await run([golden('page-in')]);
      expect(await run([file('log.gz', packed)])).toEqual(plain);
      const bytes = Array.from(packed, (byte) => Uint8Array.of(byte));
      expect(await run(['-'], false, Readable.from(bytes))).toEqual(plain);
    });

    it('of a cut one says so, and judges what came', async () => {
      const { code, out, err } = await run([file('cut.gz', packed.subarray(0, packed.length - 3000))]);
      expect([code, out.split(' ')[0]]).toEqual([1, 'pagein:109']);
      expect(err).toMatch(
        /cut\.gz: its gzip data is truncated or damaged \(.*\); this is of what came before\n$/,
      );
    });

    it.each([
      [
        'xz',
        [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
        'it is compressed with xz. Fix: xz -dc FILE | wedgewatch analyze',
      ],
      ['a journal', [...Buffer.from('LPKSHHRH')], 'it is a journal. Fix: journalctl --file=FILE -o cat'],
      [
        'a vmcore as distributions write it',
        [...Buffer.from('KDUMP   '), ...Array<number>(500).fill(0)],
        'it is a crash dump in makedumpfile’s compressed format. Fix: dump as ELF: dump-guest-memory without a format',
      ],
      [
        'the same through a pipe',
        [...Buffer.from('makedumpfile\0'), ...Array<number>(500).fill(0)],
        'flattened format. Fix: makedumpfile -R',
      ],
      [
        'virsh dump',
        [...Buffer.from('QEVM'), 0, 0, 0, 3],
        'it is a migration stream of QEMU. Fix: virsh dump --memory-only',
      ],
      [
        'virsh save',
        [...Buffer.from('LibvirtQemudSave'), 2],
        'it is a state that virsh saved. Fix: virsh dump --memory-only',
      ],
      ['noise', Array.from({ length: 500 }, (_, n) => n % 32), 'it is binary, not the text of a console'],
    ])('of %s says what it is', async (_kind, bytes, why) => {
      const { code, err } = await run([file('strange', Uint8Array.from(bytes))]);
      expect(code).toBe(5);
      expect(err).toContain(why);
      expect((await run([file('strange.gz', gzipSync(Uint8Array.from(bytes)))])).code).toBe(5);
    });

    it('does not wait for a device', async () => {
      expect(await run(['/dev/zero'])).toMatchObject({
        code: 5,
        err: expect.stringContaining('a device') as string,
      });
    });
  });
});

it('says what it waits for when a pipe is silent, and only then', async () => {
  vi.useFakeTimers();
  try {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const written = { out: '', err: '' };
    async function* silent() {
      await begun;
      yield Buffer.from('no dump\n');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    const done = runAnalyze(
      ['-'],
      {},
      {
        in: silent(),
        out: (text) => (written.out += text),
        err: (text) => (written.err += text),
      },
    );
    await vi.advanceTimersByTimeAsync(1_900);
    expect(written.err).toBe('');
    await vi.advanceTimersByTimeAsync(200);
    expect(written.err).toBe('wedgewatch: waiting for somebody to write to standard input; Ctrl-C ends it\n');
    begin();
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await done).toBe(3);
    expect(written.err.split('\n')).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});
