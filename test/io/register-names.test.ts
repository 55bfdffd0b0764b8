import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Look } from '../../src/core/model.js';
import { NO_FACTS } from '../../src/core/ssh/guest-facts.js';
import { symbolized } from '../../src/io/register-names.js';
import { scratch } from '../support/qmp-failure.js';

const look: Look = {
  qmp: {
    ok: true,
    runState: 'running',
    block: null,
    vcpus: [
      {
        index: 0,
        threadId: 1,
        cpuMs: null,
        samples: [{ pc: 'ffffffff9f200101', user: false, halted: null, masked: null }],
      },
    ],
  },
  qemu: null,
  kernelCommandLine: 'console=ttyS0',
  shares: [],
};

const MAP = 'ffffffff81000000 T _text\nffffffff81000100 T one\nffffffff81000200 T _etext\n';
const facts = { ...NO_FACTS, textAddress: 'ffffffff9f200000' };
const symbolOf = ({ qmp }: Look) => (qmp.ok ? qmp.vcpus[0]?.samples?.[0]?.symbol : null);

it('names what the map and the guest tell together, and sees a map that was replaced', async () => {
  const path = join(await scratch(), 'System.map');
  await writeFile(path, MAP);
  expect(symbolOf(await symbolized(look, path, facts))).toBe('one+0x1/0x100');
  await writeFile(path, MAP.replace('one', 'another'));
  expect(symbolOf(await symbolized(look, path, facts))).toBe('another+0x1/0x100');
});

it('does not guess where a kernel was relocated to', async () => {
  const path = join(await scratch(), 'System.map');
  await writeFile(path, MAP);
  const seen = await symbolized(look, path, NO_FACTS);
  expect(symbolOf(seen)).toBeUndefined();
  expect(seen.noSymbols).toBe('the kernel may be relocated (KASLR), by an unknown offset');
});

it('says which file is missing, or is none', async () => {
  const directory = await scratch();
  expect((await symbolized(look, join(directory, 'gone'), facts)).noSymbols).toMatch(/^ENOENT.*\/gone'$/);
  const path = join(directory, 'vmlinux');
  await writeFile(path, '\u007fELF');
  expect((await symbolized(look, path, facts)).noSymbols).toBe(
    `${path}: it has no _text: it is no System.map`,
  );
});
