import { afterAll, beforeAll, expect, test } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type { SysrqKey } from '../../src/core/model.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { pressChord } from '../../src/io/qmp/press.js';
import { guestUnit, qmpSocket, startGuest, stopGuest, stopStore, waitForSsh } from './guests.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
});

afterAll(() => world.down());

const console = (vm: string) =>
  world.dev(['journalctl', `--user-unit=${guestUnit(vm)}`, '--output=cat', '--all']);

/** Presses the key and then h, whose answer comes after the dump's last line. Returns the lines between. */
async function dump(vm: string, key: SysrqKey, header: string): Promise<string> {
  const before = (await console(vm)).length;
  const news = async () => (await console(vm)).slice(before);
  for (const [chord, answer] of [
    [key, header],
    ['h', 'sysrq: HELP'],
  ] as const) {
    await pressChord(world.path(qmpSocket(vm)), chord, { timeoutMs: 2_000 });
    await expect.poll(news, { timeout: 20_000, interval: 200 }).toContain(answer);
  }
  return news();
}

async function wedge(vm: string, mode: 'job' | 'exec', port: number): Promise<{ w: string; t: string }> {
  await startGuest(world, { vm, mode, port });
  await waitForSsh(world, vm);
  await stopStore(world, vm);
  await delay(3_000);
  await expect(world.dev(['ssh', '-o', 'ConnectTimeout=2', vm, 'true'], 3_000)).rejects.toThrow();
  await dump(vm, '8', 'Loglevel set to 8');
  const w = await dump(vm, 'w', 'Show Blocked State');
  const t = await dump(vm, 't', 'Show State');
  await stopGuest(world, vm);
  return { w, t };
}

test('a job that runs from a stopped store blocks in a page-in, and SSH is lost', async () => {
  const { w, t } = await wedge('job', 'job', 2201);
  expect(w).toMatch(/task:\S+ +state:D/);
  expect(w).toContain('filemap_fault');
  expect(t).toMatch(/task:serve-ssh +state:S[^]*request_wait_answer/);
});

test('an exec from a stopped store waits where no list of blocked tasks has it', async () => {
  const { w, t } = await wedge('exec', 'exec', 2202);
  expect(w).not.toContain('task:');
  expect(t).toMatch(/task:serve-ssh +state:S[^]*request_wait_answer[^]*execve/);
});
