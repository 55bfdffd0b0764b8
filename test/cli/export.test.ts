import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { exportIncident } from '../../src/cli/export.js';
import { incident } from '../fixtures/archive-sample.js';
import { archive, put, run } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

type Options = Parameters<typeof exportIncident>[2];
const exported = (root: string, options: Options, wanted = 'bb', columns: number | null = null) =>
  run((terminal) => exportIncident(root, wanted, options, terminal, new PassThrough()), columns);

const EVIL = 'x`</details>| @octocat [l](https://example.org) <img src=x>\u001b[2J';

describe('export', () => {
  it('writes an issue in which the guest can make no link, mention or tag', async () => {
    const root = await archive();
    const { code, out } = await exported(root, { github: true });
    expect(code).toBe(0);
    expect(out).toMatch(/^### `chroot:441 stuck/);
    expect(out).toContain('\n- Kernel: `6.18.0-rc3`\n');
    expect(out).toContain('```text\n1 task in D: chroot:441\n');
    const { verdict, dumps } = incident();
    const tasks = dumps[0]!.tasks.map((task) => ({ ...task, comm: '```\n</details>' }));
    await put(root, 40, 'cc000001', {
      verdict: { ...verdict, title: EVIL, reasons: [EVIL], culprit: null },
      dumps: [{ ...dumps[0]!, tasks }],
    });
    const evil = (await exported(root, { github: true }, 'cc')).out;
    expect(evil).toContain('### ``x`</details>| @octocat [l](https://example.org) <img src=x> [2J``\n');
    expect(evil).toMatch(/\n````text\n[^]*```[^]*\n````\n\n<\/details>\n$/);
  });

  it('writes a mail, speedscope and incident.json', async () => {
    const root = await archive();
    expect((await exported(root, { mail: true })).out).toMatch(
      /^chroot:441 stuck[^]*\n\n1 task in D: chroot:441\n {4}io_schedule\n {4}filemap_read\n$/,
    );
    const scope = JSON.parse((await exported(root, { speedscope: true })).out) as { profiles: unknown[] };
    expect(scope.profiles).toHaveLength(1);
    expect(JSON.parse((await exported(root, { json: true })).out)).toMatchObject({ schemaVersion: 1 });
  });

  it.each([
    ['blocked', /<testsuite name="wedgewatch" [^>]*failures="1" errors="0"[^]*<failure message="chroot:441/],
    ['unknown', /failures="0" errors="1"[^]*<error message="chroot:441/],
    ['none', /failures="0" errors="0"/],
  ] as const)('writes a JUnit report of class %s', async (kind, report) => {
    const root = await temporaryDirectory();
    await put(root, 0, 'bb000001', { vm: '<&\u001b', verdict: { ...incident().verdict, class: kind } });
    const { out } = await exported(root, { junit: true });
    expect(out).toMatch(report);
    expect(out).toContain('&lt;&amp;');
    // eslint-disable-next-line no-control-regex -- XML forbids them
    expect(out).not.toMatch(/[\u0000-\u0008\u001b]/);
  });

  it('writes to the file that is named', async () => {
    const output = join(await temporaryDirectory(), 'issue.md');
    await exported(await archive(), { github: true, output });
    expect(await readFile(output, 'utf8')).toMatch(/^### /);
  });

  it.each<[Options, string, number | null, number, string]>([
    [{}, 'bb', null, 2, 'say one of --github'],
    [{ mail: true, tar: true }, 'bb', null, 2, 'say one of --github'],
    [{ tar: true }, 'bb', 80, 2, 'add -o FILE'],
    [{ mail: true }, 'ee', null, 3, 'no incident ee'],
    [{ mail: true, output: '/nowhere/x' }, 'bb', null, 5, 'ENOENT'],
    [{ tar: true, output: '/nowhere/x' }, 'bb', null, 5, 'ENOENT'],
    [{ mail: true }, 'test/golden/exec.log', null, 2, 'is a console log'],
  ])('of %j %s ends with an error', async (options, wanted, columns, code, why) => {
    const said = await exported(await archive(), options, wanted, columns);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toContain(why);
  });
});
