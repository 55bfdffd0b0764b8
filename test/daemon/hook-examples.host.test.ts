/** The examples of docs/hooks.md, as somebody would use them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/core/config/parse-config.js';
import type { Incident } from '../../src/core/report/incident.js';
import { incidentJson } from '../../src/core/report/json.js';
import { incident } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from '../support/temporary.js';

const docs = join(import.meta.dirname, '../../docs');

/** Runs one with an incident on its standard input. */
async function ran(name: string, args: string[], input: Incident, env: NodeJS.ProcessEnv = {}) {
  const path = join(docs, 'examples', name);
  const child = spawn('python3', [path, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (data) => (said += String(data)));
  child.stdin.end(incidentJson(input));
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

it('every configuration in hooks.md and kdevops.md is one', async () => {
  for (const file of ['hooks.md', 'kdevops.md']) {
    const text = await readFile(join(docs, file), 'utf8');
    const blocks = [...text.matchAll(/```yaml\n([^]*?)^ *```/gm)].map(([, block = '']) => block);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(parseConfig(block, file)).toMatchObject({ ok: true });
  }
});

it('chat.py posts verdict and test, and a guest mentions nobody', async () => {
  const bodies: string[] = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (data) => (body += String(data)));
    request.on('end', () => {
      bodies.push(body);
      answer.writeHead(request.url === '/ok' ? 200 : 403).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hung = incident();
  const hostile = {
    ...hung,
    verdict: { ...hung.verdict, title: 'a`<!channel>:1 stuck, see @here' },
    test: { at: hung.startedAt, text: 'generic/475' },
    known: { title: 'dead store', link: 'https://example.org/1', ignored: false, ignoreUntil: null },
  };
  expect(await ran('chat.py', [`${url}/ok`], hostile)).toEqual({ code: 0, said: '' });
  const { text } = JSON.parse(bodies[0] ?? '') as { text: string };
  expect(text).toContain("hangs: `a'&lt;!channel&gt;:1 stuck, see @\u2060here`");
  expect(text).toContain('\nin generic/475\n');
  expect(text).toContain('\nknown: https://example.org/1 (dead store)\n');
  expect((await ran('chat.py', [`${url}/gone`], hostile)).said).toContain('403');
});

it('next-test.py restarts the guest, leaves out the test that hung, and starts the suite', async () => {
  const bin = await temporaryDirectory();
  const log = join(bin, 'log');
  await mkdir(join(bin, 'bin'));
  for (const name of ['systemctl', 'wedgewatch', 'ssh']) {
    const script = `#!/bin/sh\necho ${name} "$@" >>${log}\ncase "$*" in *cat*) sed 's/^/  < /' >>${log};; esac\n`;
    await writeFile(join(bin, 'bin', name), script, { mode: 0o755 });
  }
  const env = { PATH: `${bin}/bin:${process.env['PATH'] ?? ''}` };
  const hung = { ...incident(), test: { at: incident().startedAt, text: 'generic/475' } };
  const args = ['/var/lib/xfstests/exclude', 'xfstests@generic.service'];
  expect(await ran('next-test.py', args, hung, env)).toEqual({ code: 0, said: '' });
  const { vm, unit } = hung;
  expect(await readFile(log, 'utf8')).toBe(
    [
      `systemctl --user kill --signal=KILL ${unit}`,
      `systemctl --user restart ${unit}`,
      `wedgewatch wait ${vm} --until up --timeout 5min`,
      `ssh ${vm} cat >>/var/lib/xfstests/exclude`,
      '  < generic/475',
      `ssh ${vm} systemctl start --no-block xfstests@generic.service`,
      '',
    ].join('\n'),
  );
  await writeFile(log, '');
  for (const hostile of [
    { ...hung, vm: '*', unit: 'qemu-system@*.service' },
    { ...hung, vm: '-oProxyCommand=id' },
    { ...hung, test: { ...hung.test, text: 'generic/475; reboot' } },
  ])
    expect((await ran('next-test.py', args, hostile, env)).said).toMatch(/^not restarted: /);
  expect(await readFile(log, 'utf8')).toBe('');
});
