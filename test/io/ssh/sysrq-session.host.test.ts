import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TRIGGER_COMMAND } from '../../../src/core/ssh/sysrq-trigger.js';
import { SysrqSession } from '../../../src/io/ssh/sysrq-session.js';
import { isRunning } from '../../support/processes.js';
import { scratch } from '../../support/qmp-failure.js';

/** An ssh that leaves its pid, and behaves by the key that it reads. */
const SSH = `#!/bin/sh
echo $$ >>"$0.pids"
echo 'Welcome to vm'
while read -r key; do
  case $key in
    t) echo 'sh: write error: Operation not permitted' >&2; sleep 0.2; echo 'sysrq-trigger: failed' ;;
    m) sleep 60 ;;
    q) echo 'Connection to vm closed by remote host.' >&2; exit 255 ;;
    *) echo 'sysrq-trigger: done' ;;
  esac
done
`;

async function session(): Promise<{
  session: SysrqSession;
  stop: AbortController;
  pid: () => Promise<number>;
}> {
  const ssh = join(await scratch(), 'ssh');
  await writeFile(ssh, SSH);
  await chmod(ssh, 0o755);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const pid = async () => Number((await readFile(`${ssh}.pids`, 'utf8')).trim());
  return { session: new SysrqSession('vm', { timeoutMs: 5_000, ssh, signal: stop.signal }), stop, pid };
}

describe('keys over SSH', () => {
  it('share one login, and run one behind the other', async () => {
    const { session: keys, pid } = await session();
    const answers = await Promise.all([
      keys.press('8', 5_000),
      keys.press('t', 5_000),
      keys.press('h', 5_000),
    ]);
    expect(answers).toEqual([
      null,
      '/proc/sysrq-trigger was not written: sh: write error: Operation not permitted; log in as root, or allow sudo without a password',
      null,
    ]);
    expect(await pid()).toBeGreaterThan(0);
    expect(keys.ended).toBe(false);
  });

  it('that bring no answer end the session at their deadline, with all that it started', async () => {
    const { session: keys, pid } = await session();
    await keys.press('w', 5_000);
    const [first, second] = await Promise.all([keys.press('m', 300), keys.press('h', 5_000)]);
    expect([first, second]).toEqual(Array(2).fill('no command ran over SSH within 300 ms'));
    expect(keys.ended).toBe(true);
    const login = await pid();
    await expect.poll(() => isRunning(login)).toBe(false);
  });

  it('are told why the login ended', async () => {
    const { session: keys } = await session();
    expect(await keys.press('q', 5_000)).toBe('SSH failed: Connection to vm closed by remote host.');
    expect(await keys.press('w', 5_000)).toBe('SSH failed: Connection to vm closed by remote host.');
  });

  it('end with the guest', async () => {
    const { session: keys, stop, pid } = await session();
    await keys.press('w', 5_000);
    const waiting = keys.press('m', 5_000);
    stop.abort();
    expect(await waiting).toBe('the guest was stopped');
    const login = await pid();
    await expect.poll(() => isRunning(login)).toBe(false);
  });

  it('are not pressed where there is no ssh', async () => {
    const keys = new SysrqSession('vm', { timeoutMs: 5_000, ssh: '/nonexistent/ssh' });
    expect(await keys.press('w', 5_000)).toMatch(/^cannot start ssh: .*ENOENT/);
  });
});

describe('the command in the guest', () => {
  it.each(['sh', 'bash', 'busybox'])('writes each key, and says so, under %s', async (shell) => {
    const file = join(await scratch(), 'sysrq-trigger');
    await writeFile(file, '');
    const command = TRIGGER_COMMAND.replaceAll('/proc/sysrq-trigger', file).replaceAll(
      `>${file}`,
      `>>${file}`,
    );
    const args = [...(shell === 'busybox' ? ['sh'] : []), '-c', command];
    const { stdout } = spawnSync(shell, args, { input: 'w\nt\n', encoding: 'utf8' });
    expect(stdout).toBe('sysrq-trigger: done\nsysrq-trigger: done\n');
    expect(await readFile(file, 'utf8')).toBe('w\nt\n');
  });
});
