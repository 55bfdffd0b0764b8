import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { replayCommand } from '../../src/cli/replay.js';
import type { Terminal } from '../../src/cli/print.js';
import { booted, healthyFor, VirtualGuest } from '../support/virtual-guest.js';
import { temporaryDirectory } from '../support/temporary.js';

async function replayed(
  names: string[],
  options: Parameters<typeof replayCommand>[1] = {},
  config: string | null = null,
) {
  const written = { out: '', err: '' };
  const terminal: Terminal = {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    columns: null,
    colour: false,
  };
  const code = await replayCommand(names, options, { config, quiet: false, terminal });
  return { code, ...written };
}

async function recorded(): Promise<string> {
  const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000) })).run(60_000);
  const path = join(await temporaryDirectory(), 'timeline.jsonl');
  await writeFile(
    path,
    `${guest.timeline
      .lines()
      .map((line) => JSON.stringify(line))
      .join('\n')}\n`,
  );
  return path;
}

it('files over a timeline what was filed live, with its reasons', async () => {
  const { code, out } = await replayed([await recorded()]);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^2023-11-14T22:13:\d\d\.\d+Z {2}vm1 {2}filed as blocked after \d+ s: pagein:109 stuck/,
  );
  expect(out).toMatch(/because: SSH answered last \d+ s ago/);
  expect(out).toMatch(/\n1 would have been filed, 0 dropped\n$/);
});

it('explains one moment by the evidence of four sides', async () => {
  const { out } = await replayed([await recorded()], { explain: '2023-11-14T22:13:33Z' });
  expect(out).toMatch(/^2023-11-14T22:13:33\.000Z {2}vm1: up, healthy, phase up\n/);
  for (const side of ['console', 'ssh', 'qemu', 'host']) expect(out).toMatch(new RegExp(`\n  ${side}: +\\S`));
});

it('decides under another configuration where one is given', async () => {
  const path = await recorded();
  const config = join(path, '../config.yaml');
  await writeFile(config, 'detect: {silence: 1h}\n');
  expect(await replayed([path], {}, config)).toMatchObject({ code: 0 });
});

it('finds in a console log what its kernel complained of, at its time', async () => {
  const path = join(await temporaryDirectory(), 'console.log');
  const lines = [
    '[    0.000000] Linux version 6.1.0',
    '[  150.0] INFO: task mount:88 blocked for more than 120 seconds.',
  ];
  await writeFile(path, `${lines.join('\n')}\n[  160.0] more\n`);
  const { code, out } = await replayed([path], { vm: 'lab' });
  expect(code).toBe(1);
  expect(out).toMatch(/\n150\.0 s {2}lab {2}filed as \w+ after \d+ s: /);
  expect(out).toMatch(/because: the guest's console says: .*INFO: task mount:88/);
});

it('says what cannot be read, and where', async () => {
  const directory = await temporaryDirectory();
  const broken = join(directory, 'timeline.jsonl');
  await writeFile(broken, '{"type":"start"}\n{"type":\n');
  expect(await replayed([broken])).toMatchObject({
    code: 5,
    err: `wedgewatch: ${broken}, line 2: not JSON; the file is damaged\n`,
  });
  await writeFile(broken, '{}\n');
  expect((await replayed([broken])).err).toMatch(/line 1: not a timeline of wedgewatch/);
  const undated = join(directory, 'undated.log');
  await writeFile(undated, 'hello\n');
  expect((await replayed([undated])).err).toMatch(/no line has a time/);
  await mkdir(join(directory, 'empty'));
  expect(await replayed([join(directory, 'empty')])).toMatchObject({ code: 5 });
  expect(await replayed([])).toMatchObject({ code: 2 });
  expect(await replayed([broken], { explain: 'noon' })).toMatchObject({ code: 2 });
});

it('says that the journal has nothing of a VM, and which was meant', async () => {
  const bin = await temporaryDirectory();
  const fields = {
    __CURSOR: 's=1',
    __REALTIME_TIMESTAMP: '1700000000000000',
    __MONOTONIC_TIMESTAMP: '1',
    _BOOT_ID: '0',
    _TRANSPORT: 'stdout',
    _SYSTEMD_USER_UNIT: 'qemu-system@debian.service',
    MESSAGE: 'Started SSH server.',
  };
  const entry = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(bin, 'journalctl'), `#!/bin/sh\nprintf '%s\\n' '${entry.join("' '")}' ''\n`);
  await chmod(join(bin, 'journalctl'), 0o755);
  vi.stubEnv('PATH', bin);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await replayed([], { journal: true, vm: 'debain' })).toMatchObject({
    code: 0,
    err: 'wedgewatch: no console of debain in the journal since yesterday; did you mean debian?\n',
  });
  expect(await replayed([], { journal: true, vm: 'debian' })).toMatchObject({ code: 0, err: '' });
});
