/** What keeps a QEMU's memory closed, and what opens it; the system's answers are played. */
import type * as fs from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type * as ways from '../../../src/io/memory/open-ram.js';

const answers = {
  refused: new Set<string>(),
  texts: new Map<string, string>(),
  owners: new Map<string, number>(),
};

async function played() {
  const real = await vi.importActual<typeof fs>('node:fs');
  const refuse = (path: unknown) => {
    if (typeof path === 'string' && answers.refused.has(path))
      throw Object.assign(new Error('refused'), { code: 'EACCES' });
  };
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      refuse(args[0]);
      return real.openSync(...args);
    },
    readdirSync: (...args: Parameters<typeof real.readdirSync>) => {
      refuse(args[0]);
      return [];
    },
    readFileSync: (...args: Parameters<typeof real.readFileSync>) =>
      answers.texts.get(String(args[0])) ?? real.readFileSync(...args),
    statSync: (...args: Parameters<typeof real.statSync>) => {
      const uid = answers.owners.get(String(args[0]));
      return uid === undefined ? real.statSync(...args) : { uid };
    },
  };
}

const { pid } = process;
const own = process.geteuid?.() ?? 0;
const yama = '/proc/sys/kernel/yama/ptrace_scope';
const share =
  'give the guest shared memory: -object memory-backend-memfd,id=mem,size=SIZE,share=on -numa node,memdev=mem';
let openRam: typeof ways.openRam;
const open = () => openRam({ pid, argv: [], qmpSocket: '/nowhere', regions: null, hostAddresses: {} });

beforeAll(async () => {
  // Other tests may have loaded its modules already.
  vi.resetModules();
  vi.doMock('node:fs', played);
  ({ openRam } = await import('../../../src/io/memory/open-ram.js'));
});

afterAll(() => {
  vi.doUnmock('node:fs');
  vi.resetModules();
});

beforeEach(() => {
  answers.refused.clear();
  answers.texts.clear();
  answers.owners.clear();
});

it.each([
  ['1', 'sysctl kernel.yama.ptrace_scope=0'],
  ['3', 'sysctl kernel.yama.ptrace_scope=0, after a boot'],
])('is not shared, and Yama forbids the rest: kernel.yama.ptrace_scope=%s', (scope, opens) => {
  answers.refused.add(`/proc/${pid}/mem`);
  answers.texts.set(yama, `${scope}\n`);
  expect(open()).toEqual({
    ok: false,
    why: `it is not shared, and Yama forbids to read QEMU’s own (kernel.yama.ptrace_scope=${scope})`,
    fix: `${share}; or ${opens}`,
  });
});

it('is not shared, and something else than Yama forbids the rest', () => {
  answers.refused.add(`/proc/${pid}/mem`);
  answers.texts.set(yama, '0\n');
  answers.owners.set(`/proc/${pid}/fd`, own);
  expect(open()).toEqual({
    ok: false,
    why: 'it is not shared, and the system forbids to read QEMU',
    fix: share,
  });
});

it('is of a QEMU that is not dumpable', () => {
  answers.refused.add(`/proc/${pid}/fd`);
  answers.owners.set(`/proc/${pid}/fd`, own + 1);
  expect(open()).toEqual({
    ok: false,
    why: 'QEMU is not dumpable: its program has capabilities, is set-uid or cannot be read, or it changed its user',
    fix: 'start QEMU as this user, from a program file that can be read and has no capabilities (getcap), without -runas',
  });
});

it('is of another user', () => {
  answers.refused.add(`/proc/${pid}/fd`);
  answers.texts.set(`/proc/${pid}/status`, `Name:\tqemu\nUid:\t${own + 7}\t0\t0\t0\n`);
  expect(open()).toEqual({
    ok: false,
    why: `QEMU runs as another user (uid ${own + 7})`,
    fix: `run wedgewatch as the user with uid ${own + 7}`,
  });
});
